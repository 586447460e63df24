package jsonrpc

import (
	"errors"
	"net/http"
	"strings"

	"gantry/connectors"
	"gantry/connectors/web"
)

// source is what every Failure of a system has for the definition's error map:
//
//	http     the status
//	error    the kind of the fault: UserError, AccessError; "" where the server itself broke
//	code     its number, of JSON-RPC 2.0
//	warning  the name of a warning
//	denied   the login lacks the right that the call needs
//	refused  the login itself was refused
func source(status int) map[string]any {
	return map[string]any{"http": int64(status), "error": "", "code": int64(0), "warning": "", "denied": false, "refused": false}
}

// statusStrange is the status of an answer that is none of this protocol.
const statusStrange = "answer"

// strange is an answer that is none of this protocol. What the call did is not known.
func strange(message string) *connectors.Failure {
	f := faulty(statusStrange, message)
	f.Err = errors.New(message)
	return f
}

// faulty is a fault that came under the status 200.
func faulty(status, message string) *connectors.Failure {
	return &connectors.Failure{Kind: connectors.Answered, Status: status, Message: web.Clip(message), Source: source(http.StatusOK)}
}

// refusal is an answer whose HTTP status alone says no.
func refusal(answer *web.Response) *connectors.Failure {
	f := answer.Refusal()
	said := f.Source
	f.Source = over(source(answer.Status), said)
	return f
}

// refusing marks a failure that refuses the login.
func refusing(f *connectors.Failure) *connectors.Failure {
	marked := *f
	marked.Source = over(f.Source, map[string]any{"refused": true})
	return &marked
}

// opened reads the object that an answer is.
func opened(answer *web.Response) (map[string]any, error) {
	if answer.Status != http.StatusOK {
		return nil, refusal(answer)
	}
	document, err := decoded(answer)
	if err != nil {
		return nil, err
	}
	envelope, ok := document.(map[string]any)
	if !ok {
		return nil, strange("the answer is no object")
	}
	return envelope, nil
}

func decoded(answer *web.Response) (any, error) {
	document, err := web.Decode(answer.Body)
	if err != nil {
		f := strange("the answer cannot be read: " + err.Error())
		f.Err = err
		return nil, f
	}
	return document, nil
}

// firstLine keeps a traceback out of what a person reads.
func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
