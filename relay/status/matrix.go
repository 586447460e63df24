package status

import (
	"maps"
	"slices"
	"time"

	"gantry/connectors/wire"
)

// matrix is what an agent told last of a connection, with times of the relay's clock. Its JSON is what the store keeps.
type matrix struct {
	Missing        bool                             `json:"missing,omitempty"` // the agent does not hold the connection
	System         system                           `json:"system,omitzero"`
	Login          login                            `json:"login,omitzero"`
	Circuit        circuit                          `json:"circuit,omitzero"`
	ThrottledUntil time.Time                        `json:"throttled_until,omitzero"`
	QuietUntil     time.Time                        `json:"quiet_until,omitzero"`
	Entities       map[string]map[string]*operation `json:"entities,omitempty"`
}

type system struct {
	State     wire.SystemState `json:"state,omitempty"`
	Version   string           `json:"version,omitempty"`
	Since     time.Time        `json:"since,omitzero"`
	Checked   time.Time        `json:"checked,omitzero"`
	NextProbe time.Time        `json:"next_probe,omitzero"`
	LastError *failure         `json:"last_error,omitempty"`
}

type login struct {
	State     wire.LoginState `json:"state,omitempty"`
	Since     time.Time       `json:"since,omitzero"`
	NextProbe time.Time       `json:"next_probe,omitzero"`
	LastError *failure        `json:"last_error,omitempty"`
}

type circuit struct {
	State wire.CircuitState `json:"state,omitempty"`
	Since time.Time         `json:"since,omitzero"`
	Retry time.Time         `json:"retry,omitzero"`
}

type operation struct {
	State       wire.OperationState `json:"state"`
	Since       time.Time           `json:"since,omitzero"`
	LastSuccess time.Time           `json:"last_success,omitzero"`
	Checked     time.Time           `json:"checked,omitzero"`
	NextProbe   time.Time           `json:"next_probe,omitzero"`
	LastError   *failure            `json:"last_error,omitempty"`
	Circuit     circuit             `json:"circuit,omitzero"`
}

type failure struct {
	Code      string    `json:"code"`
	Hop       string    `json:"hop,omitempty"`
	Scope     string    `json:"scope,omitempty"`
	Detail    string    `json:"detail,omitempty"`
	RequestID string    `json:"request_id,omitempty"`
	At        time.Time `json:"at,omitzero"`
}

// Bounds of what an agent tells of one connection.
const (
	maxEntities   = 100
	maxOperations = 50
	maxName       = 64  // characters
	maxDetail     = 300 // characters
)

// read makes a matrix of what an agent told at a time. Of what stayed the same since the one before, it keeps the times:
// an age that travelled differs by what the way took.
func read(h wire.Health, now time.Time, before *matrix) *matrix {
	if before == nil {
		before = &matrix{}
	}
	r := reader{now}
	m := &matrix{
		Missing:        h.Gone,
		System:         r.system(h.System, before.System),
		Login:          r.login(h.Login, before.Login),
		Circuit:        r.circuit(h.Circuit, before.Circuit),
		ThrottledUntil: steady(before.ThrottledUntil, wire.After(now, h.ThrottledForMS)),
		QuietUntil:     steady(before.QuietUntil, wire.After(now, h.QuietForMS)),
		Entities:       map[string]map[string]*operation{},
	}
	for _, entity := range first(h.Entities, maxEntities) {
		operations := map[string]*operation{}
		for _, name := range first(h.Entities[entity], maxOperations) {
			operations[name] = r.operation(h.Entities[entity][name], before.Entities[entity][name])
		}
		m.Entities[entity] = operations
	}
	return m
}

// first gives the first names of a map, sorted; names that are too long are left out.
func first[V any](of map[string]V, most int) []string {
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(of)), func(name string) bool { return len(name) > maxName || name == "" })
	return names[:min(len(names), most)]
}

// jitter is by how much a time may differ that was told as an age, twice.
const jitter = 5 * time.Second

// steady keeps the former time where the new one is the same within the jitter of the way.
func steady(before, now time.Time) time.Time {
	if !before.IsZero() && !now.IsZero() && now.Sub(before).Abs() <= jitter {
		return before
	}
	return now
}

type reader struct{ now time.Time }

func (r reader) ago(before time.Time, ms int64) time.Time {
	return steady(before, wire.Before(r.now, ms))
}

// since is steady while the state is the same: a new one is new, however soon it comes.
func (r reader) since(same bool, before time.Time, ms int64) time.Time {
	if !same {
		return wire.Before(r.now, ms)
	}
	return r.ago(before, ms)
}

func (r reader) system(h wire.SystemHealth, before system) system {
	s := system{
		State: h.State, Version: clip(h.Version, maxName), Checked: wire.Before(r.now, h.CheckedAgoMS),
		NextProbe: wire.After(r.now, h.NextProbeInMS), LastError: r.failure(h.LastError, before.LastError),
	}
	if s.State != wire.SystemReachable && s.State != wire.SystemUnreachable {
		s.State = wire.SystemUnknown
	}
	s.Since = r.since(s.State == before.State, before.Since, h.SinceAgoMS)
	if s.Version == "" {
		s.Version = before.Version
	}
	return s
}

func (r reader) login(h wire.LoginHealth, before login) login {
	l := login{State: h.State, NextProbe: wire.After(r.now, h.NextProbeInMS), LastError: r.failure(h.LastError, before.LastError)}
	if l.State != wire.LoginAccepted && l.State != wire.LoginRefused {
		l.State = wire.LoginUnknown
	}
	l.Since = r.since(l.State == before.State, before.Since, h.SinceAgoMS)
	return l
}

func (r reader) circuit(h wire.CircuitHealth, before circuit) circuit {
	c := circuit{State: h.State, Retry: wire.After(r.now, h.RetryInMS)}
	if c.State != wire.CircuitOpen && c.State != wire.CircuitHalfOpen {
		c.State = wire.CircuitClosed
	}
	c.Since = r.since(held(c) == held(before), before.Since, h.SinceAgoMS) // half-open counts from when it opened
	return c
}

// operation reads one cell. What an agent forgot with its restart, the relay still knows: when it last worked.
func (r reader) operation(h wire.OperationHealth, before *operation) *operation {
	if before == nil {
		before = &operation{}
	}
	o := &operation{
		State: h.State, LastSuccess: wire.Before(r.now, h.LastSuccessAgoMS),
		Checked: wire.Before(r.now, h.CheckedAgoMS), NextProbe: wire.After(r.now, h.NextProbeInMS),
		LastError: r.failure(h.LastError, before.LastError), Circuit: r.circuit(h.Circuit, before.Circuit),
	}
	if o.LastSuccess.IsZero() {
		o.LastSuccess = before.LastSuccess
	}
	switch o.State {
	case wire.OperationWorking, wire.OperationFailing, wire.OperationDenied:
	default:
		o.State = wire.OperationUnknown
	}
	o.Since = r.since(o.State == before.State, before.Since, h.SinceAgoMS)
	return o
}

func (r reader) failure(h *wire.HealthError, before *failure) *failure {
	if h == nil {
		return nil
	}
	f := &failure{
		Code: clip(h.Code, maxName), Hop: clip(h.Hop, maxName), Scope: clip(h.Scope, maxName), Detail: clip(h.Detail, maxDetail),
		RequestID: clip(h.RequestID, maxName), At: wire.Before(r.now, h.AgoMS),
	}
	if before != nil && before.RequestID == f.RequestID && before.Code == f.Code {
		f.At = steady(before.At, f.At)
	}
	return f
}

// clip bounds a foreign text, in characters.
func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
