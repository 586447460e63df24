package calls

import (
	"context"
	"sync"
	"time"

	"gantry/agent/health"
	"gantry/agent/policy"
	"gantry/agent/state"
	"gantry/connectors/definition"
	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// connection is one login and, once it was needed, its engine. An engine is closed when the connection is retired and
// the last call has left it.
type connection struct {
	row     state.Connection
	health  *health.Connection // outlives the connection's login
	limiter limiter
	life    context.Context // ends when the connection is retired
	end     context.CancelCauseFunc

	mu      sync.Mutex
	opening *opening // nil: not open, nobody opens
	calls   int
	retired bool
}

// opening is one try to open the engine.
type opening struct {
	done       chan struct{}
	engine     Engine
	definition *definition.Definition
	err        error
}

func newConnection(row state.Connection, h *health.Connection) *connection {
	c := &connection{row: row, health: h}
	c.life, c.end = context.WithCancelCause(context.Background())
	return c
}

// opened makes a connection whose engine is there already.
func opened(row state.Connection, h *health.Connection, engine Engine, d *definition.Definition) *connection {
	c := newConnection(row, h)
	c.opening = &opening{done: make(chan struct{}), engine: engine, definition: d}
	close(c.opening.done)
	return c
}

// who names the connection to the policy.
func (c *connection) who() policy.Connection {
	return policy.Connection{ID: c.row.ID, Name: c.row.Name, System: c.row.System}
}

// awake refuses what would ask the system in the plant's quiet hours.
func (c *connection) awake(p *policy.Policy) error {
	now := time.Now()
	until := p.Quiet(c.who(), now)
	c.health.Quiet(until)
	if until.IsZero() {
		return nil
	}
	return p.Hours(c.who(), now)
}

// lease is one call's hold on an engine.
type lease struct {
	Engine
	definition *definition.Definition
	permit     *health.Permit // of the call
	release    func()
}

// leave ends one call's hold.
func (c *connection) leave() {
	c.mu.Lock()
	c.calls--
	closing := c.idle()
	c.mu.Unlock()
	closeEngine(closing)
}

// retire cancels the calls of a connection, for a reason, and closes its engine after the last.
func (c *connection) retire(why error) {
	c.end(why)
	c.mu.Lock()
	c.retired = true
	closing := c.idle()
	c.mu.Unlock()
	closeEngine(closing)
}

// cut gives the reason of a call that was cancelled with its connection, in place of what the driver made of it.
func (c *connection) cut(err error) error {
	if err != nil && c.life.Err() != nil {
		return context.Cause(c.life)
	}
	return err
}

// idle takes the engine out when nobody needs it any more. The lock is held.
func (c *connection) idle() Engine {
	if !c.retired || c.calls > 0 || c.opening == nil {
		return nil
	}
	engine := c.opening.engine
	if engine != nil {
		c.opening = nil
	}
	return engine
}

func closeEngine(e Engine) {
	if e != nil {
		_ = guard(e.Close) // the logins end; there is nobody to tell
	}
}

// Use is what a connection does now, for people to read.
type Use struct {
	State     string // idle, open, failing or paused
	Calls     int    // under way
	LastError fault.Code
	Health    wire.Health
	Last      health.Calls
}

// Use tells how a connection is used. It is failing where what fails concerns the connection as a whole.
func (h *Handler) Use(id string) Use {
	use := Use{State: "idle"}
	if c := h.pool.known(id); c != nil {
		c.mu.Lock()
		use.Calls = c.calls
		if c.opening != nil {
			use.State = "open"
		}
		c.mu.Unlock()
	}
	paused := h.rest.pauses(id)
	if paused {
		use.State = "paused"
	}
	known := h.Health.Known(id)
	if known == nil {
		return use
	}
	use.Health, use.Last = known.Document(), known.Calls()
	if code := wholly(use.Health); code != "" && !paused {
		use.State, use.LastError = "failing", code
	}
	return use
}

// wholly gives the code of what keeps every call of a connection from its system.
func wholly(h wire.Health) fault.Code {
	switch {
	case h.Login.State == wire.LoginRefused:
		return fault.Code(h.Login.LastError.Code)
	case h.System.LastError != nil:
		return fault.Code(h.System.LastError.Code)
	case h.ThrottledForMS > 0:
		return fault.SystemRateLimited
	case h.Circuit.State != wire.CircuitClosed:
		return fault.CircuitOpen
	}
	return ""
}
