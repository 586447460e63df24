package fault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ContentType is the media type of a serialised error (RFC 9457).
const ContentType = "application/problem+json"

// MaxProblem bounds a problem document that is read from a peer, in bytes.
const MaxProblem = 64 << 10

// Problem is what every failure looks like on the wire (RFC 9457).
type Problem struct {
	Type         string   `json:"type"`                 // always about:blank; code tells the kind
	Status       int      `json:"status"`               // the HTTP status again
	Title        string   `json:"title"`                // what the code means, in a few words
	Code         Code     `json:"code"`                 // what went wrong; never renamed
	Detail       string   `json:"detail"`               // what went wrong here, for people
	RequestID    string   `json:"request_id,omitempty"` // stands in the logs of relay and agent
	ConnectionID string   `json:"connection_id,omitempty"`
	AgentID      string   `json:"agent_id,omitempty"`
	Hop          Hop      `json:"hop"`   // the part of the road that failed
	Scope        Scope    `json:"scope"` // how far the trouble reaches
	Entity       string   `json:"entity,omitempty"`
	Operation    string   `json:"operation,omitempty"`
	RecordID     string   `json:"record_id,omitempty"`
	Retryable    bool     `json:"retryable"`         // whether the same request can succeed later
	RetryAfter   *int     `json:"retry_after"`       // whole seconds to wait before that
	Outcome      Outcome  `json:"outcome,omitempty"` // of a write: whether it happened
	Fields       []Field  `json:"fields,omitempty"`  // each fault of the request, by member
	Source       *Source  `json:"source,omitempty"`  // the plant's system's own words
	Allow        []string `json:"allow,omitempty"`   // what would be allowed instead
	Advice       string   `json:"advice,omitempty"`  // what to do, for people
}

// MarshalJSON gives the problem document. The cause is not part of it.
func (e *Error) MarshalJSON() ([]byte, error) {
	spec := e.Code.Spec()
	p := Problem{
		Type: "about:blank", Status: spec.Status, Title: spec.Title, Code: e.Code, Detail: e.Detail,
		RequestID: e.RequestID, ConnectionID: e.ConnectionID, AgentID: e.AgentID,
		Hop: e.Hop, Scope: e.Scope, Entity: e.Entity, Operation: e.Operation, RecordID: e.RecordID,
		Retryable: e.Retryable, Outcome: e.Outcome, Fields: e.Fields, Source: e.Source, Allow: e.Allow, Advice: e.Advice,
	}
	if e.RetryAfter > 0 {
		seconds := e.retryAfterSeconds()
		p.RetryAfter = &seconds
	}
	return encode(p)
}

// encode writes < and > as they are: advice names commands with placeholders, and nobody renders it as HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// retryAfterSeconds rounds up: a caller that waits exactly so long is never early.
func (e *Error) retryAfterSeconds() int {
	return int(math.Ceil(e.RetryAfter.Seconds()))
}

// Write answers an HTTP request with the error.
func (e *Error) Write(w http.ResponseWriter) {
	body, err := encode(e)
	if err != nil { // every member is a plain value: this cannot happen
		body = []byte(`{"type":"about:blank","status":500,"code":"INTERNAL"}`)
	}
	h := w.Header()
	h.Set("Content-Type", ContentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(e.retryAfterSeconds()))
	}
	if len(e.Allow) > 0 {
		h.Set("Allow", strings.Join(e.Allow, ", "))
	}
	if e.Code.Spec().Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="gantry"`)
	}
	w.WriteHeader(e.Code.Spec().Status)
	_, _ = w.Write(body) // the caller may be gone: there is nobody left to tell
}

// Decode reads a problem document of a peer. Everything in it is checked against the contract and bounded: an
// unknown code, hop, scope or outcome is an error, and so is a document over MaxProblem.
func Decode(r io.Reader) (*Error, error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxProblem+1))
	if err != nil {
		return nil, fmt.Errorf("read problem: %w", err)
	}
	if len(raw) > MaxProblem {
		return nil, fmt.Errorf("read problem: larger than %d bytes", MaxProblem)
	}
	var p Problem
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, fmt.Errorf("parse problem: %w", err)
	}
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("parse problem: %w", err)
	}
	e := &Error{
		Code: p.Code, Detail: cut(p.Detail, 2048), Hop: p.Hop, Scope: p.Scope, Outcome: p.Outcome, Advice: cut(p.Advice, 1024),
		Retryable: p.Retryable, Fields: p.Fields, Source: p.Source, Allow: p.Allow,
		RequestID: cut(p.RequestID, 128), ConnectionID: cut(p.ConnectionID, 128), AgentID: cut(p.AgentID, 128),
		Entity: cut(p.Entity, 128), Operation: cut(p.Operation, 128), RecordID: cut(p.RecordID, 512),
	}
	if p.RetryAfter != nil {
		e.RetryAfter = time.Duration(*p.RetryAfter) * time.Second
	}
	return e, nil
}

func (p *Problem) check() error {
	switch {
	case !p.Code.Known():
		return fmt.Errorf("unknown code %q", cut(string(p.Code), 40))
	case !slices.Contains(Hops(), p.Hop):
		return fmt.Errorf("unknown hop %q", cut(string(p.Hop), 40))
	case !slices.Contains(Scopes(), p.Scope):
		return fmt.Errorf("unknown scope %q", cut(string(p.Scope), 40))
	case p.Outcome != "" && !slices.Contains(Outcomes(), p.Outcome):
		return fmt.Errorf("unknown outcome %q", cut(string(p.Outcome), 40))
	case len(p.Fields) > 256 || len(p.Allow) > 64:
		return errors.New("too many fields")
	case p.RetryAfter != nil && (*p.RetryAfter < 0 || *p.RetryAfter > 7*24*3600):
		return errors.New("retry_after out of range")
	}
	return nil
}
