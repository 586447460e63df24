package tunnel

import (
	"net"
	"sync"
	"time"
)

// past is a deadline that is over.
var past = time.Unix(1, 0)

// readers are the live streams of a session, kept to wake who reads from them when the session ends. yamux 0.1.2 lets a
// blocked reader spin from the session's end until it gets to closing that stream; with hundreds of streams the spinning
// keeps it from getting there for seconds. A read that has timed out does not spin.
type readers struct {
	mu    sync.Mutex
	live  map[net.Conn]struct{}
	ended bool
}

func (r *readers) add(c net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.live == nil {
		r.live = map[net.Conn]struct{}{}
	}
	r.live[c] = struct{}{}
	if r.ended {
		_ = c.SetReadDeadline(past)
	}
}

func (r *readers) remove(c net.Conn) {
	r.mu.Lock()
	delete(r.live, c)
	r.mu.Unlock()
}

// wake ends every read, and every one to come. Setting a stream's deadline does no I/O.
func (r *readers) wake() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	r.ended = true
	for c := range r.live {
		_ = c.SetReadDeadline(past)
	}
}

// setDeadline sets a read deadline unless the session has ended: net/http sets and clears them.
func (r *readers) setDeadline(c net.Conn, t time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return nil
	}
	return c.SetReadDeadline(t)
}
