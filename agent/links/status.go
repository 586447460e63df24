package links

import (
	"log/slog"
)

// Snapshot gives the state of every slot.
func (s *Supervisor) Snapshot() []Status {
	reply := make(chan []Status, 1)
	if !s.post(func() { reply <- s.snapshot() }) {
		return s.final
	}
	return <-reply
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
