package health

import (
	"errors"
	"time"

	"gantry/connectors"
	"gantry/tunnel/fault"
)

// patience is what a system has at least before a call that ran out of its caller's time counts against it. A time limit
// of the definition, or of the system itself, always counts.
const patience = 5 * time.Second

// meaning is what the end of a call says of the system.
type meaning int

const (
	nothing     meaning = iota // the caller's own matter, the plant's policy, or a full agent
	success                    // it did what was asked
	refusedByIt                // it answered, and refused by its own rules: a locked record, a duplicate
	faulty                     // it answered with a fault, or the definition does not fit it
	denied                     // the login lacks the right
	loginOut                   // it does not take the login
	throttled                  // it asks for fewer calls
	timedOut                   // it did not answer in its time
	unreachable                // no connection could be opened, or it broke
)

// means classifies the end of a call on which the system had so much time.
func means(err error, took time.Duration) (meaning, *fault.Error) {
	if err == nil {
		return success, nil
	}
	f := fault.From(err, fault.HopAgent)
	switch f.Code {
	case fault.SystemUnreachable:
		return unreachable, f
	case fault.SystemTimeout:
		if native, ok := errors.AsType[*connectors.Failure](err); took >= patience || ok && native.Kind != connectors.Misused {
			return timedOut, f
		}
		return nothing, f
	case fault.SystemRateLimited:
		return throttled, f
	case fault.CredentialsExpired:
		return loginOut, f
	case fault.PermissionDenied:
		return denied, f
	case fault.SystemError, fault.Internal:
		return faulty, f
	case fault.NotFound, fault.RowLimit:
		switch {
		case f.Hop == fault.HopAgent: // the agent has no such definition
			return faulty, f
		case f.Scope == fault.ScopeEntity: // the definition has no such entity
			return nothing, f
		}
		return refusedByIt, f
	}
	if f.Hop == fault.HopSystem {
		return refusedByIt, f
	}
	return nothing, f
}

// counted is the cause of a failure that the circuit has counted already, where it happened: every call that waited for
// one dial, or for one opening of a login, meets the same failure.
type counted struct{ cause error }

func (c *counted) Error() string {
	if c.cause == nil {
		return "counted where it happened"
	}
	return c.cause.Error()
}

func (c *counted) Unwrap() error { return c.cause }

// shared marks a failure that many calls share as one.
func shared(err error) error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Clone().Because(&counted{errors.Unwrap(f)})
	}
	return err
}

func isCounted(err error) bool {
	_, ok := errors.AsType[*counted](err)
	return ok
}
