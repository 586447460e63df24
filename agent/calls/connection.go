package calls

import (
	"context"
	"net/http"
	"sync"
	"time"

	"gantry/agent/policy"
	"gantry/agent/state"
	"gantry/connectors/definition"
	"gantry/tunnel/fault"
)

// connection is one login and, once it was needed, its engine. An engine is closed when the connection is retired and
// the last call has left it.
type connection struct {
	row     state.Connection
	limiter limiter
	life    context.Context // ends when the connection is retired
	end     context.CancelCauseFunc

	mu      sync.Mutex
	opening *opening // nil: not open, nobody opens
	calls   int
	retired bool
	failure fault.Code // of the last call, where it concerns the connection as a whole
	last    outcomes

	refused refusal // of probes
}

// outcomes are the last ends of calls, whatever they concern.
type outcomes struct {
	success, failure time.Time
	fault            *fault.Error
}

// opening is one try to open the engine.
type opening struct {
	done       chan struct{}
	engine     Engine
	definition *definition.Definition
	err        error
}

func newConnection(row state.Connection) *connection {
	c := &connection{row: row}
	c.life, c.end = context.WithCancelCause(context.Background())
	return c
}

// opened makes a connection whose engine is there already.
func opened(row state.Connection, engine Engine, d *definition.Definition) *connection {
	c := newConnection(row)
	c.opening = &opening{done: make(chan struct{}), engine: engine, definition: d}
	close(c.opening.done)
	return c
}

// who names the connection to the policy.
func (c *connection) who() policy.Connection {
	return policy.Connection{ID: c.row.ID, Name: c.row.Name, System: c.row.System}
}

// lease is one call's hold on an engine.
type lease struct {
	Engine
	definition *definition.Definition
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
	State     string // idle, open or failing
	Calls     int    // under way
	LastError fault.Code

	LastSuccess time.Time    // of any call since the agent started; zero: none
	LastFailure time.Time    // of any call that failed for a reason which is not its caller's
	Failure     *fault.Error // the failure of then
}

// Use tells how a connection is used.
func (h *Handler) Use(id string) Use {
	c := h.pool.known(id)
	if c == nil {
		return Use{State: "idle"}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	use := Use{State: "open", Calls: c.calls, LastSuccess: c.last.success, LastFailure: c.last.failure, Failure: c.last.fault}
	switch {
	case c.failure != "":
		use.State, use.LastError = "failing", c.failure
	case c.opening == nil:
		use.State = "idle"
	}
	return use
}

// ended notes how the last call on the connection as a whole went; what concerns one record or entity says nothing of it.
func (c *connection) ended(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.failure, c.last.success = "", time.Now()
		return
	}
	f := fault.From(err, fault.HopAgent)
	if tells(f) {
		c.last.failure, c.last.fault = time.Now(), f
	}
	if f.Scope == fault.ScopeConnection && f.Code != fault.RateLimitExceeded && f.Code != fault.Overloaded {
		c.failure = f.Code
	}
}

// tells reports whether a failure says something of the road or the system, and not of its caller's request.
func tells(f *fault.Error) bool {
	switch f.Code {
	case fault.PolicyDenied, fault.PermissionDenied, fault.CredentialsExpired:
		return true
	}
	return f.Code.Spec().Status >= http.StatusInternalServerError
}
