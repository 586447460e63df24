package links

import (
	"context"
	"sync"
	"time"
)

// Supervisor keeps sessions alive. Make it with New and call Run once.
type Supervisor struct {
	opts   Options
	events chan func()   // run by the loop, which owns all slots and links
	done   chan struct{} // closed when the loop has ended
	work   sync.WaitGroup
	slots  []*slot
	old    map[*link]struct{} // retiring
	final  []Status           // what Snapshot gives after the end
}

// slot is one place for a session.
type slot struct {
	index    int
	state    State
	since    time.Time
	due      time.Time // of the next try, while waiting or refused
	attempts int       // failed tries in a row
	link     *link     // while dialing or connected
	lastErr  string
	refusal  *Refusal
}

// link is one try and the session that came of it.
type link struct {
	slot    *slot
	session Session // nil while dialing
	since   time.Time
	rtt     time.Duration
	retired bool // the peer drains it
}

// New prepares a supervisor.
func New(opts Options) *Supervisor {
	opts.fill()
	s := &Supervisor{opts: opts, events: make(chan func()), done: make(chan struct{}), old: make(map[*link]struct{})}
	for i := range opts.Sessions {
		s.slots = append(s.slots, &slot{index: i, state: Waiting})
	}
	return s
}

// Run keeps the sessions up until ctx ends; it then drains and closes them, and returns when all is quiet.
func (s *Supervisor) Run(ctx context.Context) {
	for _, sl := range s.slots {
		sl.enter(Waiting)
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		timer.Reset(s.startDue(ctx))
		select {
		case <-ctx.Done():
		case event := <-s.events:
			event()
		case <-timer.C:
		}
	}
	s.stop()
}

// startDue starts what is due and says how long nothing will be.
func (s *Supervisor) startDue(ctx context.Context) time.Duration {
	next := time.Hour
	for _, sl := range s.slots {
		if sl.state != Waiting && sl.state != Refused {
			continue
		}
		if wait := time.Until(sl.due); wait > 0 {
			next = min(next, wait)
			continue
		}
		s.dial(ctx, sl)
	}
	return next
}

func (s *Supervisor) dial(ctx context.Context, sl *slot) {
	l := &link{slot: sl}
	sl.link = l
	sl.enter(Dialing)
	s.work.Go(func() {
		dialing, cancel := context.WithTimeout(ctx, s.opts.DialTimeout)
		defer cancel()
		session, err := s.opts.Dial(dialing, sl.index, func() { s.post(func() { s.retire(l) }) })
		if !s.post(func() { s.dialed(ctx, l, session, err) }) && err == nil {
			session.Close("the agent stops")
		}
	})
}

// post hands an event to the loop; false: the loop has ended, and nobody owns what the event holds.
func (s *Supervisor) post(event func()) bool {
	select {
	case s.events <- event:
		return true
	case <-s.done:
		return false
	}
}

// stop ends the loop first, so that no event is waited for, then drains every session.
func (s *Supervisor) stop() {
	var sessions []Session
	for _, sl := range s.slots {
		if sl.state == Connected {
			sessions = append(sessions, sl.link.session)
		}
		sl.enter(Stopped)
	}
	s.final = s.snapshot()
	close(s.done)
	for _, session := range sessions {
		s.work.Go(func() { s.drain(session) })
	}
	s.work.Wait()
}

// drain lets the calls under way finish, within bounds, and ends the session.
func (s *Supervisor) drain(session Session) {
	ctx, cancel := context.WithTimeout(context.Background(), s.opts.DrainTimeout)
	defer cancel()
	if err := session.Drain(ctx); err != nil {
		s.opts.Logger.Debug("session not drained", "error", err)
	}
	session.Close("drained")
}

func (sl *slot) enter(state State) {
	sl.state, sl.since = state, time.Now()
}
