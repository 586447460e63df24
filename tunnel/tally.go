package tunnel

import (
	"context"
	"sync"
)

// tally counts the calls under way, of both directions, and can be closed to new ones of our own.
type tally struct {
	mu     sync.Mutex
	n      int
	closed bool
	quiet  chan struct{} // closed when n reaches zero; nil unless somebody waits
}

// enter counts a call of our own; false: no new ones are taken.
func (t *tally) enter() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.n++
	return true
}

// serve counts a call of the peer's. It is taken even when closed: the peer may not know yet.
func (t *tally) serve() {
	t.mu.Lock()
	t.n++
	t.mu.Unlock()
}

func (t *tally) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n--
	if t.n == 0 && t.quiet != nil {
		close(t.quiet)
		t.quiet = nil
	}
}

func (t *tally) close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
}

func (t *tally) count() (n int, closed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n, t.closed
}

// wait returns when no call is under way, or ctx ends.
func (t *tally) wait(ctx context.Context) error {
	for {
		t.mu.Lock()
		if t.n == 0 {
			t.mu.Unlock()
			return nil
		}
		if t.quiet == nil {
			t.quiet = make(chan struct{})
		}
		quiet := t.quiet
		t.mu.Unlock()
		select {
		case <-quiet:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
