package links

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The functions of this file run in the loop, but for watch.

var errEnded = errors.New("the session ended")

// dialed takes the result of a try.
func (s *Supervisor) dialed(ctx context.Context, l *link, session Session, err error) {
	sl := l.slot
	if err != nil {
		s.failed(sl, err)
		return
	}
	l.session, l.since = session, time.Now()
	sl.refusal, sl.lastErr = nil, ""
	sl.enter(Connected)
	s.opts.Logger.Info("session connected", "slot", sl.index)
	s.work.Go(func() { s.watch(ctx, l) })
	if l.retired { // the peer said so before the loop knew the session
		s.retire(l)
	}
}

// failed plans the next try after one that brought no session.
func (s *Supervisor) failed(sl *slot, err error) {
	sl.link, sl.lastErr = nil, err.Error()
	sl.attempts++
	if refusal, ok := s.opts.Refusal(err); ok {
		sl.refusal = &refusal
		if refusal.Permanent {
			sl.enter(Refused)
			// The jitter keeps a fleet that was refused together from coming back together.
			sl.due = time.Now().Add(s.opts.RefusedRetry + s.opts.Jitter(s.opts.RefusedRetry/10))
			s.opts.Logger.Error("relay refuses the agent", "slot", sl.index, "code", refusal.Code, "message", refusal.Message, "next_try", sl.due)
			return
		}
	} else {
		sl.refusal = nil
	}
	s.wait(sl)
	s.opts.Logger.Log(context.Background(), s.lossLevel(), "no session", "slot", sl.index, "attempt", sl.attempts, "next_try_in", time.Until(sl.due), "error", err)
}

// wait sets the next try: exponential with full jitter.
func (s *Supervisor) wait(sl *slot) {
	sl.enter(Waiting)
	limit := s.opts.ReconnectMin << min(max(sl.attempts-1, 0), 20)
	if limit <= 0 || limit > s.opts.ReconnectMax {
		limit = s.opts.ReconnectMax
	}
	sl.due = time.Now().Add(s.opts.Jitter(limit))
}

// lost takes the end of a session that nobody asked to end.
func (s *Supervisor) lost(l *link) {
	if _, retiring := s.old[l]; retiring {
		return // expected: it drains
	}
	sl := l.slot
	if sl.link != l {
		return
	}
	err := l.session.Err()
	if err == nil {
		err = errEnded
	}
	if time.Since(l.since) >= s.opts.Healthy {
		sl.attempts = 0
	}
	s.failed(sl, err)
}

// retire replaces a session that its peer drains: it finishes its calls beside the new one.
func (s *Supervisor) retire(l *link) {
	l.retired = true
	if l.session == nil || l.slot.link != l {
		return
	}
	sl := l.slot
	s.old[l] = struct{}{}
	sl.link = nil
	sl.enter(Waiting)
	sl.due = time.Now().Add(s.opts.Jitter(s.opts.ReconnectMin)) // a draining relay says so to all its agents at once
	s.opts.Logger.Info("session retires", "slot", sl.index)
	s.work.Go(func() {
		s.drain(l.session)
		s.post(func() { delete(s.old, l) })
	})
}

// watch proves a session's health and reports its end.
func (s *Supervisor) watch(ctx context.Context, l *link) {
	ticker := time.NewTicker(s.opts.PingInterval)
	defer ticker.Stop()
	for {
		s.ping(ctx, l)
		select {
		case <-ctx.Done():
			return
		case <-l.session.Done():
			s.post(func() { s.lost(l) })
			return
		case <-ticker.C:
		}
	}
}

// ping measures the round trip; a session that does not answer is closed, which watch then sees.
func (s *Supervisor) ping(ctx context.Context, l *link) {
	pinging, cancel := context.WithTimeout(ctx, s.opts.PingTimeout)
	defer cancel()
	rtt, err := l.session.Ping(pinging)
	switch {
	case err == nil:
		s.post(func() { l.rtt = rtt })
	case ctx.Err() == nil:
		l.session.Close(fmt.Sprintf("no answer to a ping within %s", s.opts.PingTimeout))
	}
}
