package links

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fake is a session in memory.
type fake struct {
	mu     sync.Mutex
	done   chan struct{}
	err    error
	mute   bool          // does not answer pings
	busy   time.Duration // how long a drain takes
	drains int
}

func newFake() *fake { return &fake{done: make(chan struct{})} }

func (f *fake) RoundTripper() http.RoundTripper { return nil }
func (f *fake) Done() <-chan struct{}           { return f.done }
func (f *fake) Close(string)                    { f.end(nil) }

func (f *fake) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

func (f *fake) Ping(ctx context.Context) (time.Duration, error) {
	f.mu.Lock()
	mute := f.mute
	f.mu.Unlock()
	if mute {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	return 20 * time.Millisecond, nil
}

func (f *fake) Drain(ctx context.Context) error {
	f.mu.Lock()
	f.drains++
	f.mu.Unlock()
	select {
	case <-time.After(f.busy):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *fake) end(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-f.done:
	default:
		f.err = err
		close(f.done)
	}
}

func (f *fake) drained() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.drains > 0
}

// relay is what a supervisor dials.
type relay struct {
	mu       sync.Mutex
	err      error // of the next dials
	sessions []*fake
	retire   []func()
	dials    []time.Time
}

func (r *relay) dial(_ context.Context, _ int, retire func()) (Session, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dials = append(r.dials, time.Now())
	if r.err != nil {
		return nil, r.err
	}
	f := newFake()
	r.sessions, r.retire = append(r.sessions, f), append(r.retire, retire)
	return f, nil
}

func (r *relay) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

func (r *relay) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.dials)
}

func (r *relay) latest() *fake {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sessions[len(r.sessions)-1]
}

type refused struct{ permanent bool }

func (refused) Error() string { return "refused" }

// inBubble runs a supervisor on a fake clock and stops it at the end, which proves that no goroutine is left behind.
func inBubble(t *testing.T, sessions int, do func(t *testing.T, r *relay, s *Supervisor)) {
	synctest.Test(t, func(t *testing.T) {
		r := &relay{}
		s := New(Options{
			Sessions: sessions, Dial: r.dial, Logger: slog.New(slog.DiscardHandler),
			Refusal: func(err error) (Refusal, bool) {
				no, ok := errors.AsType[refused](err)
				return Refusal{Code: "revoked", Permanent: no.permanent}, ok
			},
			Jitter: func(limit time.Duration) time.Duration { return limit }, // the longest: what bounds it
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); s.Run(ctx) }()
		synctest.Wait()
		do(t, r, s)
		cancel()
		<-ended
		for _, one := range s.Snapshot() {
			if one.State != Stopped {
				t.Errorf("slot %d is %s at the end", one.Slot, one.State)
			}
		}
		if s.Session() != nil {
			t.Error("a session after the end")
		}
	})
}

func states(s *Supervisor) []State {
	var all []State
	for _, one := range s.Snapshot() {
		all = append(all, one.State)
	}
	return all
}

func TestAllSlotsConnect(t *testing.T) {
	inBubble(t, 2, func(t *testing.T, r *relay, s *Supervisor) {
		for _, one := range s.Snapshot() {
			if one.State != Connected || one.RoundTrip != 20*time.Millisecond {
				t.Errorf("slot %d: %+v", one.Slot, one)
			}
		}
	})
}

func TestBackOffGrowsToItsCeiling(t *testing.T) {
	inBubble(t, 1, func(t *testing.T, r *relay, s *Supervisor) {
		r.fail(errors.New("no route"))
		r.sessions[0].end(errors.New("cut"))
		time.Sleep(3 * time.Minute)
		r.mu.Lock()
		defer r.mu.Unlock()
		var gaps []time.Duration
		for i := 2; i < len(r.dials); i++ {
			gaps = append(gaps, r.dials[i].Sub(r.dials[i-1]))
		}
		want := []time.Duration{1, 2, 4, 8, 16, 30, 30, 30}
		for i, w := range want[:min(len(want), len(gaps))] {
			if gaps[i] != w*time.Second {
				t.Errorf("gap %d is %s, want %s", i, gaps[i], w*time.Second)
			}
		}
		if len(gaps) < 7 {
			t.Errorf("only %d tries in three minutes", len(gaps))
		}
		if got := s.Snapshot()[0]; got.State != Waiting || got.LastError != "no route" || got.NextTry.IsZero() {
			t.Errorf("%+v", got)
		}
	})
}

// TestAcceptAndDropIsNotHammered has a relay that takes sessions and drops them at once.
func TestAcceptAndDropIsNotHammered(t *testing.T) {
	inBubble(t, 1, func(t *testing.T, r *relay, s *Supervisor) {
		for range 6 {
			r.latest().end(errors.New("dropped"))
			synctest.Wait()
			time.Sleep(time.Until(s.Snapshot()[0].NextTry))
			synctest.Wait()
		}
		if got := s.Snapshot()[0].Attempts; got != 6 {
			t.Fatalf("%d attempts are remembered, want 6", got)
		}
		time.Sleep(time.Minute) // of health
		r.latest().end(errors.New("cut"))
		synctest.Wait()
		if wait := time.Until(s.Snapshot()[0].NextTry); wait > 500*time.Millisecond {
			t.Errorf("after a minute of health it waits %s", wait)
		}
	})
}

func TestPermanentRefusalIsTriedSlowly(t *testing.T) {
	inBubble(t, 1, func(t *testing.T, r *relay, s *Supervisor) {
		r.fail(refused{permanent: true})
		r.sessions[0].end(errors.New("revoked"))
		time.Sleep(time.Second)
		before := r.count()
		got := s.Snapshot()[0]
		if got.State != Refused || got.Refusal == nil || got.Refusal.Code != "revoked" {
			t.Fatalf("%+v", got)
		}
		time.Sleep(5 * time.Minute)
		if n := r.count() - before; n != 0 {
			t.Errorf("%d tries within five minutes", n)
		}
		r.fail(nil)
		time.Sleep(time.Minute)
		if got := s.Snapshot()[0]; got.State != Connected || got.Refusal != nil {
			t.Errorf("after it was mended: %+v", got)
		}
	})
}

func TestRetryIsAtOnce(t *testing.T) {
	inBubble(t, 1, func(t *testing.T, r *relay, s *Supervisor) {
		r.fail(refused{permanent: true})
		r.sessions[0].end(nil)
		time.Sleep(time.Second)
		r.fail(nil)
		s.Retry()
		synctest.Wait()
		if got := states(s); got[0] != Connected {
			t.Error(got)
		}
	})
}

func TestDrainedSessionIsReplacedWhileItFinishes(t *testing.T) {
	inBubble(t, 2, func(t *testing.T, r *relay, s *Supervisor) {
		old := r.sessions[0]
		old.busy = 10 * time.Second
		r.retire[0]()
		r.retire[0]() // told twice
		time.Sleep(time.Second)
		synctest.Wait()
		snapshot := s.Snapshot()
		retiring := snapshot[0].Retiring + snapshot[1].Retiring
		if r.count() != 3 || retiring != 1 || snapshot[0].State != Connected || snapshot[1].State != Connected {
			t.Fatalf("%d dials, %+v", r.count(), snapshot)
		}
		select {
		case <-old.Done():
			t.Error("the old session ended with calls under way")
		default:
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if _, open := <-old.Done(); open {
			t.Error("the old session is still open")
		}
		if r.count() != 3 {
			t.Errorf("its end made %d dials", r.count())
		}
	})
}

func TestSilentSessionIsClosed(t *testing.T) {
	inBubble(t, 1, func(t *testing.T, r *relay, s *Supervisor) {
		f := r.sessions[0]
		f.mu.Lock()
		f.mute = true
		f.mu.Unlock()
		time.Sleep(30 * time.Second)
		synctest.Wait()
		select {
		case <-f.Done():
		default:
			t.Fatal("a session that answers no ping is still open")
		}
		if r.count() < 2 {
			t.Error("it was not replaced")
		}
	})
}

func TestStopDrainsWithinBounds(t *testing.T) {
	var stuck *fake
	var began time.Time
	synctest.Test(t, func(t *testing.T) {
		r := &relay{}
		s := New(Options{Sessions: 1, Dial: r.dial, Logger: slog.New(slog.DiscardHandler), Refusal: func(error) (Refusal, bool) { return Refusal{}, false }})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); s.Run(ctx) }()
		synctest.Wait()
		stuck = r.sessions[0]
		stuck.busy = time.Hour
		began = time.Now()
		cancel()
		<-ended
		if took := time.Since(began); took != 30*time.Second || !stuck.drained() {
			t.Errorf("stopped after %s, drained %v", took, stuck.drained())
		}
	})
}

// TestDialUnderWayAtTheEnd has a session arrive after nobody waits for it any more.
func TestDialUnderWayAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := newFake()
		s := New(Options{Sessions: 1, Logger: slog.New(slog.DiscardHandler), Refusal: func(error) (Refusal, bool) { return Refusal{}, false },
			Dial: func(context.Context, int, func()) (Session, error) { time.Sleep(time.Second); return late, nil }})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); s.Run(ctx) }()
		synctest.Wait()
		cancel()
		<-ended
		select {
		case <-late.Done():
		default:
			t.Error("the late session was left open")
		}
	})
	runtime.GC()
}
