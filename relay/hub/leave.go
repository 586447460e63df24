package hub

import (
	"context"
	"net/http"
	"time"

	"gantry/connectors/wire"
)

// ReturnTime is how long a call waits for an agent that said it stops, as it does for an upgrade or a restart: it is back
// within a second or two. One that is gone longer is offline.
const ReturnTime = 10 * time.Second

// leave is an agent that said it stops. The hub's lock guards it.
type leave struct {
	gone time.Time     // when its last session ended; zero: it still finishes calls
	back chan struct{} // closed when it has a session again
}

// leaves notes that an agent is about to end a session by itself.
func (h *Hub) leaves(agentID string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.left[agentID] == nil {
		h.left[agentID] = &leave{back: make(chan struct{})}
	}
}

// returned ends the waiting for an agent. The caller holds the lock.
func (h *Hub) returned(agentID string) {
	if l := h.left[agentID]; l != nil {
		close(l.back)
		delete(h.left, agentID)
	}
}

// comesBack waits for an agent that said it stops, and reports whether it has a session again; at once where it said
// nothing. What the waiting took is taken off the call's budget.
func (h *Hub) comesBack(agentID string, r *http.Request) bool {
	h.mu.Lock()
	l, patience := h.left[agentID], ReturnTime
	if l != nil && !l.gone.IsZero() {
		if patience -= time.Since(l.gone); patience <= 0 {
			delete(h.left, agentID)
			l = nil
		}
	}
	h.mu.Unlock()
	if l == nil {
		return false
	}
	begin := time.Now()
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	select {
	case <-l.back:
		if r.Header.Get(wire.HeaderBudget) != "" {
			wire.SetBudget(r.Header, wire.Budget(r.Header, 0)-time.Since(begin))
		}
		return true
	case <-ctx.Done():
	case <-h.ctx.Done():
	}
	return false
}
