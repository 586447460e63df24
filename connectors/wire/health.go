package wire

import "time"

// Paths of what the agent knows of its connections.
const (
	// PathHealth is GET: 200 NDJSON without end. First one Health for each connection that the agent holds, then an empty
	// line `{}`; from then on the whole Health of a connection when it changed (at most once a second), and `{}` at
	// least every HealthBeat, which proves that the agent's loop still tells.
	PathHealth = "/v1/health"

	// PathResetCircuits is POST: 204. It closes the connection's circuits and forgets that its system asked for fewer
	// calls, or refused the login: the next call is made.
	PathResetCircuits = "/v1/connections/{c}/circuits/reset"
)

// HealthBeat is the longest silence of a stream of Health.
const HealthBeat = 10 * time.Second

// Health is what the agent knows of one connection, from the end of each call and from its own probes. A member named
// …_ago_ms is an age and one named …_in_ms or …_for_ms a wait, in milliseconds at the moment at which the line was
// written, at least 1; absent: it never happened, or is not to come.
type Health struct {
	Connection string `json:"connection,omitempty"` // its id; empty: a beat
	Gone       bool   `json:"gone,omitempty"`       // the agent no longer holds it; nothing else is told

	System  SystemHealth  `json:"system,omitzero"`
	Login   LoginHealth   `json:"login,omitzero"`
	Circuit CircuitHealth `json:"circuit,omitzero"` // of the connection as a whole

	ThrottledForMS int64 `json:"throttled_for_ms,omitempty"` // the system asked for fewer calls, and for so long
	QuietForMS     int64 `json:"quiet_for_ms,omitempty"`     // the plant's quiet hours last so long; neither calls nor probes are made

	Entities map[string]map[string]OperationHealth `json:"entities,omitempty"` // entity, then operation or action; only what was tried
}

// SystemHealth is whether the system answers.
type SystemHealth struct {
	State         SystemState  `json:"state"`
	Version       string       `json:"version,omitempty"` // what the system says of itself
	SinceAgoMS    int64        `json:"since_ago_ms,omitempty"`
	CheckedAgoMS  int64        `json:"checked_ago_ms,omitempty"` // last proof, by a call or a probe
	NextProbeInMS int64        `json:"next_probe_in_ms,omitempty"`
	LastError     *HealthError `json:"last_error,omitempty"` // why it is not reachable
}

// SystemState is whether the system answers.
type SystemState string

// The states of a system.
const (
	SystemUnknown     SystemState = "unknown"
	SystemReachable   SystemState = "reachable"
	SystemUnreachable SystemState = "unreachable"
)

// LoginHealth is whether the system takes the login.
type LoginHealth struct {
	State         LoginState   `json:"state"`
	SinceAgoMS    int64        `json:"since_ago_ms,omitempty"`
	NextProbeInMS int64        `json:"next_probe_in_ms,omitempty"` // of a refused login, which is not tried before
	LastError     *HealthError `json:"last_error,omitempty"`       // why it is refused
}

// LoginState is whether the system takes the login.
type LoginState string

// The states of a login.
const (
	LoginUnknown  LoginState = "unknown"
	LoginAccepted LoginState = "accepted"
	LoginRefused  LoginState = "refused"
)

// CircuitHealth is a circuit breaker.
type CircuitHealth struct {
	State      CircuitState `json:"state"`
	SinceAgoMS int64        `json:"since_ago_ms,omitempty"` // of an open or half-open one: when it first opened
	RetryInMS  int64        `json:"retry_in_ms,omitempty"`  // of an open one: until one call may try
}

// CircuitState is what a circuit breaker does with calls.
type CircuitState string

// The states of a circuit breaker.
const (
	CircuitClosed   CircuitState = "closed"    // calls pass
	CircuitOpen     CircuitState = "open"      // calls are answered CIRCUIT_OPEN
	CircuitHalfOpen CircuitState = "half_open" // one call tries, the others are answered CIRCUIT_OPEN
)

// OperationHealth is how one operation on one entity does.
type OperationHealth struct {
	State            OperationState `json:"state"`
	SinceAgoMS       int64          `json:"since_ago_ms,omitempty"` // of the state
	LastSuccessAgoMS int64          `json:"last_success_ago_ms,omitempty"`
	CheckedAgoMS     int64          `json:"checked_ago_ms,omitempty"` // last call or probe that proved the state
	NextProbeInMS    int64          `json:"next_probe_in_ms,omitempty"`
	LastError        *HealthError   `json:"last_error,omitempty"` // why it fails or is denied; kept when it works again
	Circuit          CircuitHealth  `json:"circuit,omitzero"`
}

// OperationState is how one operation on one entity does.
type OperationState string

// The states of an operation.
const (
	OperationUnknown OperationState = "unknown"
	OperationWorking OperationState = "working"
	OperationFailing OperationState = "failing"
	OperationDenied  OperationState = "denied" // the login lacks the right
)

// HealthError is a failure that a state rests on: a fault without what only its caller may see.
type HealthError struct {
	Code      string `json:"code"`
	Hop       string `json:"hop"`
	Scope     string `json:"scope"`
	Detail    string `json:"detail,omitempty"`
	RequestID string `json:"request_id,omitempty"` // of the call; empty: a probe met it
	AgoMS     int64  `json:"ago_ms"`
}

// Milliseconds gives a wait or an age as Health has it: at least 1, and 0 for none.
func Milliseconds(d time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	return max(d.Milliseconds(), 1)
}

// Ago gives the age of t at now, at least 1; 0 for the zero time.
func Ago(now, t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return max(now.Sub(t).Milliseconds(), 1)
}

// Before gives the time that lies so many milliseconds before now; the zero time for 0.
func Before(now time.Time, ms int64) time.Time {
	if ms <= 0 {
		return time.Time{}
	}
	return now.Add(-time.Duration(ms) * time.Millisecond)
}

// After gives the time that lies so many milliseconds after now; the zero time for 0.
func After(now time.Time, ms int64) time.Time {
	if ms <= 0 {
		return time.Time{}
	}
	return now.Add(time.Duration(ms) * time.Millisecond)
}
