package calls

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"gantry/configs"
	"gantry/tunnel/fault"
)

// limiter keeps a connection within the plant's caps and within what its system is to be asked for. The caps may
// change between two calls.
type limiter struct {
	mu      sync.Mutex
	running int
	policy  bucket
	system  bucket
}

// caps are what holds for one call; zero is no cap.
type caps struct {
	concurrency int
	policy      configs.Rate // the plant's
	system      configs.Rate // the definition's
}

// bucket is a token bucket that follows a rate which may change. It holds a second's worth, at least one.
type bucket struct {
	rate   configs.Rate
	tokens *rate.Limiter
}

// enter takes a place for one call; leave gives it back. The error is OVERLOADED or RATE_LIMIT_EXCEEDED, and nothing
// was sent.
func (l *limiter) enter(c caps) (leave func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.concurrency > 0 && l.running >= c.concurrency {
		return nil, fault.New(fault.Overloaded, "The plant's policy lets %d calls of this connection run at once.", c.concurrency).
			At(fault.HopPolicy).Ended(fault.NotSent)
	}
	if wait := l.policy.take(c.policy); wait > 0 {
		return nil, tooFast("The plant's policy", wait).At(fault.HopPolicy)
	}
	if wait := l.system.take(c.system); wait > 0 {
		return nil, tooFast("The system's definition", wait).At(fault.HopAgent)
	}
	l.running++
	return sync.OnceFunc(l.leave), nil
}

func (l *limiter) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running--
}

func tooFast(who string, wait time.Duration) *fault.Error {
	return fault.New(fault.RateLimitExceeded, "%s limits how often this connection may call.", who).Ended(fault.NotSent).After(wait)
}

// take takes a token, or says how long to wait for one.
func (b *bucket) take(r configs.Rate) time.Duration {
	if r == (configs.Rate{}) {
		return 0
	}
	if b.tokens == nil || b.rate != r {
		b.rate = r
		b.tokens = rate.NewLimiter(rate.Limit(r.PerSecond()), max(1, int(r.PerSecond())))
	}
	reservation := b.tokens.Reserve()
	wait := reservation.Delay()
	if wait > 0 {
		reservation.Cancel()
	}
	return wait
}
