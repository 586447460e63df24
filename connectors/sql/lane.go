package sqldriver

import (
	"context"
	"time"

	"gantry/tunnel/fault"
)

// lane is a part of the pool that the others cannot use up.
type lane int

const (
	laneCalls  lane = iota // reads and units of work
	laneNested             // reads made while the rows of a call are open
	laneCheck              // Check: a busy system is not an unreachable one
)

// lanes hold a place for each session that may be open.
type lanes [3]chan struct{}

func newLanes(concurrency int) lanes {
	return lanes{
		laneCalls:  make(chan struct{}, concurrency),
		laneNested: make(chan struct{}, concurrency),
		laneCheck:  make(chan struct{}, 1),
	}
}

// size is how many sessions may be open in all.
func (l lanes) size() int {
	n := 0
	for _, places := range l {
		n += cap(places)
	}
	return n
}

// enter waits for a place, not longer than patience. The caller must leave.
func (l lanes) enter(ctx context.Context, which lane, patience time.Duration) error {
	select {
	case l[which] <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case l[which] <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return fault.New(fault.Overloaded, "All %d sessions of this connection have been busy for %s.", cap(l[which]), patience).
			At(fault.HopAgent).Reaches(fault.ScopeConnection).Ended(fault.NotSent).
			Advise("Wait as Retry-After says, or ask for fewer things at once; limits.concurrency of the definition sets how many.")
	}
}

func (l lanes) leave(which lane) { <-l[which] }
