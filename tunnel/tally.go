package tunnel

import (
	"context"
	"sync"
)

// tally counts the calls under way, of each direction, and can be closed to new ones of our own.
type tally struct {
	mu     sync.Mutex
	own    int
	served int // of the peer's
	closed bool
	shut   chan struct{} // closed with it; nil unless somebody asked
	ended  chan struct{} // closed when the next call ends; nil unless somebody waits
}

// enter counts a call of our own; false: no new ones are taken.
func (t *tally) enter() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.own++
	return true
}

// leave counts the end of a call of our own.
func (t *tally) leave() { t.end(&t.own) }

// serve counts a call of the peer's. It is taken even when closed: the peer may not know yet.
func (t *tally) serve() {
	t.mu.Lock()
	t.served++
	t.mu.Unlock()
}

// answered counts the end of a call of the peer's.
func (t *tally) answered() { t.end(&t.served) }

func (t *tally) end(count *int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*count--
	if t.ended != nil {
		close(t.ended)
		t.ended = nil
	}
}

func (t *tally) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.shut != nil && !t.closed {
		close(t.shut)
	}
	t.closed = true
}

// isShut gives what is closed as soon as no new calls are taken.
func (t *tally) isShut() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.shut == nil {
		t.shut = make(chan struct{})
		if t.closed {
			close(t.shut)
		}
	}
	return t.shut
}

func (t *tally) isClosed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.closed
}

// count gives the calls under way, of both directions.
func (t *tally) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.own + t.served
}

// waitOwn returns when no call of our own is under way, or ctx ends.
func (t *tally) waitOwn(ctx context.Context) error {
	return t.wait(ctx, func() bool { return t.own == 0 })
}

// waitAll returns when no call is under way, or ctx ends.
func (t *tally) waitAll(ctx context.Context) error {
	return t.wait(ctx, func() bool { return t.own+t.served == 0 })
}

func (t *tally) wait(ctx context.Context, quiet func() bool) error {
	for {
		t.mu.Lock()
		if quiet() {
			t.mu.Unlock()
			return nil
		}
		if t.ended == nil {
			t.ended = make(chan struct{})
		}
		ended := t.ended
		t.mu.Unlock()
		select {
		case <-ended:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
