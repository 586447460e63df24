package tunnel

import (
	"maps"
	"sync"
)

// Arrivals are how the connections to an Acceptor went since its start, by result: one of the constants below, or the
// code of a refusal. So the results are few, whoever comes.
type Arrivals map[string]int64

// Results of an arrival that was not refused.
const (
	ArrivedSession   = "session"   // it became a session
	ArrivedEnrolment = "enrolment" // it was served an enrolment, whatever its answer
	ArrivedFailed    = "failed"    // it broke off, or was not what it should be, before it said who it is
)

// arrivals counts them.
type arrivals struct {
	mu    sync.Mutex
	count Arrivals
}

func (a *arrivals) add(result string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.count == nil {
		a.count = Arrivals{}
	}
	a.count[result]++
}

func (a *arrivals) copy() Arrivals {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.count)
}

// Arrivals tells how the connections went so far.
func (a *Acceptor) Arrivals() Arrivals { return a.arrivals.copy() }
