package calls

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"gantry/agent/dial"
	"gantry/agent/health"
	"gantry/agent/policy"
	"gantry/connectors/definition"
	"gantry/tunnel/fault"
)

// Probe is one look at a connection that goes the way of its calls: the definition, the plant's policy, a login of its own
// through the agent's one dialer, and a cheap read of each entity within the connection's limits. It makes no call that
// the connection may not make anyway. Its methods are called in that order, and Close at the end.
type Probe struct {
	handler    *Handler
	connection *connection
	policy     *policy.Policy
	definition *definition.Definition

	mu     sync.Mutex
	engine Engine
	closed bool
}

// Probe finds a connection that the agent holds.
func (h *Handler) Probe(ctx context.Context, id string) (*Probe, error) {
	c, err := h.pool.find(ctx, id)
	if err != nil {
		return nil, err
	}
	return &Probe{handler: h, connection: c, policy: h.Policy.Current()}, nil
}

// Use tells how the connection's calls do.
func (p *Probe) Use() Use { return p.handler.Use(p.connection.row.ID) }

// Rests tells whether the connection is paused: nobody is to ask its system then.
func (p *Probe) Rests() bool { return p.handler.rest.pauses(p.connection.row.ID) }

// Definition tells whether the agent can run the connection's system: its definition is there, sound, and its driver too.
func (p *Probe) Definition() (err error) {
	p.definition, err = p.handler.definition(p.connection.row.System)
	return err
}

// Allowed asks the plant's policy about the system as such, and about the hour.
func (p *Probe) Allowed() error {
	return cmp.Or(p.policy.System(p.connection.who()), p.connection.awake(p.policy))
}

// NotTried is a login that was refused a moment ago: another try could lock the account.
type NotTried struct {
	Ago   time.Duration
	cause error
}

// Error implements error.
func (n *NotTried) Error() string { return n.cause.Error() }

// Unwrap gives the refusal.
func (n *NotTried) Unwrap() error { return n.cause }

// Try logs in, once. The trace sees what the dialer meets; the version is what the system says of itself.
func (p *Probe) Try(ctx context.Context, trace *dial.Trace) (version string, err error) {
	if ago, refusal := p.connection.health.Refused(); refusal != nil {
		return "", &NotTried{ago, refusal}
	}
	err = guard(func() error {
		ctx := dial.WithTrace(health.ForPerson(ctx), trace)
		engine, _, err := p.handler.reopen(ctx, p.connection.row)
		if err != nil {
			return err
		}
		if err := p.hold(engine); err != nil {
			return err
		}
		info, err := engine.Check(ctx)
		version = info.Version
		return err
	})
	p.connection.health.Looked(err)
	return version, err
}

// Entities lists those that the definition can list.
func (p *Probe) Entities() []string {
	var names []string
	for _, e := range p.definition.Describe().Entities {
		if slices.Contains(e.Operations, "list") {
			names = append(names, e.Name)
		}
	}
	return names
}

// Read reads one record of an entity, as a call would: the policy is asked, and a place taken within the limits. Nothing
// of the record is kept.
func (p *Probe) Read(ctx context.Context, entity string) error {
	if err := p.policy.Call(p.connection.who(), entity, "list"); err != nil {
		return err
	}
	e, err := p.held()
	if err != nil {
		return err
	}
	ctx = health.ForPerson(ctx)
	return guard(func() error {
		l := &lease{Engine: e, definition: p.definition}
		leave, err := (&entityCall{connection: p.connection, policy: p.policy}).enter(ctx, l)
		if err != nil {
			return err
		}
		defer leave()
		_, err = e.List(ctx, entity, oneRecord(p.policy, p.connection, entity))
		return err
	})
}

// Close ends the probe's own login, also one that is still on its way.
func (p *Probe) Close() {
	p.mu.Lock()
	engine := p.engine
	p.engine, p.closed = nil, true
	p.mu.Unlock()
	closeEngine(engine)
}

// hold keeps the engine until Close.
func (p *Probe) hold(engine Engine) error {
	p.mu.Lock()
	held := !p.closed
	if held {
		p.engine = engine
	}
	p.mu.Unlock()
	if held {
		return nil
	}
	closeEngine(engine)
	return context.Canceled
}

// held gives the engine of the login.
func (p *Probe) held() (Engine, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.engine == nil {
		return nil, context.Canceled
	}
	return p.engine, nil
}

// Find gives the id of the connection that has this id or, alone of all, this name. The error is a *fault.Error.
func (h *Handler) Find(ctx context.Context, idOrName string) (string, error) {
	all, err := h.State.Connections(ctx)
	if err != nil {
		return "", err
	}
	var found []string
	for _, c := range all {
		if c.ID == idOrName {
			return c.ID, nil
		}
		if c.Name == idOrName {
			found = append(found, c.ID)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	f := fault.New(fault.NotFound, "The agent holds no connection %q.", idOrName).At(fault.HopAgent).Reaches(fault.ScopeConnection).
		Advise("See: gantry-agent connections list")
	if len(found) > 1 {
		f.Detail = "Several connections have this name."
		f.Advise("Name one by its id; see: gantry-agent connections list").Because(errors.New(idOrName))
	}
	return "", f
}
