package status

import (
	"slices"
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
	End          string    // why its last session ended; empty: unknown
}

// assess gives the verdict, by the precedence of the contract: what comes first hides what follows from it.
func assess(f facts) verdict {
	if f.matrix == nil {
		f.matrix = &matrix{}
	}
	v := f.state()
	if live := v.State != Pending && v.State != Disconnected; live {
		v.Reauth = f.refused()
	}
	return v
}

func (f *facts) state() verdict {
	m := f.matrix
	switch {
	case f.connection.State == store.Pending:
		return verdict{State: Pending, Since: f.connection.CreatedAt, Affects: Everything, Message: f.sayPending()}
	case f.connection.State == store.Disconnected:
		return verdict{State: Disconnected, Since: f.connection.DisconnectedAt, Affects: Everything, Message: f.sayDisconnected()}
	case f.connection.State == store.Paused:
		return verdict{State: Paused, Since: f.connection.PausedAt, Affects: Everything, Message: f.sayPaused()}
	case !f.agent.Connected:
		return verdict{State: AgentOffline, Since: f.agent.Seen, Affects: Everything, Message: f.sayAgentOffline()}
	case m.System.State == wire.SystemUnreachable:
		return verdict{State: SystemOffline, Since: m.System.Since, Affects: Everything, Message: f.saySystemOffline()}
	case m.Missing:
		return verdict{State: ReauthRequired, Affects: Everything, Message: f.sayMissing()}
	case f.refused():
		return verdict{State: ReauthRequired, Since: m.Login.Since, Affects: Everything, Message: f.sayRefused()}
	case m.ThrottledUntil.After(f.now):
		return verdict{State: Throttled, Affects: Everything, Message: f.sayThrottled()}
	case held(m.Circuit):
		return verdict{State: Degraded, Since: m.Circuit.Since, Affects: Everything, Message: f.sayHeld()}
	}
	return f.working()
}

// refused reports whether the login has to be given anew.
func (f *facts) refused() bool { return f.matrix.Missing || f.matrix.Login.State == wire.LoginRefused }

func held(c circuit) bool { return c.State == wire.CircuitOpen || c.State == wire.CircuitHalfOpen }

// working is a connection that can be used, wholly or in part.
func (f *facts) working() verdict {
	cells := cellsOf(f.matrix)
	bad := slices.DeleteFunc(slices.Clone(cells), func(c cell) bool { return !c.bad() })
	quiet := f.matrix.QuietUntil.After(f.now)
	if len(bad) == 0 {
		v := verdict{State: Active, Affects: Nothing, Message: f.sayActive(cells, quiet)}
		if quiet {
			v.Affects = Everything
		}
		return v
	}
	v := verdict{State: Degraded, Affects: SomeEntities, Message: f.sayDegraded(bad, cells, quiet)}
	if quiet || len(bad) == len(cells) && len(entitiesOf(bad)) > 1 {
		v.Affects = Everything
	}
	for _, c := range bad {
		if v.Since.IsZero() || c.Since.Before(v.Since) && !c.Since.IsZero() {
			v.Since = c.Since
		}
	}
	return v
}

// cell is one operation on one entity of which something is known.
type cell struct {
	entity, name string
	*operation
}

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
			if o := m.Entities[entity][name]; o.State != wire.OperationUnknown {
				all = append(all, cell{entity, name, o})
			}
		}
	}
	return all
}

func entitiesOf(cells []cell) []string {
	var all []string
	for _, c := range cells {
		all = append(all, c.entity)
	}
	return slices.Compact(all)
}
