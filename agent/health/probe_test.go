package health

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// probed runs the prober over the bench's book with a look that ends as `now` says; it gives the times of the looks.
func (b *bench) probed(now func() error) (looks func() []time.Duration) {
	var mu sync.Mutex
	var at []time.Duration
	start := time.Now()
	ctx, cancel := context.WithCancel(b.t.Context())
	var work sync.WaitGroup
	work.Go(func() {
		b.book.Probe(ctx, func(_ context.Context, c *Connection) {
			mu.Lock()
			at = append(at, time.Since(start))
			mu.Unlock()
			permit, err := c.Admit(Place{}, "")
			if err != nil {
				return
			}
			permit.Ended(now())
		})
	})
	b.t.Cleanup(func() {
		cancel()
		work.Wait()
	})
	return func() []time.Duration {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(at)
	}
}

// TestProbes: one a minute while all is well; by the circuit's delay while the system is away, so that its return is noticed
// within half a minute however long it was away.
func TestProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		var end atomic.Pointer[error]
		set := func(err error) { end.Store(&err) }
		set(nil)
		looks := b.probed(func() error { return *end.Load() })
		time.Sleep(10 * time.Minute)
		healthy := looks()
		if healthy[0] > firstWithin || len(healthy) < 8 || len(healthy) > 13 {
			t.Errorf("looks in ten minutes: %v", healthy)
		}
		set(down())
		time.Sleep(time.Hour)
		away := len(looks()) - len(healthy)
		if most := int(time.Hour / (longestDelay * 8 / 10)); away < 100 || away > most+10 {
			t.Errorf("%d looks in an hour at a system that is away", away)
		}
		if got := b.c.Document(); got.System.State != wire.SystemUnreachable || got.System.NextProbeInMS > 24_000 {
			t.Errorf("got %+v", got.System)
		}
		set(nil)
		time.Sleep(30 * time.Second)
		if got := b.c.Document(); got.System.State != wire.SystemReachable || got.Circuit.State != wire.CircuitClosed {
			t.Errorf("half a minute after its return: %+v", got)
		}
	})
}

// TestProbesWait: in quiet hours, while the system is throttled, and before a refused login may be tried again, there is none.
func TestProbesWait(t *testing.T) {
	for name, hold := range map[string]struct {
		by   func(b *bench)
		span time.Duration
	}{
		"quiet hours":   {func(b *bench) { b.c.Quiet(time.Now().Add(3 * time.Hour)) }, 3 * time.Hour},
		"throttled":     {func(b *bench) { b.passes(items, fault.New(fault.SystemRateLimited, "").After(time.Hour)) }, time.Hour},
		"refused login": {func(b *bench) { b.passes(items, refused()) }, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				hold.by(b)
				looks := b.probed(func() error { return nil })
				time.Sleep(hold.span - time.Second)
				if early := looks(); len(early) > 0 {
					t.Errorf("looked after %s", early)
				}
				time.Sleep(time.Minute)
				if len(looks()) == 0 {
					t.Error("none when the time was over")
				}
			})
		})
	}
}

// TestProbesAreFew: of many connections a few are looked at at once, and all are; the prober waits for them when it ends.
func TestProbesAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		book := New(slog.New(slog.DiscardHandler))
		for i := range 100 {
			book.Connection(fmt.Sprintf("con_%d", i))
		}
		var running, most atomic.Int64
		var seen sync.Map
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			book.Probe(ctx, func(ctx context.Context, c *Connection) {
				if now := running.Add(1); now > most.Load() {
					most.Store(now)
				}
				defer running.Add(-1)
				seen.Store(c.ID(), true)
				time.Sleep(time.Second)
			})
		}()
		time.Sleep(30*time.Second + 500*time.Millisecond)
		cancel()
		<-done
		count := 0
		seen.Range(func(any, any) bool { count++; return true })
		if count != 100 || most.Load() > probesAtOnce || running.Load() != 0 {
			t.Errorf("%d of 100 in half a minute, %d at once, %d after the end", count, most.Load(), running.Load())
		}
	})
}

// TestWhatFailsIsReadByProbes, at its pace; but not what has an effect.
func TestWhatFailsIsReadByProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.passes(items, fault.New(fault.SystemError, "no such column"))
		b.passes(Place{"items", "create"}, fault.New(fault.SystemError, "a trigger failed"))
		if got := b.c.Wanted(9); len(got) > 0 {
			t.Errorf("at once: %v", got)
		}
		time.Sleep(firstLook * 12 / 10)
		if got := b.c.Wanted(9); !slices.Equal(got, []Place{items}) {
			t.Errorf("got %v", got)
		}
	})
}
