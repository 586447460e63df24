package status

import (
	"time"

	"gantry/connectors/wire"
	"gantry/relay/hub"
	"gantry/relay/store"
)

// State is how a connection is, in one word.
type State string

// The states.
const (
	Pending        State = "pending"
	Active         State = "active"
	Degraded       State = "degraded"
	Throttled      State = "throttled"
	SystemOffline  State = "system_offline"
	AgentOffline   State = "agent_offline"
	ReauthRequired State = "reauth_required"
	Paused         State = "paused"
	Disconnected   State = "disconnected"
)

// States lists the states, from the one that goes before all others.
func States() []State {
	return []State{Pending, Disconnected, Paused, AgentOffline, SystemOffline, ReauthRequired, Throttled, Degraded, Active}
}

// level says how much it matters that a connection has come into the state.
func (s State) level() store.Level {
	switch s {
	case AgentOffline, SystemOffline, ReauthRequired:
		return store.LevelError
	case Degraded, Throttled:
		return store.LevelWarning
	}
	return store.LevelInfo
}

// Affects is how far a state reaches.
type Affects string

// What a state affects.
const (
	Nothing      Affects = "nothing"
	SomeEntities Affects = "some_entities"
	Everything   Affects = "everything"
)

// verdict is how a connection is.
type verdict struct {
	State   State
	Since   time.Time // as the evidence has it; zero: from when it was noticed
	Reauth  bool      // a new login is needed, whatever the state
	Affects Affects
	Message string
}

// facts are what a verdict rests on.
type facts struct {
	connection store.Connection
	agent      agentFacts
	matrix     *matrix // nil: the agent has told nothing yet
	now        time.Time
}

// agentFacts are what the relay knows of a connection's agent.
type agentFacts struct {
	hub.Presence           // now
	Host         string    // empty: unknown
	Seen         time.Time // last sign of life
	Revoked      time.Time // zero: it was not
	End          string    // why its last session ended; empty: unknown
}

// judge gives the verdict, by the precedence of the contract: what comes first hides what follows from it. The sentence is
// left out: facts.say makes it where it is read.
func judge(f *facts) verdict {
	if f.matrix == nil {
		f.matrix = &matrix{}
	}
	v := f.state()
	if v.State != Pending && v.State != Disconnected {
		v.Reauth = f.refused()
	}
	return v
}

func (f *facts) state() verdict {
	m := f.matrix
	switch {
	case f.connection.State == store.Pending:
		return verdict{State: Pending, Since: f.connection.CreatedAt, Affects: Everything}
	case f.connection.State == store.Disconnected:
		return verdict{State: Disconnected, Since: f.connection.DisconnectedAt, Affects: Everything}
	case f.connection.State == store.Paused:
		return verdict{State: Paused, Since: f.connection.PausedAt, Affects: Everything}
	case !f.agent.Revoked.IsZero():
		return verdict{State: AgentOffline, Since: f.agent.Revoked, Affects: Everything}
	case !f.agent.Connected:
		return verdict{State: AgentOffline, Since: f.agent.Seen, Affects: Everything}
	case m.System.State == wire.SystemUnreachable:
		return verdict{State: SystemOffline, Since: m.System.Since, Affects: Everything}
	case m.Missing:
		return verdict{State: ReauthRequired, Affects: Everything}
	case f.refused():
		return verdict{State: ReauthRequired, Since: m.Login.Since, Affects: Everything}
	case m.ThrottledUntil.After(f.now):
		return verdict{State: Throttled, Affects: Everything}
	case held(m.Circuit):
		return verdict{State: Degraded, Since: m.Circuit.Since, Affects: Everything}
	}
	return f.working()
}

// refused reports whether the login has to be given anew.
func (f *facts) refused() bool {
	return f.matrix.Missing || f.matrix.Login.State == wire.LoginRefused || !f.agent.Revoked.IsZero()
}

func held(c circuit) bool { return c.State == wire.CircuitOpen || c.State == wire.CircuitHalfOpen }

// quiet reports whether the plant's quiet hours last.
func (f *facts) quiet() bool { return f.matrix.QuietUntil.After(f.now) }

// working is a connection that can be used, wholly or in part.
func (f *facts) working() verdict {
	known, bad, entities := 0, 0, 0
	v := verdict{State: Active, Affects: Nothing}
	for entity, operations := range f.matrix.Entities {
		before := bad
		for name, o := range operations {
			c := cell{entity, name, o}
			if c.known() {
				known++
			}
			if !c.bad() {
				continue
			}
			bad++
			v.Since = earlier(v.Since, c.Since)
		}
		if bad > before {
			entities++
		}
	}
	if bad > 0 {
		v.State, v.Affects = Degraded, SomeEntities
	}
	if f.quiet() || bad == known && entities > 1 {
		v.Affects = Everything
	}
	return v
}

// earlier gives the earlier of two times, of which the zero time is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// cell is one operation on one entity of which something is known.
type cell struct {
	entity, name string
	*operation
}

// known reports whether anything is known of the cell.
func (c cell) known() bool { return c.State != wire.OperationUnknown }

// bad reports whether the cell takes something away from the connection. A right that the login never had does not: that
// is what capabilities tell.
func (c cell) bad() bool { return c.State == wire.OperationFailing || c.lost() }

// lost is a right that the login had once.
func (c cell) lost() bool { return c.State == wire.OperationDenied && !c.LastSuccess.IsZero() }

// cellsOf lists the cells of which something is known, sorted by entity and operation.
func cellsOf(m *matrix) []cell {
	var all []cell
	for _, entity := range first(m.Entities, maxEntities) {
		for _, name := range first(m.Entities[entity], maxOperations) {
			if c := (cell{entity, name, m.Entities[entity][name]}); c.known() {
				all = append(all, c)
			}
		}
	}
	return all
}
