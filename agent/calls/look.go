package calls

import (
	"cmp"
	"context"
	"log/slog"
	"net/url"
	"time"

	"gantry/agent/health"
	"gantry/agent/policy"
	"gantry/configs"
	"gantry/connectors/engine"
	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// Bounds of what the agent does of its own accord, each time.
const (
	checkTime = 12 * time.Second // the proof of a login: longer than one dial may take, so that it is the dial which fails
	readTime  = 10 * time.Second // of one record
	maxReads  = 12               // of what works, in one look: as many as there are entities
)

// Probes looks at the connections, so that what is known of them stays true without calls, until ctx ends. A probe goes the
// way of a call: the plant's policy, quiet hours and limits hold for it, and so does an open circuit.
func (h *Handler) Probes(ctx context.Context) {
	if err := h.enlist(ctx); err != nil && ctx.Err() == nil {
		h.Logger.WarnContext(ctx, "connections are not probed before they are called", "error", err)
	}
	h.Health.Probe(ctx, h.look)
}

// look is a health.Look: the proof of the login, then a read of each operation that fails, and of some that were not read
// for long.
func (h *Handler) look(ctx context.Context, known *health.Connection) {
	if h.Rests(known.ID()) {
		return
	}
	c, err := h.pool.find(ctx, known.ID())
	if fault.Is(err, fault.NotFound) {
		h.Health.Drop(known.ID())
	}
	if err != nil {
		return
	}
	p := h.Policy.Current()
	if cmp.Or(p.System(c.who()), c.awake(p)) != nil {
		return
	}
	if err := h.checkUp(ctx, c, p); err != nil {
		h.Logger.Log(ctx, slog.LevelDebug, "probe failed", "connection", c.row.ID, "error", err)
		return
	}
	for _, place := range known.Wanted(h.reads(c, p)) {
		if err := h.lookAt(ctx, c, p, place); err != nil {
			h.Logger.Log(ctx, slog.LevelDebug, "probe failed", "connection", c.row.ID, "entity", place.Entity, "operation", place.Operation, "error", err)
		}
	}
}

// reads is how much of what works is read in one look, which is one a minute: a tenth of the calls that the plant and the
// system allow.
func (h *Handler) reads(c *connection, p *policy.Policy) int {
	allowed := p.Rate(c.who()).PerSecond()
	if d, err := h.definition(c.row.System); err == nil {
		system, _ := configs.ParseRate(d.Limits.Rate) // the definition's linter has checked it
		allowed = min(allowed, system.PerSecond())
	}
	return int(min(maxReads, max(1, allowed*60/10)))
}

// checkUp proves that the login works.
func (h *Handler) checkUp(ctx context.Context, c *connection, p *policy.Policy) error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	return h.probe(ctx, c, p, health.Place{}, func(ctx context.Context, l *lease) error {
		info, err := l.Check(ctx)
		if err == nil {
			c.health.Checked(info.Version, verdicts(l.Capabilities()))
		}
		return err
	})
}

// lookAt reads one record, as the operation does. Where there is none to read nothing is learnt.
func (h *Handler) lookAt(ctx context.Context, c *connection, p *policy.Policy, place health.Place) error {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	if err := p.Call(c.who(), place.Entity, place.Operation); err != nil {
		return err
	}
	return h.probe(ctx, c, p, place, func(ctx context.Context, l *lease) error {
		page, err := l.List(ctx, place.Entity, oneRecord(p, c, place.Entity))
		if place.Operation == "list" {
			return err
		}
		if err != nil || len(page.Data) == 0 {
			return context.Canceled // of getting a record it says nothing
		}
		_, err = l.Get(ctx, place.Entity, page.Data[0].ID, engine.Query{})
		return err
	})
}

// probe makes one step of a look, as a call is made.
func (h *Handler) probe(ctx context.Context, c *connection, p *policy.Policy, place health.Place, do func(context.Context, *lease) error) error {
	permit, err := c.health.Admit(place, "")
	if err != nil {
		return err
	}
	err = guard(func() error {
		ctx, l, err := h.pool.use(ctx, c)
		if err != nil {
			return err
		}
		defer l.release()
		leave, err := (&entityCall{connection: c, policy: p}).enter(ctx, l)
		if err != nil {
			return err
		}
		defer leave()
		return c.cut(do(ctx, l))
	})
	permit.Ended(err)
	return err
}

// oneRecord asks for one record of an entity.
func oneRecord(p *policy.Policy, c *connection, entity string) engine.Query {
	return engine.Query{
		Params: url.Values{"limit": {"1"}}, Hidden: p.Fields(c.who(), entity).Paths(),
		Permits: func(operation string) bool { return p.Call(c.who(), entity, operation) == nil },
	}
}

// verdicts lists what a login may do, as far as its system told.
func verdicts(c wire.Capabilities) map[health.Place]wire.Verdict {
	all := map[health.Place]wire.Verdict{}
	for name, e := range c.Entities {
		for operation, o := range e.Operations {
			all[health.Place{Entity: name, Operation: operation}] = o.Verdict
		}
		for action, a := range e.Actions {
			all[health.Place{Entity: name, Operation: action}] = a.Verdict
		}
	}
	return all
}

// seen cuts what a login may do by what it was seen to be refused.
func seen(c wire.Capabilities, known *health.Connection) wire.Capabilities {
	for place, why := range known.Denied() {
		e, ok := c.Entities[place.Entity]
		no := wire.Verdict{DeniedBy: wire.ByProbe, Reason: why.Detail, Advice: fault.PermissionDenied.Spec().Advice}
		if o, is := e.Operations[place.Operation]; ok && is && o.Allowed {
			o.Verdict = no
			e.Operations[place.Operation] = o
		}
		if a, is := e.Actions[place.Operation]; ok && is && a.Allowed {
			a.Verdict = no
			e.Actions[place.Operation] = a
		}
	}
	return c
}
