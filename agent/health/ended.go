package health

import (
	"context"
	"log/slog"
	"time"

	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// Ended tells how the call went.
func (p *Permit) Ended(err error) {
	if p.c == nil {
		return
	}
	if p.mute {
		err = context.Canceled
	}
	now := time.Now()
	m, f := means(err, now.Sub(p.began))
	c := p.c
	c.mu.Lock()
	n := news{c: c, now: now}
	c.touches++
	p.note(&n, m, f, isCounted(err))
	c.mu.Unlock()
	n.tell()
	p.c = nil
}

// Answered tells that the system began to answer a call that will go on for long, as a stream.
func (p *Permit) Answered() {
	if p.trial == (trial{}) {
		return
	}
	c := p.c
	c.mu.Lock()
	n := news{c: c, now: time.Now()}
	p.note(&n, success, nil, false)
	c.mu.Unlock()
	n.tell()
	p.trial = trial{}
}

// note is what the end of a call changes. The lock is held.
func (p *Permit) note(n *news, m meaning, f *fault.Error, counted bool) {
	c := p.c
	switch {
	case p.requestID == "": // a probe
	case m == success:
		c.success = n.now
	case m > refusedByIt || m == nothing && f.Code == fault.PolicyDenied:
		c.failure, c.failed = n.now, f
	}
	switch m {
	case success, refusedByIt, denied:
		p.answered(n)
	case faulty:
		if f.Hop == fault.HopSystem {
			p.answered(n)
		} else {
			p.abandon(n)
		}
	case nothing:
		p.abandon(n)
		return
	case loginOut:
		p.loginRefused(n, f)
	case throttled:
		p.throttled(n, f)
	case timedOut:
		p.timedOut(n, f)
	case unreachable:
		p.unreachable(n, f, counted)
	}
	p.trial = trial{}
	if p.place != (Place{}) && (m < loginOut || m == timedOut || c.cells[p.place] != nil) {
		p.noteCell(n, m, f)
	}
}

// answered notes that the system did, and that it took the login.
func (p *Permit) answered(n *news) {
	c := p.c
	n.reached()
	if was := c.login.state; c.login.accepted(n.now) {
		n.turned()
		if was == wire.LoginRefused {
			n.say(slog.LevelInfo, "login accepted again")
		}
	}
	n.moved(Place{}, &c.circuit, c.circuit.answered(p.trial.connection))
	if cell := c.cells[p.place]; cell != nil {
		n.moved(p.place, &cell.circuit, cell.circuit.answered(p.trial.operation))
	}
}

func (p *Permit) loginRefused(n *news, f *fault.Error) {
	c := p.c
	if c.login.refused(n.now, f, p.requestID) {
		n.turned()
		n.say(slog.LevelWarn, "login refused", "code", f.Code, "next_try_in", c.login.pause, "error", f)
	}
	p.back(n)
	if f.Hop == fault.HopSystem {
		n.reached()
		n.moved(Place{}, &c.circuit, c.circuit.answered(p.trial.connection))
	}
}

// longestThrottle bounds what a system can ask for.
const longestThrottle = 24 * time.Hour

// throttled holds all calls back for as long as the system asks. Only the first call that meets it counts.
func (p *Permit) throttled(n *news, f *fault.Error) {
	c := p.c
	p.back(n)
	n.reached()
	wait := f.RetryAfter
	if wait <= 0 {
		wait = f.Code.Spec().RetryAfter
	}
	fresh := until(n.now, c.throttle.until) == 0
	wait = min(wait, longestThrottle)
	if end := n.now.Add(wait); end.After(c.throttle.until) {
		c.throttle = throttle{end, f}
	}
	if fresh {
		n.turned()
		n.say(slog.LevelWarn, "system asks for fewer calls", "wait", wait.Round(time.Millisecond), "error", f)
		n.moved(Place{}, &c.circuit, c.circuit.failed(n.now, p.trial.connection, f))
	} else {
		c.circuit.inconclusive(p.trial.connection)
	}
}

// timedOut is the operation's matter, unless several operations have it.
func (p *Permit) timedOut(n *news, f *fault.Error) {
	c := p.c
	if len(c.silent) < widely {
		c.silent[p.place] = true
	}
	c.system.doubt = true
	switch {
	case p.place == (Place{}), p.trial.connection:
		n.moved(Place{}, &c.circuit, c.circuit.failed(n.now, p.trial.connection, f))
	case len(c.silent) >= widely:
		n.moved(Place{}, &c.circuit, c.circuit.force(n.now, f))
	}
	if p.place != (Place{}) {
		cell := c.cell(p.place)
		n.moved(p.place, &cell.circuit, cell.circuit.failed(n.now, p.trial.operation, f))
	}
	c.login.inconclusive(n.now, p.trial.login)
	if p.place == (Place{}) || c.circuit.delay > 0 {
		n.lost(newTold(n.now, f, p.requestID))
	}
}

// unreachable is the connection's matter. A connection that broke is looked at again before the system is said to be
// away: a single session may have been ended.
func (p *Permit) unreachable(n *news, f *fault.Error, counted bool) {
	c := p.c
	p.back(n)
	if !counted || p.trial.connection {
		n.moved(Place{}, &c.circuit, c.circuit.failed(n.now, p.trial.connection, f))
	}
	if counted || p.place == (Place{}) || c.circuit.delay > 0 {
		n.lost(newTold(n.now, f, p.requestID))
	} else if !c.system.doubt {
		c.system.doubt = true
		n.turned()
	}
}

// back gives the tries of the login and of the operation back, of which the call learnt nothing.
func (p *Permit) back(n *news) {
	p.c.login.inconclusive(n.now, p.trial.login)
	if cell := p.c.cells[p.place]; cell != nil {
		cell.circuit.inconclusive(p.trial.operation)
	}
}

// noteCell is what the end of a call changes in its cell. What concerns the connection as a whole is no state of the cell.
func (p *Permit) noteCell(n *news, m meaning, f *fault.Error) {
	cell := p.c.cell(p.place)
	state := cell.state
	switch m {
	case success, refusedByIt:
		state = wire.OperationWorking
	case denied:
		state = wire.OperationDenied
	case faulty, timedOut:
		state = wire.OperationFailing
	}
	if m == success {
		cell.success = n.now
	}
	if m > refusedByIt {
		cell.err = newTold(n.now, f, p.requestID)
	}
	cell.turn(n, state, m)
}

// turn gives a cell the state that was just proved. The lock is held.
func (c *cell) turn(n *news, state wire.OperationState, m meaning) {
	switch m {
	case loginOut, throttled, unreachable:
		return
	}
	c.checked = n.now
	c.probe.tried(n.now, state == wire.OperationFailing || state == wire.OperationDenied)
	if state != c.state {
		c.state, c.since = state, n.now
		n.turned()
	}
}
