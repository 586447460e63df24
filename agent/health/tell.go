package health

import (
	"context"
	"slices"
	"time"

	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// pause is the least between two documents of one connection.
const pause = time.Second

// Document tells what is known of the connection now.
func (c *Connection) Document() wire.Health {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	due := c.due(now)
	h := wire.Health{
		Connection: c.id,
		System: wire.SystemHealth{
			State: c.system.state, Version: c.system.version, SinceAgoMS: wire.Ago(now, c.system.since),
			CheckedAgoMS: wire.Ago(now, c.system.checked), NextProbeInMS: wire.Milliseconds(due.Sub(now)), LastError: c.system.err.aged(now),
		},
		Login:          wire.LoginHealth{State: c.login.state, SinceAgoMS: wire.Ago(now, c.login.since), LastError: c.login.err.aged(now)},
		Circuit:        c.circuit.document(now),
		ThrottledForMS: wire.Milliseconds(c.throttle.until.Sub(now)),
		QuietForMS:     wire.Milliseconds(c.quiet.Sub(now)),
		Entities:       map[string]map[string]wire.OperationHealth{},
	}
	if c.login.refusal != nil {
		h.Login.NextProbeInMS = wire.Milliseconds(c.login.until.Sub(now))
	}
	for p, cell := range c.cells {
		if h.Entities[p.Entity] == nil {
			h.Entities[p.Entity] = map[string]wire.OperationHealth{}
		}
		h.Entities[p.Entity][p.Operation] = cell.document(now, c.held(now))
	}
	return h
}

func (c *cell) document(now, held time.Time) wire.OperationHealth {
	o := wire.OperationHealth{
		State: c.state, SinceAgoMS: wire.Ago(now, c.since), LastSuccessAgoMS: wire.Ago(now, c.success),
		CheckedAgoMS: wire.Ago(now, c.checked), LastError: c.err.aged(now), Circuit: c.circuit.document(now),
	}
	if !c.probe.next.IsZero() {
		o.NextProbeInMS = wire.Milliseconds(later(later(c.probe.next, now.Add(c.circuit.wait())), held).Sub(now))
	}
	return o
}

func (c *circuit) document(now time.Time) wire.CircuitHealth {
	return wire.CircuitHealth{State: c.state(), SinceAgoMS: wire.Ago(now, c.since), RetryInMS: wire.Milliseconds(c.wait())}
}

// aged gives the failure with its age.
func (t *told) aged(now time.Time) *wire.HealthError {
	if t == nil {
		return nil
	}
	e := t.error
	e.AgoMS = wire.Ago(now, t.at)
	return &e
}

// Calls is how the connection's calls did, whatever they were about.
type Calls struct {
	Success time.Time    // the last; zero: none since the agent started
	Failure time.Time    // the last one for a reason which is not its caller's
	Fault   *fault.Error // of then
}

// Calls tells how the connection's calls did.
func (c *Connection) Calls() Calls {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Calls{Success: c.success, Failure: c.failure, Fault: c.failed}
}

// seen is what a watcher was told of a connection.
type seen struct{ revision, touches uint64 }

// Watch calls tell with the health of every connection, then with an empty one, which says that those were all. From then
// on it tells a connection's health when a state in it changed, at most once a second, and at every beat of
// wire.HealthBeat what else was renewed, or an empty one. It returns tell's error, or ctx's.
func (b *Book) Watch(ctx context.Context, tell func(wire.Health) error) error {
	w := make(chan struct{}, 1)
	b.mu.Lock()
	b.watchers[w] = struct{}{}
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		delete(b.watchers, w)
		b.mu.Unlock()
	}()
	t := teller{book: b, tell: tell, told: map[string]seen{}}
	if err := t.beat(); err != nil {
		return err
	}
	beat := time.NewTicker(wire.HealthBeat)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-beat.C:
			if err := t.beat(); err != nil {
				return err
			}
			continue
		case <-w:
		}
		if err := t.all(func(was, is seen) bool { return was.revision != is.revision }); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// teller is one watcher's side.
type teller struct {
	book *Book
	tell func(wire.Health) error
	told map[string]seen
}

// beat tells everything that is new, then an empty one.
func (t *teller) beat() error {
	if err := t.all(func(was, is seen) bool { return was != is }); err != nil {
		return err
	}
	return t.tell(wire.Health{})
}

// all tells the connections that are new, those that went, and those of which news says so.
func (t *teller) all(news func(was, is seen) bool) error {
	all := t.book.all()
	for id := range t.told {
		if !slices.ContainsFunc(all, func(c *Connection) bool { return c.id == id }) {
			delete(t.told, id)
			if err := t.tell(wire.Health{Connection: id, Gone: true}); err != nil {
				return err
			}
		}
	}
	for _, c := range all {
		is := c.seen()
		if was, known := t.told[c.id]; known && !news(was, is) {
			continue
		}
		t.told[c.id] = is
		if err := t.tell(c.Document()); err != nil {
			return err
		}
	}
	return nil
}

func (c *Connection) seen() seen {
	c.mu.Lock()
	defer c.mu.Unlock()
	return seen{c.revision, c.touches}
}
