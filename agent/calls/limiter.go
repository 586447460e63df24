package calls

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"gantry/configs"
	"gantry/tunnel/fault"
)

// paceTime is how long a call waits for its turn before it is refused: a burst is smoothed, a flood is told.
const paceTime = 2 * time.Second

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

// enter takes a place for one call, and waits for the call's turn where a rate asks for it: at most paceTime, never beyond
// ctx, in the order in which the calls came. leave gives the place back. The error is OVERLOADED, RATE_LIMIT_EXCEEDED or
// ctx's cause, and nothing was sent.
func (l *limiter) enter(ctx context.Context, c caps) (leave func(), err error) {
	t, err := l.take(c, longest(ctx))
	if err != nil {
		return nil, err
	}
	if err := t.wait(ctx); err != nil {
		t.cancel()
		l.leave()
		return nil, err
	}
	return sync.OnceFunc(l.leave), nil
}

// longest is how long a call may wait and still be answered in its time.
func longest(ctx context.Context) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return min(paceTime, time.Until(deadline))
	}
	return paceTime
}

// take reserves a place and a turn at most `longest` from now, or nothing.
func (l *limiter) take(c caps, longest time.Duration) (turn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.concurrency > 0 && l.running >= c.concurrency {
		return turn{}, fault.New(fault.Overloaded, "The plant's policy lets %d calls of this connection run at once.", c.concurrency).
			At(fault.HopPolicy).Ended(fault.NotSent)
	}
	t := turn{policy: l.policy.reserve(c.policy), system: l.system.reserve(c.system)}
	policy, system := delay(t.policy), delay(t.system)
	if max(policy, system) > longest {
		t.cancel()
		if policy >= system {
			return turn{}, tooFast("The plant's policy", policy).At(fault.HopPolicy)
		}
		return turn{}, tooFast("The system's definition", system).At(fault.HopAgent)
	}
	l.running++
	t.delay = max(policy, system)
	return t, nil
}

func (l *limiter) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running--
}

func tooFast(who string, wait time.Duration) *fault.Error {
	return fault.New(fault.RateLimitExceeded, "%s limits how often this connection may call.", who).Ended(fault.NotSent).After(wait)
}

// turn is one call's place in the order of both rates; nil is no rate.
type turn struct {
	policy, system *rate.Reservation
	delay          time.Duration
}

// wait lets the delay pass.
func (t turn) wait(ctx context.Context) error {
	if t.delay <= 0 {
		return nil
	}
	timer := time.NewTimer(t.delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// cancel gives the turn back, to those who come after.
func (t turn) cancel() {
	for _, r := range []*rate.Reservation{t.policy, t.system} {
		if r != nil {
			r.Cancel()
		}
	}
}

func delay(r *rate.Reservation) time.Duration {
	if r == nil {
		return 0
	}
	return r.Delay()
}

// reserve takes the next token, which may lie in the future.
func (b *bucket) reserve(r configs.Rate) *rate.Reservation {
	if r == (configs.Rate{}) {
		return nil
	}
	if b.tokens == nil || b.rate != r {
		b.rate = r
		b.tokens = rate.NewLimiter(rate.Limit(r.PerSecond()), max(1, int(r.PerSecond())))
	}
	return b.tokens.Reserve()
}
