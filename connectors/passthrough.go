package connectors

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"gantry/tunnel/fault"
)

// Form is how a driver's systems take requests of their own.
type Form string

// The forms.
const (
	OverHTTP Form = "http" // a method, a path, and what goes with them
	ByMethod Form = "call" // the name of a method, and its parameters
)

// Passage is one request of a system's own, as a caller in the cloud wrote it and the plant's policy let it through. Package
// passage makes it, in its one canonical form. What is the connection's is not in it: its address, and its login.
type Passage struct {
	Form   Form
	Effect bool // it may change something

	Method string      // of HTTP
	Path   string      // from the connection's address on: /api/orders
	Query  url.Values  //
	Header http.Header // of those that may pass
	Body   []byte      // nil: none

	Call   string                     // a method's name
	Params []json.RawMessage          // by their place
	Named  map[string]json.RawMessage // by their name
}

// Passed is what the system answered, whatever its status.
type Passed struct {
	Status int
	Header http.Header
	Body   []byte
	Login  []string // what showed the system who asks, beside the credentials: it must not go on with the answer
}

// MaxPassed bounds an answer to a Passage, in bytes.
const MaxPassed = 4 << 20

// ErrTooLarge is the cause of a Failure to take an answer that is over a bound.
var ErrTooLarge = errors.New("the system's answer is larger than the connection takes")

// Passer is a Conn that passes a system's own requests on, with the connection's login, to the connection's address and no
// other. It follows no redirect. An answer with a status of refusal is an answer; it never makes the login count as refused.
// An error is also RefuseLogin or RefusePassage.
type Passer interface {
	Conn
	Pass(ctx context.Context, p Passage) (Passed, error)
}

// RefuseLogin is the refusal of a request by which the connection itself logs in: the answer would hold a login.
func RefuseLogin() *fault.Error {
	return fault.New(fault.PolicyDenied, "This is a request by which the connection itself logs in, and no policy lets it through.").
		Ended(fault.NotSent).Advise("Send the request that needs the login: Gantry adds it.")
}

// RefusePassage is the refusal of a request that the driver's systems do not take, or that nobody could judge.
func RefusePassage(member, why string) *fault.Error {
	return fault.New(fault.InvalidRequest, "This is no request that can be passed to this system.").Member(member, "INVALID", "%s", why).Ended(fault.NotSent)
}
