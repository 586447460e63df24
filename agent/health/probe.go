package health

import (
	"context"
	"slices"
	"sync"
	"time"

	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// When a connection is probed.
const (
	everyMinute  = time.Minute      // one cheap check, up to a jitter sooner
	firstWithin  = 15 * time.Second // after the start, spread, so that a restart is no burst
	afterDoubt   = 2 * time.Second  // after a connection broke
	firstLook    = 10 * time.Second // at an operation that fails or is denied
	longestLook  = 40 * time.Second // between two such looks, which grows
	unread       = 20 * time.Second // the age from which on what works is read once more: with the check a minute, none is older than 80 s
	probesAtOnce = 8
	probeTime    = 25 * time.Second // of all that is done for one connection at once
)

// schedule is when a connection is probed next.
type schedule struct {
	due      time.Time // of the cheap check, if nothing hastens or holds it
	tried    time.Time // the last probe
	underWay bool
}

func first(now time.Time) schedule {
	return schedule{due: now.Add(spread(firstWithin / 2))}
}

// withinAMinute is until the next cheap check: never later, so that facts are as fresh as they are said to be.
func withinAMinute() time.Duration { return spread(everyMinute * 10 / 12) }

// pace is when a failing operation is looked at next. The zero value: not at all.
type pace struct {
	next time.Time
	wait time.Duration
}

func (p *pace) tried(now time.Time, failing bool) {
	if !failing {
		*p = pace{}
		return
	}
	p.wait = min(max(2*p.wait, firstLook), longestLook)
	p.next = now.Add(spread(p.wait))
}

// harmless tells whether a probe can look at an operation without an effect.
func harmless(operation string) bool { return operation == "list" || operation == "get" }

// due is when the connection is to be probed. The lock is held.
func (c *Connection) due(now time.Time) time.Time {
	if hold := c.held(now); !hold.IsZero() {
		return hold
	}
	due := c.probe.due
	if c.system.doubt || c.system.state == wire.SystemUnreachable {
		due = earlier(due, c.probe.tried.Add(afterDoubt))
	}
	for p, cell := range c.cells {
		if harmless(p.Operation) && !cell.probe.next.IsZero() {
			due = earlier(due, later(cell.probe.next, now.Add(cell.circuit.wait())))
		}
	}
	return due
}

// held is until when no probe can be made; zero: nothing holds it. The lock is held.
func (c *Connection) held(now time.Time) time.Time {
	var hold time.Time
	for _, t := range []time.Time{c.quiet, c.throttle.until, c.login.until, now.Add(c.circuit.wait())} {
		if t.After(now) {
			hold = later(hold, t)
		}
	}
	if hold.IsZero() && c.circuit.delay > 0 { // its time has come
		return now
	}
	return hold
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Wanted lists the operations that are to be looked at now: those that fail, each in its time, and of those that work and
// were not read for long at most so many, the longest ago first. No cheap check tells that a right to one table was taken away.
func (c *Connection) Wanted(most int) []Place {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	var all, aged []Place
	for p, cell := range c.cells {
		switch {
		case !harmless(p.Operation) || cell.circuit.wait() > 0:
		case !cell.probe.next.IsZero():
			if !cell.probe.next.After(now.Add(time.Second)) {
				all = append(all, p)
			}
		case cell.state == wire.OperationWorking && now.Sub(cell.checked) >= unread:
			aged = append(aged, p)
		}
	}
	slices.SortFunc(aged, func(a, b Place) int { return c.cells[a].checked.Compare(c.cells[b].checked) })
	return append(all, aged[:min(len(aged), most)]...)
}

// Look is one probe of a connection: the cheap check, and a cheap read of each operation in Wanted. Its steps ask Admit
// as calls do. It respects ctx.
type Look func(ctx context.Context, c *Connection)

// Probe looks at the connections of the book when no call has done so, until ctx ends. A few at once; it waits for all.
func (b *Book) Probe(ctx context.Context, look Look) {
	var work sync.WaitGroup
	defer work.Wait()
	places := make(chan struct{}, probesAtOnce)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.wake:
		case <-timer.C:
		}
		for _, c := range b.dueNow() {
			select {
			case <-ctx.Done():
				return
			case places <- struct{}{}:
			}
			if c.begin() {
				work.Go(func() {
					defer func() { <-places }()
					b.probeOnce(ctx, c, look)
				})
			} else {
				<-places
			}
		}
		timer.Reset(b.next())
	}
}

func (b *Book) probeOnce(ctx context.Context, c *Connection, look Look) {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	defer c.end()
	look(ctx, c)
}

// dueNow lists the connections whose probe is due.
func (b *Book) dueNow() []*Connection {
	now := time.Now()
	var due []*Connection
	for _, c := range b.all() {
		c.mu.Lock()
		if !c.probe.underWay && !c.due(now).After(now) {
			due = append(due, c)
		}
		c.mu.Unlock()
	}
	return due
}

// next is how long it is until the next probe is due.
func (b *Book) next() time.Duration {
	now, next := time.Now(), time.Now().Add(everyMinute)
	for _, c := range b.all() {
		c.mu.Lock()
		if !c.probe.underWay {
			next = earlier(next, c.due(now))
		}
		c.mu.Unlock()
	}
	return until(now, next)
}

// Hurry has every connection probed soon, as after the start: what kept them from it may be over.
func (b *Book) Hurry() {
	now := time.Now()
	for _, c := range b.all() {
		c.mu.Lock()
		c.quiet = time.Time{}
		c.probe.due = earlier(c.probe.due, first(now).due)
		c.mu.Unlock()
	}
	b.changed()
}

// begin takes the probe, unless another one is under way.
func (c *Connection) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.probe.underWay {
		return false
	}
	c.probe.underWay = true
	return true
}

// end plans the next one.
func (c *Connection) end() {
	now := time.Now()
	c.mu.Lock()
	c.probe = schedule{due: now.Add(withinAMinute()), tried: now}
	for _, cell := range c.cells {
		if !cell.probe.next.IsZero() && !cell.probe.next.After(now) { // it could not be looked at
			cell.probe.tried(now, true)
		}
	}
	c.touches++
	c.mu.Unlock()
	c.book.changed()
}

// Checked notes what a check found beside its end, which Permit.Ended told: the version, and, of a system that can tell,
// which operations the login may not do. verdicts holds one for each operation that is offered.
func (c *Connection) Checked(version string, verdicts map[Place]wire.Verdict) {
	now := time.Now()
	c.mu.Lock()
	n := news{c: c, now: now}
	if version != "" && version != c.system.version {
		c.system.version = version
		n.turned()
	}
	for p, v := range verdicts {
		known := c.cells[p]
		switch {
		case v.DeniedBy == wire.ByProbe && (known == nil || known.state != wire.OperationDenied):
			cell := c.cell(p)
			cell.err = newTold(now, fault.New(fault.PermissionDenied, "%s", v.Reason), "")
			cell.turn(&n, wire.OperationDenied, denied)
		case v.DeniedBy == wire.ByProbe:
			known.checked = now
		case v.Allowed && known != nil && known.state == wire.OperationDenied && !harmless(p.Operation): // that is proved by a read
			known.turn(&n, wire.OperationUnknown, success)
		}
	}
	c.mu.Unlock()
	n.tell()
}

// Denied lists the operations that the login was seen to be refused, each with why.
func (c *Connection) Denied() map[Place]wire.HealthError {
	c.mu.Lock()
	defer c.mu.Unlock()
	denied := map[Place]wire.HealthError{}
	for p, cell := range c.cells {
		if cell.state == wire.OperationDenied {
			denied[p] = cell.err.error
		}
	}
	return denied
}

// Quiet notes until when the plant wants quiet; the zero time: no longer.
func (c *Connection) Quiet(until time.Time) {
	c.mu.Lock()
	n := news{c: c, now: time.Now()}
	if !c.quiet.Equal(until) {
		c.quiet = until
		n.turned()
	}
	c.mu.Unlock()
	n.tell()
}
