package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"gantry/connectors"
	"gantry/connectors/definition"
	"gantry/tunnel/fault"
)

// place is where a failure happened, for the names in its fault.
type place struct{ entity, operation, record string }

// in names the place on an error.
func (p place) in(e *fault.Error) *fault.Error { return e.In(p.entity, p.operation, p.record) }

func internal(cause error) *fault.Error {
	return fault.New(fault.Internal, "The agent could not run the definition.").At(fault.HopAgent).Because(cause)
}

func invalidLogin(field string, cause error) *fault.Error {
	return fault.New(fault.ValidationFailed, "The login's time zone is none that exists.").Reaches(fault.ScopeConnection).
		Advise("Use a name of the IANA database, such as Europe/Berlin.").Because(fmt.Errorf("field %s: %w", field, cause))
}

// fault turns what a driver returned into the one error that callers see: the definition's error map first, then what
// the kind of failure says.
func (e *Engine) fault(ctx context.Context, at place, err error) *fault.Error {
	if known, ok := errors.AsType[*fault.Error](err); ok {
		return at.in(known.Clone())
	}
	if cause := ctx.Err(); errors.Is(cause, context.Canceled) {
		return at.in(fault.From(cause, fault.HopSystem).Because(err))
	}
	failure, ok := errors.AsType[*connectors.Failure](err)
	if !ok {
		f := fault.From(err, fault.HopSystem)
		if f.Code == fault.Internal {
			f.At(fault.HopAgent)
		}
		return at.in(f)
	}
	f := e.mapped(ctx, at, failure)
	if f == nil {
		f = byKind(failure)
	}
	if f.Code == fault.SystemError && failure.Kind == connectors.Answered {
		f = cmp.Or(e.vanished(ctx, at), f)
	}
	for _, one := range failure.Fields {
		f.Member(e.fieldOf(at.entity, one.Name), string(f.Code), "%s", cmp.Or(one.Message, one.Code))
	}
	f.Because(err)
	if failure.After > 0 {
		f.After(failure.After)
	}
	if failure.Status != "" || failure.Message != "" {
		f.Said(failure.Status, failure.Message)
	}
	at.in(e.tables[at.entity].unlisted(f))
	e.denials.note(at, f)
	return f
}

// mapped applies the definition's error map; nil: no rule holds.
func (e *Engine) mapped(ctx context.Context, at place, failure *connectors.Failure) *fault.Error {
	if failure.Kind == connectors.Misused {
		return nil
	}
	source := maps.Clone(failure.Source)
	if source == nil {
		source = map[string]any{}
	}
	source["kind"], source["status"], source["message"] = string(failure.Kind), failure.Status, failure.Message
	scope := definition.Scope{"source": source, "login": e.login}
	clean := context.WithoutCancel(ctx) // the call may be over; what it ended with is still to be said
	i := slices.IndexFunc(e.program.Errors, func(m *definition.Mapping) bool {
		holds, err := m.When.Holds(clean, scope) // an error is a member that this failure does not have: no match
		return err == nil && holds
	})
	if i < 0 {
		return nil
	}
	return e.byRule(clean, at, e.program.Errors[i], scope)
}

func (e *Engine) byRule(ctx context.Context, at place, m *definition.Mapping, scope definition.Scope) *fault.Error {
	f := fault.New(m.Code, "%s", words(ctx, m.Message, scope, m.Code.Spec().Title+"."))
	f.Advice = words(ctx, m.Advice, scope, f.Advice)
	switch f.Hop {
	case fault.HopClient, fault.HopRelay, fault.HopAgent:
		f.At(fault.HopSystem) // the system said it
	}
	if m.Hop != "" {
		f.At(m.Hop)
	}
	if m.Scope != "" {
		f.Reaches(m.Scope)
	}
	if m.Retryable != nil {
		f.Retryable = *m.Retryable
	}
	if m.RetryAfter > 0 {
		f.After(m.RetryAfter.Std())
	}
	if field := words(ctx, m.Field, scope, ""); field != "" {
		f.Member(e.fieldOf(at.entity, field), string(m.Code), "%s", f.Detail)
	}
	return f
}

func words(ctx context.Context, t *definition.Template, scope definition.Scope, fallback string) string {
	if t == nil {
		return fallback
	}
	v, err := t.Value(ctx, scope)
	if s := text(v); err == nil && s != "" {
		return s
	}
	return fallback
}

// fieldOf gives the canonical name of a native column, where one field alone comes from it.
func (e *Engine) fieldOf(entity, column string) string {
	if t := e.tables[entity]; t != nil {
		for _, c := range slices.Concat(t.columns, t.custom) {
			if c.From == column {
				return c.path
			}
		}
	}
	return column
}

// byKind says what a failure means where no rule of the definition does.
func byKind(failure *connectors.Failure) *fault.Error {
	switch failure.Kind {
	case connectors.Unreachable:
		return fault.New(fault.SystemUnreachable, "The agent could not open a connection to the system.")
	case connectors.Insecure:
		return fault.New(fault.SystemUnreachable, "The agent could not open an encrypted connection to the system.").
			Advise("See `source` for the reason: give the system a certificate that the agent's host trusts, name its authority with the login's `ca`, or choose another `tls`.")
	case connectors.Lost:
		return fault.New(fault.SystemUnreachable, "The connection to the system broke during the call.").After(time.Second)
	case connectors.TimedOut:
		return fault.New(fault.SystemTimeout, "The system did not finish within the call's time.")
	case connectors.Misused:
		return fault.New(fault.ValidationFailed, "A value cannot be sent to the system in the form that it has.").At(fault.HopAgent)
	}
	return fault.New(fault.SystemError, "The system answered with a fault that its definition does not explain.")
}
