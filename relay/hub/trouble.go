package hub

import (
	"time"

	"gantry/tunnel"
)

// maxTroubles is how many agents' troubles are remembered.
const maxTroubles = 4096

// Trouble is what last went wrong with an agent's sessions, since the relay started. It is for support to read.
type Trouble struct {
	EndedAt   time.Time // of its last session, when no other was left
	EndReason string
	RefusedAt time.Time
	Refusal   string // code and words
}

// Trouble tells what last went wrong with an agent's sessions.
func (h *Hub) Trouble(agentID string) Trouble {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.troubles[agentID]
}

func (h *Hub) noteRefusal(agentID string, refusal *tunnel.Refused) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.note(agentID, func(t *Trouble) {
		t.RefusedAt, t.Refusal = time.Now().UTC(), refusal.Code+" ("+refusal.Message+")"
	})
}

// noteEnd is for a caller that holds the lock.
func (h *Hub) noteEnd(agentID string, reason error) {
	h.note(agentID, func(t *Trouble) {
		t.EndedAt, t.EndReason = time.Now().UTC(), "no reason was given"
		if reason != nil {
			t.EndReason = reason.Error()
		}
	})
}

// note changes what is remembered of an agent; where there are too many, any other is forgotten. The caller holds the lock.
func (h *Hub) note(agentID string, change func(*Trouble)) {
	t, known := h.troubles[agentID]
	for other := range h.troubles {
		if known || len(h.troubles) < maxTroubles {
			break
		}
		delete(h.troubles, other)
	}
	change(&t)
	h.troubles[agentID] = t
}
