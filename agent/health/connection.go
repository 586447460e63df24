package health

import (
	"sync"
	"time"

	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// widely is how many operations must time out, with no answer between, before the connection as a whole is in doubt.
const widely = 3

// Place is an operation on an entity. The zero Place is the connection as a whole.
type Place struct{ Entity, Operation string }

// Connection is the health of one connection.
type Connection struct {
	book *Book
	id   string

	mu       sync.Mutex
	revision uint64 // grows when a state changes
	touches  uint64 // grows when a proof is renewed

	system   system
	login    login
	circuit  circuit
	throttle throttle
	quiet    time.Time // end of the plant's quiet hours; past: none
	cells    map[Place]*cell
	silent   map[Place]bool // timed out since the system last answered

	probe   schedule
	success time.Time    // of the last call
	failure time.Time    // of the last one that failed, where that is not its caller's matter
	failed  *fault.Error // of then
}

// system is whether the system answers.
type system struct {
	state          wire.SystemState
	version        string
	since, checked time.Time
	err            *told
	doubt          bool // a connection broke: the next probe comes soon
}

// throttle is the system's wish for fewer calls.
type throttle struct {
	until time.Time
	cause *fault.Error
}

// cell is one operation on one entity.
type cell struct {
	state                   wire.OperationState
	since, success, checked time.Time
	err                     *told
	circuit                 circuit
	probe                   pace
}

// told is a failure on which a state rests.
type told struct {
	error wire.HealthError
	at    time.Time
}

func newTold(now time.Time, f *fault.Error, requestID string) *told {
	return &told{at: now, error: wire.HealthError{
		Code: string(f.Code), Hop: string(f.Hop), Scope: string(f.Scope), Detail: f.Detail, RequestID: requestID,
	}}
}

func newConnection(b *Book, id string) *Connection {
	now := time.Now()
	return &Connection{
		book: b, id: id, cells: make(map[Place]*cell), silent: make(map[Place]bool), probe: first(now),
		system: system{state: wire.SystemUnknown, since: now}, login: login{state: wire.LoginUnknown, since: now},
	}
}

// ID is the connection's id.
func (c *Connection) ID() string { return c.id }

// maxCells bounds the operations that are remembered of a connection: their names come from the relay.
const maxCells = 1024

// cell gives the cell of a place, which begins here if it is not known yet. The lock is held.
func (c *Connection) cell(p Place) *cell {
	known := c.cells[p]
	if known == nil {
		known = &cell{state: wire.OperationUnknown, since: time.Now()}
		if len(c.cells) < maxCells {
			c.cells[p] = known
		}
	}
	return known
}

// Permit is one call's leave to reach for the system. Ended must follow.
type Permit struct {
	c         *Connection
	place     Place
	requestID string
	began     time.Time
	trial     trial
	mute      bool
}

// Mute says that the end of the call tells nothing of the system, whatever it is.
func (p *Permit) Mute() { p.mute = true }

// trial says of what a call is the one try.
type trial struct{ connection, operation, login bool }

// Admit asks for a call's leave to reach for the system; requestID is empty for a probe. The error is a *fault.Error
// CIRCUIT_OPEN, SYSTEM_RATE_LIMITED or CREDENTIALS_EXPIRED of outcome not_sent, which says why and for how long.
func (c *Connection) Admit(p Place, requestID string) (Permit, error) {
	now := time.Now()
	permit := Permit{c: c, place: p, requestID: requestID, began: now}
	c.mu.Lock()
	n := news{c: c, now: now}
	f := c.admit(&n, &permit)
	c.mu.Unlock()
	n.tell()
	if f != nil {
		return Permit{}, f
	}
	return permit, nil
}

// admit asks what holds calls back, the widest first. The lock is held.
func (c *Connection) admit(n *news, p *Permit) *fault.Error {
	now := n.now
	if wait := until(now, c.throttle.until); wait > 0 {
		return c.throttle.cause.Clone().Ended(fault.NotSent).After(wait)
	}
	if f := c.login.admit(now, &p.trial); f != nil {
		return f
	}
	admitted, trial, m := c.circuit.admit()
	n.moved(Place{}, &c.circuit, m)
	if !admitted {
		p.abandon(n)
		return held(now, &c.circuit, fault.ScopeConnection, "this connection")
	}
	p.trial.connection = trial
	cell := c.cells[p.place]
	if cell == nil { // the connection as a whole, or never tried
		return nil
	}
	admitted, trial, m = cell.circuit.admit()
	n.moved(p.place, &cell.circuit, m)
	if !admitted {
		p.abandon(n)
		return held(now, &cell.circuit, fault.ScopeOperation, p.place.Operation+" of "+p.place.Entity).In(p.place.Entity, p.place.Operation, "")
	}
	p.trial.operation = trial
	return nil
}

// abandon gives the tries back of a call that is not made. The lock is held.
func (p *Permit) abandon(n *news) {
	if p.trial == (trial{}) {
		return
	}
	p.c.circuit.inconclusive(p.trial.connection)
	p.c.login.inconclusive(n.now, p.trial.login)
	if cell := p.c.cells[p.place]; cell != nil {
		cell.circuit.inconclusive(p.trial.operation)
	}
	p.trial = trial{}
	p.c.revision++
	n.changed = true
}

// held is the answer to a call that an open circuit holds back.
func held(now time.Time, c *circuit, scope fault.Scope, what string) *fault.Error {
	f := fault.New(fault.CircuitOpen, "Calls of %s have been held back for the last %s, because it failed again and again: %s", what, age(now, c.since), c.cause.Detail).
		At(fault.HopAgent).Reaches(scope).Ended(fault.NotSent).After(max(c.wait(), againDelay))
	return f.Advise("Wait as Retry-After says; then one call tries whether the system answers. %s", c.cause.Advice)
}

// age writes for how long something has been, in whole seconds.
func age(now, since time.Time) string {
	return max(now.Sub(since).Round(time.Second), time.Second).String()
}
