package agent

import (
	"cmp"
	"context"
	"slices"
	"time"

	"gantry/agent/calls"
	"gantry/agent/control"
	"gantry/agent/state"
	"gantry/connectors/wire"
)

// Connections implements control.Source.
func (a *Agent) Connections(ctx context.Context) ([]control.Connection, error) {
	r := a.running.Load()
	if r == nil {
		return nil, nil
	}
	rows, err := r.db.Connections(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]control.Connection, len(rows))
	for i, row := range rows {
		all[i] = connectionStatus(row, r.handler.Use(row.ID))
	}
	return all, nil
}

// ResetCircuits implements control.Source.
func (a *Agent) ResetCircuits(ctx context.Context, idOrName string) (control.Connection, error) {
	r := a.running.Load()
	if r == nil {
		return control.Connection{}, state.ErrNotEnrolled
	}
	id, err := r.handler.Find(ctx, idOrName)
	if err != nil {
		return control.Connection{}, err
	}
	if err := r.handler.ResetCircuits(ctx, id); err != nil {
		return control.Connection{}, err
	}
	row, err := r.db.Connection(ctx, id)
	return connectionStatus(row, r.handler.Use(id)), err
}

// Discover implements control.Source.
func (a *Agent) Discover(ctx context.Context, idOrName, entity string) (control.Discovered, error) {
	r := a.running.Load()
	if r == nil {
		return control.Discovered{}, state.ErrNotEnrolled
	}
	id, err := r.handler.Find(ctx, idOrName)
	if err != nil {
		return control.Discovered{}, err
	}
	row, err := r.db.Connection(ctx, id)
	if err != nil {
		return control.Discovered{}, err
	}
	found, err := r.handler.Discover(ctx, "", id, entity)
	return control.Discovered{Connection: id, System: row.System, Entities: found.Entities}, err
}

func connectionStatus(row state.Connection, use calls.Use) control.Connection {
	c := control.Connection{
		ID: row.ID, Name: row.Name, System: row.System, OpenedAt: row.OpenedAt,
		State: use.State, InFlight: use.Calls, LastError: string(use.LastError),
		Circuit: circuit(use.Health.Circuit), Operations: troubled(use.Health),
	}
	var ms int64
	if c.Held, ms = held(use.Health); c.Held != "" {
		c.HeldUntil = wire.After(time.Now(), ms)
	}
	return c
}

// held says why no call reaches the system, and for how many milliseconds; the widest reason first.
func held(h wire.Health) (why string, ms int64) {
	switch {
	case h.QuietForMS > 0:
		return "quiet_hours", h.QuietForMS
	case h.ThrottledForMS > 0:
		return "throttled", h.ThrottledForMS
	case h.Login.NextProbeInMS > 0:
		return "login", h.Login.NextProbeInMS
	case circuit(h.Circuit) != "":
		return "circuit", h.Circuit.RetryInMS
	}
	return "", 0
}

// circuit is the state of a circuit that is not closed.
func circuit(c wire.CircuitHealth) string {
	if c.State == wire.CircuitClosed {
		return ""
	}
	return string(c.State)
}

// troubled lists the operations that do not work.
func troubled(h wire.Health) []control.Operation {
	var all []control.Operation
	for entity, operations := range h.Entities {
		for name, o := range operations {
			if o.State != wire.OperationFailing && o.State != wire.OperationDenied {
				continue
			}
			one := control.Operation{Entity: entity, Operation: name, State: string(o.State), Circuit: circuit(o.Circuit)}
			if o.LastError != nil {
				one.LastError = o.LastError.Code
			}
			all = append(all, one)
		}
	}
	slices.SortFunc(all, func(a, b control.Operation) int {
		return cmp.Or(cmp.Compare(a.Entity, b.Entity), cmp.Compare(a.Operation, b.Operation))
	})
	return all
}
