package connectors

import (
	"fmt"
	"time"
)

// Kind tells failures of a native call apart, as far as a driver can know without a definition.
type Kind string

// The kinds of failure.
const (
	Answered    Kind = "answered"    // the system answered with a fault of its own
	Unreachable Kind = "unreachable" // no connection could be opened
	Insecure    Kind = "insecure"    // the two sides found no encryption that both accept: no TLS, or a certificate that is not trusted
	Lost        Kind = "lost"        // the connection broke under way
	TimedOut    Kind = "timeout"     // the system did not answer in time
	Misused     Kind = "misused"     // the driver was given something it cannot send: a value of the wrong type
)

// Account tells what keeps a login out beside a wrong password.
type Account string

// The states of an account that keep it out.
const (
	Locked  Account = "locked"  // locked, disabled, or not allowed to log in from here: the password is not in question
	Expired Account = "expired" // the password must be changed first
)

// Failure is what went wrong in a native call. The engine turns it into a *fault.Error with the definition's error map,
// whose expressions see Source.
type Failure struct {
	Kind    Kind
	Status  string         // the system's own code: an SQLSTATE, an HTTP status
	Message string         // the system's own words
	Source  map[string]any // more of what it said, for the error map: {"sqlstate": "23505", "constraint": "po_no"}
	Account Account        // of a refused login, where the system says so
	Fields  []FieldFault   // what it said of single members of a write
	Sent    bool           // an effect may have reached the system
	After   time.Duration  // the system itself said to wait so long (Retry-After); 0: it did not
	Err     error          // the cause, for the log
}

// FieldFault is what a system says is wrong with one member of what it was sent.
type FieldFault struct {
	Name    string // the system's own: the engine looks for a column of that name
	Code    string
	Message string
}

// Misuse is a fault of whoever called the driver.
func Misuse(format string, args ...any) *Failure {
	err := fmt.Errorf(format, args...)
	return &Failure{Kind: Misused, Message: err.Error(), Source: map[string]any{}, Err: err}
}

// Error implements error: for logs.
func (f *Failure) Error() string {
	return fmt.Sprintf("%s: %s %s", f.Kind, f.Status, f.Message)
}

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Err }
