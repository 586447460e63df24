package links

import (
	"context"
	"log/slog"
)

// Snapshot gives the state of every slot.
func (s *Supervisor) Snapshot() []Status {
	all, err := s.Ask(context.Background())
	if err != nil { // cannot be: nothing ends that context
		return nil
	}
	return all
}

// Ask is Snapshot for one who does not wait for ever: the error is the context's, and says that the loop hangs.
func (s *Supervisor) Ask(ctx context.Context) ([]Status, error) {
	reply := make(chan []Status, 1)
	select {
	case s.events <- func() { reply <- s.snapshot() }:
		return <-reply, nil
	case <-s.done:
		return s.final, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Session gives a session that is connected; nil: there is none.
func (s *Supervisor) Session() Session {
	reply := make(chan Session, 1)
	if !s.post(func() { reply <- s.anyConnected() }) {
		return nil
	}
	return <-reply
}

// Recycle replaces every session by a new one, as after the certificate was renewed: calls under way finish.
func (s *Supervisor) Recycle() {
	s.post(func() {
		for _, sl := range s.slots {
			if sl.state == Connected {
				s.retire(sl.link)
			}
		}
	})
}

// Retry makes every waiting slot try now, as after a person mended what was refused.
func (s *Supervisor) Retry() {
	s.post(func() {
		for _, sl := range s.slots {
			sl.due = sl.since
		}
	})
}

func (s *Supervisor) anyConnected() Session {
	for _, sl := range s.slots {
		if sl.state == Connected {
			return sl.link.session
		}
	}
	return nil
}

// lossLevel is by impact: one lost session while another lives is no failure.
func (s *Supervisor) lossLevel() slog.Level {
	if s.anyConnected() != nil {
		return slog.LevelWarn
	}
	return slog.LevelError
}

func (s *Supervisor) snapshot() []Status {
	all := make([]Status, len(s.slots))
	for i, sl := range s.slots {
		all[i] = Status{Slot: i, State: sl.state, Since: sl.since, Attempts: sl.attempts, LastError: sl.lastErr, Refusal: sl.refusal}
		switch sl.state {
		case Connected:
			all[i].RoundTrip = sl.link.rtt
		case Waiting, Refused:
			all[i].NextTry = sl.due
		}
	}
	for l := range s.old {
		all[l.slot.index].Retiring++
	}
	return all
}
