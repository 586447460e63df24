package calls

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gantry/configs"
	"gantry/tunnel/fault"
)

// TestPace: what comes faster than the rate waits for its turn, in order, up to the limit; the rest is told when to come back.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l limiter
		start := time.Now()
		limits := caps{system: rated(t, "2/s")}
		var mu sync.Mutex
		var order []int
		var at []time.Duration
		var calls sync.WaitGroup
		for i := range 6 { // two at once, four within two seconds
			calls.Go(func() {
				leave, err := l.enter(t.Context(), limits)
				if err != nil {
					t.Errorf("call %d: %v", i, err)
					return
				}
				defer leave()
				mu.Lock()
				defer mu.Unlock()
				order, at = append(order, i), append(at, time.Since(start))
			})
			synctest.Wait()
		}
		_, err := l.enter(t.Context(), limits)
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Code != fault.RateLimitExceeded || f.Outcome != fault.NotSent || f.RetryAfter != 2500*time.Millisecond {
			t.Errorf("the seventh: %v", err)
		}
		calls.Wait()
		if !slices.IsSorted(order) || at[1] != 0 || at[2] != 500*time.Millisecond || at[5] != 2*time.Second {
			t.Errorf("order %v at %v", order, at)
		}
		if l.running != 0 {
			t.Errorf("%d places are still taken", l.running)
		}
	})
}

// TestPaceEnds: a call whose time is too short is refused at once, and one whose caller leaves gives its turn back.
func TestPaceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l limiter
		limits := caps{concurrency: 2, policy: rated(t, "1/s")}
		leave, err := l.enter(t.Context(), limits)
		if err != nil {
			t.Fatal(err)
		}
		leave()
		short, end := context.WithTimeout(t.Context(), 900*time.Millisecond)
		defer end()
		start := time.Now()
		if _, err := l.enter(short, limits); fault.From(err, "").Code != fault.RateLimitExceeded || time.Since(start) != 0 {
			t.Errorf("a short budget: %v after %s", err, time.Since(start))
		}
		gone, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(100*time.Millisecond, func() { cancel(errStops) })
		if _, err := l.enter(gone, limits); !errors.Is(err, errStops) || time.Since(start) != 100*time.Millisecond {
			t.Errorf("a caller who left: %v after %s", err, time.Since(start))
		}
		if _, err := l.enter(t.Context(), limits); err != nil || time.Since(start) != time.Second {
			t.Errorf("the turn was not given back: %v after %s", err, time.Since(start))
		}
	})
}

func rated(t *testing.T, text string) configs.Rate {
	t.Helper()
	r, err := configs.ParseRate(text)
	fatal(t, err)
	return r
}
