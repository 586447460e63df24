package tunnel

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// admission keeps a storm of newcomers from taking the processor away from the calls under way. It counts who is not a
// session yet, in all and by address, and it gives places for the cryptography, a few at a time, to those in line.
type admission struct {
	places chan struct{}

	mu      sync.Mutex
	pending int
	address map[string]int
}

func newAdmission(places int) *admission {
	if places <= 0 {
		places = MaxHandshakes
	}
	return &admission{places: make(chan struct{}, places), address: map[string]int{}}
}

// enter counts a newcomer in; false: there are too many. address is a host, with or without a port.
func (a *admission) enter(address string) (leave func(), ok bool) {
	host := hostOf(address)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pending >= maxPending || a.address[host] >= maxPendingAddress {
		return nil, false
	}
	a.pending++
	a.address[host]++
	return func() { a.leave(host) }, true
}

func (a *admission) leave(host string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pending--
	if a.address[host]--; a.address[host] == 0 {
		delete(a.address, host)
	}
}

func hostOf(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}

var errLine = errors.New("no turn came in time")

// place waits for a turn at the cryptography, in the order of arrival.
func (a *admission) place(ctx context.Context) error {
	select {
	case a.places <- struct{}{}:
		return nil
	default:
	}
	turn := time.NewTimer(line)
	defer turn.Stop()
	select {
	case a.places <- struct{}{}:
		return nil
	case <-turn.C:
		return errLine
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (a *admission) giveBack() { <-a.places }

// working is the connection under a handshake that holds a place. While it waits for the peer it gives the place to
// somebody else: a slow or silent peer holds none.
type working struct {
	net.Conn
	ctx  context.Context
	gate *admission
	free bool // the place could not be had again
}

// Read implements net.Conn.
func (c *working) Read(p []byte) (int, error) {
	c.gate.giveBack()
	n, err := c.Conn.Read(p)
	if turn := c.gate.place(c.ctx); turn != nil {
		c.free = true
		return 0, turn
	}
	// The turn may have taken long, and that is not the peer's fault: its time for the next step begins now.
	if fresh := c.Conn.SetDeadline(time.Now().Add(stage)); err == nil {
		err = fresh
	}
	return n, err
}
