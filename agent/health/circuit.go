package health

import (
	"math/rand/v2"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"

	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// How a circuit opens and tries again. The longest delay keeps the promise that a system which is back is noticed within
// half a minute: a try is one call, which a dead system does not feel.
const (
	failuresInARow = 3
	firstDelay     = 5 * time.Second
	longestDelay   = 20 * time.Second
	jitter         = 0.2             // of a delay, so that many connections to one system do not try at once
	againDelay     = 1 * time.Second // after a try that ended without a word of the system
)

// circuit is one circuit breaker. Its zero value is closed, and costs nothing until a call fails. The lock of its
// connection guards it.
type circuit struct {
	breaker circuitbreaker.CircuitBreaker[any] // nil: closed, without a failure
	delay   time.Duration                      // of the last opening; 0: closed
	since   time.Time                          // when it first opened; zero: closed
	cause   *fault.Error                       // what opened it
}

// move is what became of a circuit.
type move int

const (
	stays move = iota
	opens
	tries // half open
	closes
)

func build(delay time.Duration) circuitbreaker.CircuitBreaker[any] {
	return circuitbreaker.NewBuilder[any]().WithFailureThreshold(failuresInARow).WithSuccessThreshold(1).WithDelay(delay).Build()
}

// admit asks for a call's way. trial: the circuit is half open, and this call is the one that tries.
func (c *circuit) admit() (admitted, trial bool, m move) {
	if c.delay == 0 {
		return true, false, stays
	}
	was := c.breaker.State()
	admitted = c.breaker.TryAcquirePermit()
	if admitted && was == circuitbreaker.OpenState {
		m = tries
	}
	return admitted, admitted, m
}

// failed notes a failure that counts.
func (c *circuit) failed(now time.Time, trial bool, f *fault.Error) move {
	if c.breaker == nil {
		c.breaker = build(spread(firstDelay))
	}
	switch {
	case trial && c.delay > 0: // the try failed: longer
		c.cause = f
		c.open(min(2*c.delay, longestDelay))
		return opens
	case c.delay > 0: // a call from before it opened
		return stays
	}
	c.breaker.RecordFailure()
	if !c.breaker.IsOpen() {
		return stays
	}
	c.delay, c.since, c.cause = firstDelay, now, f
	return opens
}

// force opens a closed circuit.
func (c *circuit) force(now time.Time, f *fault.Error) move {
	if c.delay > 0 {
		return stays
	}
	c.since, c.cause = now, f
	c.open(firstDelay)
	return opens
}

func (c *circuit) open(delay time.Duration) {
	c.delay = delay
	c.breaker = build(spread(delay))
	c.breaker.Open()
}

// answered notes that the system answered, whatever it said.
func (c *circuit) answered(trial bool) move {
	switch {
	case c.delay > 0 && !trial:
		return stays // a call from before it opened
	case c.delay > 0:
		*c = circuit{}
		return closes
	case c.breaker != nil && c.breaker.Metrics().Failures() > 0:
		*c = circuit{}
	}
	return stays
}

// inconclusive notes that a trial ended without a word of the system, as when its caller went away.
func (c *circuit) inconclusive(trial bool) {
	if trial && c.delay > 0 {
		c.breaker = build(againDelay)
		c.breaker.Open()
	}
}

// reset closes it.
func (c *circuit) reset() move {
	was := c.delay
	*c = circuit{}
	if was > 0 {
		return closes
	}
	return stays
}

// wait is how long it is until a call may try; 0: now, or closed.
func (c *circuit) wait() time.Duration {
	if c.delay == 0 {
		return 0
	}
	return c.breaker.RemainingDelay()
}

func (c *circuit) state() wire.CircuitState {
	switch {
	case c.delay == 0:
		return wire.CircuitClosed
	case c.breaker.IsHalfOpen():
		return wire.CircuitHalfOpen
	}
	return wire.CircuitOpen
}

// spread varies a delay.
func spread(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (1 + jitter*(2*rand.Float64()-1)))
}
