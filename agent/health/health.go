// Package health is what the agent knows of its connections: whether each one's system answers, whether it takes the
// login, and how each operation on each entity does. The ends of calls and the agent's own probes feed it; the relay, the
// command line and the doctor read it.
//
// The same knowledge protects the plant's systems. Before a call reaches for one it asks Connection.Admit, and tells by
// Permit.Ended how it went. Three things hold calls back: a circuit that is open, of the connection as a whole or of one
// operation on one entity, for a system that cannot be reached or does not answer; a throttle, while the system asks for
// fewer calls; and a refused login, which is not tried again in a loop, so that no account is locked. What a caller did
// wrong, what the system refuses by its own rules, and the rights that a login lacks, hold nothing back.
//
// A Book holds the connections; a Prober looks at those that no call has looked at. The package makes no call itself, and
// stores nothing: after a restart it finds out anew.
package health

import (
	"cmp"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Book holds the health of every connection of the agent.
type Book struct {
	logger *slog.Logger

	mu          sync.Mutex
	connections map[string]*Connection
	watchers    map[chan struct{}]struct{}
	wake        chan struct{} // a probe may be due sooner
}

// New makes an empty book.
func New(logger *slog.Logger) *Book {
	return &Book{
		logger: logger, connections: make(map[string]*Connection), watchers: make(map[chan struct{}]struct{}), wake: make(chan struct{}, 1),
	}
}

// Connection gives the health of a connection, which begins here if it is not known yet.
func (b *Book) Connection(id string) *Connection {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.connections[id]
	if c == nil {
		c = newConnection(b, id)
		b.connections[id] = c
		b.tell()
	}
	return c
}

// Known gives the health of a connection; nil: none is known.
func (b *Book) Known(id string) *Connection {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.connections[id]
}

// Drop forgets a connection that the agent no longer holds.
func (b *Book) Drop(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.connections, id)
	b.tell()
}

// all lists the connections in the order of their ids.
func (b *Book) all() []*Connection {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]*Connection, 0, len(b.connections))
	for _, c := range b.connections {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *Connection) int { return cmp.Compare(a.id, b.id) })
	return all
}

// changed tells the watchers and the prober that a state changed. No lock of a connection is held.
func (b *Book) changed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tell()
}

// tell signals; the lock is held.
func (b *Book) tell() {
	signal(b.wake)
	for w := range b.watchers {
		signal(w)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// until is how long it is until t; 0 if it has passed.
func until(now, t time.Time) time.Duration { return max(t.Sub(now), 0) }
