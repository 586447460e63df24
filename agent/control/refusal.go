package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"gantry/agent/state"
	"gantry/configs"
	"gantry/tunnel"
	"gantry/tunnel/enrol"
	"gantry/tunnel/fault"
)

// refusal is the body of an answer that is not 200: an error, with what the other end needs to make the same one of it.
type refusal struct {
	Message  string            `json:"message"`
	Kind     string            `json:"kind,omitempty"` // one of kinds
	Problems []configs.Problem `json:"problems,omitempty"`
	Refused  *tunnel.Refused   `json:"refused,omitempty"`
	Dial     *unreached        `json:"dial,omitempty"`
	Fault    json.RawMessage   `json:"fault,omitempty"`
}

// unreached is a *tunnel.DialError, without the certificate: the doctor looks at that itself.
type unreached struct {
	Stage   tunnel.Stage `json:"stage"`
	Address string       `json:"address"`
	Proxy   bool         `json:"proxy,omitempty"`
	Status  int          `json:"status,omitempty"`
	Schemes []string     `json:"schemes,omitempty"`
	Issuer  string       `json:"issuer,omitempty"`
	Answer  string       `json:"answer,omitempty"`
	Server  string       `json:"server,omitempty"`
	Target  string       `json:"target,omitempty"`
	Cause   string       `json:"cause,omitempty"`

	NoUpgrade bool `json:"no_upgrade,omitempty"`
}

// kinds are the errors that a caller tells apart by errors.Is.
func kinds() map[string]error {
	return map[string]error{
		"enrolled": ErrEnrolled, "not_enrolled": state.ErrNotEnrolled,
		"token_none": enrol.ErrNotToken, "token_cut": enrol.ErrCut, "token_mistyped": enrol.ErrMistyped,
	}
}

// refuse writes an error down.
func refuse(err error) refusal {
	r := refusal{Message: err.Error()}
	for kind, known := range kinds() {
		if errors.Is(err, known) {
			r.Kind = kind
		}
	}
	if e, ok := errors.AsType[*configs.Problems](err); ok {
		r.Problems = e.List
	}
	if e, ok := errors.AsType[*tunnel.Refused](err); ok {
		r.Refused = e
	}
	if e, ok := errors.AsType[*tunnel.DialError](err); ok {
		r.Dial = &unreached{e.Stage, e.Address, e.Proxy, e.Status, e.Schemes, e.Issuer, e.Answer, e.Server, e.Target, "", e.NoUpgrade}
		if e.Err != nil {
			r.Dial.Cause = e.Err.Error()
		}
	}
	if e, ok := errors.AsType[*fault.Error](err); ok {
		if raw, err := json.Marshal(e); err == nil { // else the message has to do
			r.Fault = raw
		}
	}
	return r
}

// refused reads why the agent could not.
func refused(status int, body io.Reader) error {
	var r refusal
	if err := json.NewDecoder(body).Decode(&r); err != nil {
		return fmt.Errorf("ask agent: it answered with status %d", status)
	}
	return r.err()
}

// err makes the error that refuse wrote down.
func (r refusal) err() error {
	switch {
	case len(r.Problems) > 0:
		return &configs.Problems{List: r.Problems}
	case r.Refused != nil:
		return r.Refused
	case r.Dial != nil:
		d := r.Dial
		return &tunnel.DialError{Stage: d.Stage, Address: d.Address, Proxy: d.Proxy, Status: d.Status, Schemes: d.Schemes, Issuer: d.Issuer,
			Answer: d.Answer, Server: d.Server, Target: d.Target, Err: errors.New(d.Cause), NoUpgrade: d.NoUpgrade}
	case len(r.Fault) > 0:
		if e, err := fault.Decode(bytes.NewReader(r.Fault)); err == nil { // else the message has to do
			return e
		}
	}
	if known := kinds()[r.Kind]; known != nil {
		return told{r.Message, known}
	}
	return fmt.Errorf("ask agent: %s", r.Message)
}

// told is a known error in the agent's own words.
type told struct {
	message string
	known   error
}

// Error implements error.
func (t told) Error() string { return t.message }

// Unwrap gives the known error.
func (t told) Unwrap() error { return t.known }
