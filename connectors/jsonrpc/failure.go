package jsonrpc

import (
	"errors"
	"net/http"
	"strings"

	"gantry/connectors"
	"gantry/connectors/web"
)

// result takes the result out of an answer. A fault of the system comes under the status 200, as a list: what kind it is, and what
// it has to say. Source has the members http, error (UserError, UserWarning, ConcurrencyException; "" where the server itself broke), and
// warning, the name of a warning, and denied: the login lacks the right that the call needs.
func result(answer *web.Response) (any, error) {
	if answer.Status != http.StatusOK {
		f := answer.Refusal()
		f.Source["error"], f.Source["warning"], f.Source["denied"] = "", "", false
		return nil, f
	}
	document, err := web.Decode(answer.Body)
	if err != nil {
		f := strange("the answer cannot be read: " + err.Error())
		f.Err = err
		return nil, f
	}
	envelope, ok := document.(map[string]any)
	if !ok {
		return nil, strange("the answer is no object")
	}
	if said, failed := envelope["error"]; failed && said != nil {
		return nil, told(said)
	}
	value, there := envelope["result"]
	if !there {
		return nil, strange("the answer has neither a result nor an error")
	}
	return value, nil
}

// statusStrange is the status of an answer that is none of this protocol.
const statusStrange = "answer"

// strange is an answer that is none of this protocol. What the call did is not known.
func strange(message string) *connectors.Failure {
	return &connectors.Failure{
		Kind: connectors.Answered, Status: statusStrange, Message: message, Err: errors.New(message),
		Source: map[string]any{"http": int64(http.StatusOK), "error": "", "warning": "", "denied": false},
	}
}

// kinds are the faults that the system means; any other is one that happened to it.
var kinds = map[string]bool{"UserError": true, "UserWarning": true, "ConcurrencyException": true, "LoginException": true, "MissingDependenciesException": true}

// told makes a Failure of the member error. The server has rolled back.
func told(said any) *connectors.Failure {
	first, _ := web.At(said, "0").(string)
	source := map[string]any{"http": int64(http.StatusOK), "error": "", "warning": "", "denied": false}
	f := &connectors.Failure{Kind: connectors.Answered, Status: "fault", Message: web.Clip(firstLine(first)), Source: source}
	if kinds[first] {
		f.Status, source["error"] = first, first
		f.Message = web.Clip(words(said, first, source))
	}
	f.Err = errors.New(f.Message)
	return f
}

// words finds what a fault says for people: [kind, [message, description, …]], of a warning [kind, [name, message, …]], or
// [kind, message].
func words(said any, kind string, source map[string]any) string {
	if s, ok := web.At(said, "1").(string); ok {
		return s
	}
	message, more := web.At(said, "1.0"), web.At(said, "1.1")
	if kind == "UserWarning" {
		source["warning"], _ = message.(string)
		message, more = more, web.At(said, "1.2")
	}
	text, _ := message.(string)
	if description, _ := more.(string); description != "" {
		text += " " + description
	}
	return text
}

// firstLine keeps a traceback out of what a person reads.
func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

// sessionIsOver tells a refusal of the session from any other.
func sessionIsOver(err error) (*connectors.Failure, bool) {
	f, ok := errors.AsType[*connectors.Failure](err)
	return f, ok && f.Kind == connectors.Answered && f.Source["http"] == int64(http.StatusUnauthorized)
}
