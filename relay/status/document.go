package status

import (
	"cmp"
	"time"

	"gantry/connectors/wire"
)

// ConnectionStatus is the status of a connection as the API shows it. Times that are null never were, or are not to come.
type ConnectionStatus struct {
	State          State         `json:"state"`
	Since          *time.Time    `json:"since"`
	ReauthRequired bool          `json:"reauth_required"`
	Message        string        `json:"message"`
	Affects        Affects       `json:"affects"`
	Agent          AgentStatus   `json:"agent"`
	System         SystemStatus  `json:"system"`
	Circuit        CircuitStatus `json:"circuit"`
	ThrottledUntil *time.Time    `json:"throttled_until"`
	QuietUntil     *time.Time    `json:"quiet_until"`

	// Entities has each entity's operations and actions of which something is known.
	Entities map[string]map[string]OperationStatus `json:"entities"`
}

// AgentStatus is the agent's part, proved by a call to its own loop.
type AgentStatus struct {
	ID          string     `json:"id"`
	State       string     `json:"state"` // connected or offline
	RoundTripMS *float64   `json:"round_trip_ms"`
	LastSeenAt  *time.Time `json:"last_seen_at"`
}

// SystemStatus is the system's part, as of checked_at.
type SystemStatus struct {
	State       wire.SystemState `json:"state"`
	Since       *time.Time       `json:"since"`
	CheckedAt   *time.Time       `json:"checked_at"`
	NextProbeAt *time.Time       `json:"next_probe_at"`
	Version     *string          `json:"version"`
	LastError   *Evidence        `json:"last_error"`
}

// CircuitStatus is the breaker of the connection as a whole.
type CircuitStatus struct {
	State   wire.CircuitState `json:"state"`
	Since   *time.Time        `json:"since"`
	RetryAt *time.Time        `json:"retry_at"`
}

// OperationStatus is one operation on one entity, as of checked_at.
type OperationStatus struct {
	State         wire.OperationState `json:"state"`
	Since         *time.Time          `json:"since"`
	LastSuccessAt *time.Time          `json:"last_success_at"`
	LastError     *Evidence           `json:"last_error"`
	Circuit       wire.CircuitState   `json:"circuit"`
	CheckedAt     *time.Time          `json:"checked_at"`
	NextProbeAt   *time.Time          `json:"next_probe_at"`
}

// Evidence is the evidence of a failure. A request id is null where no call met it, but a check.
type Evidence struct {
	Code      string     `json:"code"`
	RequestID *string    `json:"request_id"`
	Hop       string     `json:"hop"`
	Detail    string     `json:"detail"`
	At        *time.Time `json:"at"`
}

// document shows a verdict with what it rests on.
func document(f facts, v verdict) ConnectionStatus {
	m := f.matrix
	if m == nil {
		m = &matrix{}
	}
	proved := f.agent.Connected // else nobody is there to probe
	d := ConnectionStatus{
		State: v.State, Since: moment(v.Since), ReauthRequired: v.Reauth, Message: v.Message, Affects: v.Affects,
		Agent: AgentStatus{ID: f.connection.AgentID, State: "offline", LastSeenAt: moment(f.agent.Seen)},
		System: SystemStatus{
			State: cmp.Or(m.System.State, wire.SystemUnknown), Since: moment(m.System.Since), CheckedAt: moment(m.System.Checked),
			NextProbeAt: due(m.System.NextProbe, proved), Version: text(m.System.Version), LastError: showError(m.System.LastError),
		},
		Circuit: CircuitStatus{
			State: cmp.Or(m.Circuit.State, wire.CircuitClosed), Since: moment(m.Circuit.Since), RetryAt: due(m.Circuit.Retry, proved),
		},
		ThrottledUntil: upcoming(m.ThrottledUntil, f.now),
		QuietUntil:     upcoming(m.QuietUntil, f.now),
		Entities:       map[string]map[string]OperationStatus{},
	}
	if f.agent.Connected {
		d.Agent.State = "connected"
		if f.agent.RoundTrip > 0 {
			ms := float64(f.agent.RoundTrip.Microseconds()) / 1000
			d.Agent.RoundTripMS = &ms
		}
	}
	for entity, operations := range m.Entities {
		shown := map[string]OperationStatus{}
		for name, o := range operations {
			shown[name] = OperationStatus{
				State: o.State, Since: moment(o.Since), LastSuccessAt: moment(o.LastSuccess), LastError: showError(o.LastError),
				Circuit: cmp.Or(o.Circuit.State, wire.CircuitClosed), CheckedAt: moment(o.Checked), NextProbeAt: due(o.NextProbe, proved),
			}
		}
		d.Entities[entity] = shown
	}
	return d
}

func showError(f *failure) *Evidence {
	if f == nil {
		return nil
	}
	return &Evidence{Code: f.Code, RequestID: text(f.RequestID), Hop: f.Hop, Detail: f.Detail, At: moment(f.At)}
}

// due shows when an agent is to do something; never, while no agent is there.
func due(t time.Time, agent bool) *time.Time {
	if !agent {
		return nil
	}
	return moment(t)
}

// upcoming shows a time that is still to come.
func upcoming(t, now time.Time) *time.Time {
	if !t.After(now) {
		return nil
	}
	return moment(t)
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Millisecond)
	return &t
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
