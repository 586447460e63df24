// Package lane bounds how many native calls one connection makes at once, without a deadlock: what every driver with
// streams needs.
//
// Reads that are made while another read's rows are open (connectors.Nested) have places of their own, as many as the
// calls; a call that waits for its children never waits for a place that another such call holds. The check of a login
// has one more, so that a busy system is not taken for an unreachable one.
//
// The package knows no protocol; it never opens a connection.
package lane

import (
	"context"
	"time"

	"gantry/connectors"
	"gantry/tunnel/fault"
)

// Lane is a part of the places that the others cannot use up.
type Lane int

// The lanes.
const (
	Calls  Lane = iota // reads and units of work
	Nested             // reads made while the rows of a call are open
	Check              // the proof of a login
)

// Of gives the lane of a read.
func Of(ctx context.Context) Lane {
	if connectors.IsNested(ctx) {
		return Nested
	}
	return Calls
}

// Lanes hold a place for each call that may be under way.
type Lanes [3]chan struct{}

// New makes the lanes for so many calls at once.
func New(concurrency int) Lanes {
	return Lanes{
		Calls:  make(chan struct{}, concurrency),
		Nested: make(chan struct{}, concurrency),
		Check:  make(chan struct{}, 1),
	}
}

// Size is how many places there are in all.
func (l Lanes) Size() int {
	n := 0
	for _, places := range l {
		n += cap(places)
	}
	return n
}

// Enter waits for a place, not longer than patience. The caller must Leave.
func (l Lanes) Enter(ctx context.Context, which Lane, patience time.Duration) error {
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

// Leave gives the place back.
func (l Lanes) Leave(which Lane) { <-l[which] }
