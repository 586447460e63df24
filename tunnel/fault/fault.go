// Package fault is the error taxonomy of Gantry: one type from the plant's system up to the cloud caller.
//
// An *Error says what went wrong (Code), which part of the road failed (Hop), how far the trouble reaches (Scope),
// whether a write happened (Outcome) and what to do (Advice). It is made once, where the knowledge is; everything
// above passes it on, adding only what it alone knows (a request id, a connection id). The cause is for the log of
// the process that made the error: it is never serialised.
//
// The package imports nothing but the standard library, and it never looks into an error's text.
package fault

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Hop is the part of the road that failed.
type Hop string

// The hops, in the order in which a call meets them.
const (
	HopClient  Hop = "client"  // the caller's request itself
	HopRelay   Hop = "relay"   // the relay in the cloud
	HopTunnel  Hop = "tunnel"  // between relay and agent
	HopAgent   Hop = "agent"   // the agent at the site
	HopPolicy  Hop = "policy"  // the plant's own policy said no
	HopNetwork Hop = "network" // between agent and system
	HopSystem  Hop = "system"  // the plant's system
)

// Hops lists the hops.
func Hops() []Hop {
	return []Hop{HopClient, HopRelay, HopTunnel, HopAgent, HopPolicy, HopNetwork, HopSystem}
}

// Scope is how far the trouble reaches.
type Scope string

// The scopes, widest first.
const (
	ScopeOrganisation Scope = "organisation"
	ScopeSite         Scope = "site"
	ScopeConnection   Scope = "connection"
	ScopeEntity       Scope = "entity"
	ScopeOperation    Scope = "operation"
	ScopeRecord       Scope = "record"
)

// Scopes lists the scopes.
func Scopes() []Scope {
	return []Scope{ScopeOrganisation, ScopeSite, ScopeConnection, ScopeEntity, ScopeOperation, ScopeRecord}
}

// Outcome says whether a write happened. It is empty on a read.
type Outcome string

// The outcomes of a write that failed.
const (
	NotSent  Outcome = "not_sent" // it never reached the system: safe to send again
	Rejected Outcome = "rejected" // the system, or a rule of it, refused it: nothing changed
	Unknown  Outcome = "unknown"  // it may have happened: look before you retry
	Done     Outcome = "done"     // it happened, and something after it failed
)

// Outcomes lists the outcomes.
func Outcomes() []Outcome { return []Outcome{NotSent, Rejected, Unknown, Done} }

// Field is one fault of one member of a request.
type Field struct {
	Name    string `json:"name"`
	Code    string `json:"code"` // NOT_UPDATABLE, REQUIRED, INVALID, UNKNOWN, TOO_LONG …
	Message string `json:"message"`
}

// Source is what the plant's system itself said.
type Source struct {
	Status  string `json:"status,omitempty"` // its own code: an SQLSTATE, a fault code, an HTTP status
	Message string `json:"message,omitempty"`
}

// Error is a failure with everything its reader needs. The zero value is not useful: start with New.
type Error struct {
	Code       Code
	Detail     string // a sentence for people; holds no secret
	Hop        Hop
	Scope      Scope
	Outcome    Outcome
	Advice     string
	Retryable  bool
	RetryAfter time.Duration // 0: none
	Fields     []Field
	Source     *Source
	Allow      []string // methods or operations that would be allowed (405)

	RequestID    string
	ConnectionID string
	AgentID      string
	Entity       string
	Operation    string
	RecordID     string

	cause error
}

// New makes an error of a code with the code's usual hop, scope and advice; format and args are the detail.
func New(code Code, format string, args ...any) *Error {
	spec := code.Spec()
	return &Error{
		Code: code, Detail: fmt.Sprintf(format, args...),
		Hop: spec.Hop, Scope: spec.Scope, Advice: spec.Advice, Retryable: spec.Retryable, RetryAfter: spec.RetryAfter,
	}
}

// Error implements error: for logs, not for callers.
func (e *Error) Error() string {
	s := fmt.Sprintf("%s at %s: %s", e.Code, e.Hop, e.Detail)
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Unwrap gives the cause, which stays in the process.
func (e *Error) Unwrap() error { return e.cause }

// Because keeps the cause for the log.
func (e *Error) Because(cause error) *Error { e.cause = cause; return e }

// At sets the hop that failed.
func (e *Error) At(h Hop) *Error { e.Hop = h; return e }

// Reaches sets the scope.
func (e *Error) Reaches(s Scope) *Error { e.Scope = s; return e }

// Ended sets what became of the write. An unknown outcome is never blindly retryable.
func (e *Error) Ended(o Outcome) *Error {
	e.Outcome = o
	if o == Unknown || o == Done {
		e.Retryable = false
	}
	return e
}

// Advise replaces the usual advice.
func (e *Error) Advise(format string, args ...any) *Error {
	e.Advice = fmt.Sprintf(format, args...)
	return e
}

// After sets how long to wait before the next try, and makes the error retryable.
func (e *Error) After(d time.Duration) *Error { e.RetryAfter, e.Retryable = d, true; return e }

// In names the entity, the operation and, where there is one, the record.
func (e *Error) In(entity, operation, record string) *Error {
	e.Entity, e.Operation, e.RecordID = entity, operation, record
	return e
}

// Member adds the fault of one member of the request.
func (e *Error) Member(name, code, format string, args ...any) *Error {
	e.Fields = append(e.Fields, Field{Name: name, Code: code, Message: fmt.Sprintf(format, args...)})
	return e
}

// Said keeps the system's own code and message, cut to a bounded length.
func (e *Error) Said(status, message string) *Error {
	e.Source = &Source{Status: cut(status, 64), Message: cut(message, 512)}
	return e
}

// Permits lists what would have been allowed instead (the Allow header of a 405).
func (e *Error) Permits(names ...string) *Error { e.Allow = names; return e }

// Clone copies the error, so that a shared one can be completed for one call.
func (e *Error) Clone() *Error {
	c := *e
	return &c
}

// From finds the *Error in err, or makes one: a context's end becomes a timeout or a cancellation at hop,
// anything else is INTERNAL at hop. A nil err gives nil.
func From(err error, hop Hop) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return New(SystemTimeout, "The call did not finish within its time.").At(hop).Because(err)
	case errors.Is(err, context.Canceled):
		return New(Cancelled, "The caller went away before the answer.").Because(err)
	}
	return New(Internal, "An unexpected fault at the %s.", hop).At(hop).Because(err)
}

// Is reports whether err is, or wraps, an *Error of the code.
func Is(err error, code Code) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code == code
}

// cut bounds a foreign text without splitting a rune.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && s[limit]&0xC0 == 0x80 {
		limit--
	}
	return s[:limit] + "…"
}
