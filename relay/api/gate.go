package api

import (
	"sync"

	"gantry/tunnel/fault"
)

// gate bounds what runs at once for each connection. Entries live only while something runs.
type gate struct {
	limit int
	what  string // for the problem's detail
	mu    sync.Mutex
	held  map[string]int
}

func newGate(limit int, what string) *gate {
	return &gate{limit: limit, what: what, held: map[string]int{}}
}

// enter takes a place for the key; leave gives it back. Nobody waits: a caller over the limit is told so at once.
func (g *gate) enter(key string) (leave func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.limit > 0 && g.held[key] >= g.limit {
		return nil, fault.New(fault.Overloaded, "The connection has %d %s running, which is its limit.", g.limit, g.what)
	}
	g.held[key]++
	return func() { g.leave(key) }, nil
}

func (g *gate) leave(key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.held[key]--; g.held[key] == 0 {
		delete(g.held, key)
	}
}
