package calls

import (
	"slices"
	"sync"
	"time"

	"gantry/tunnel/fault"
)

// rest knows which connections rest: those that the relay says are paused. Until it has said so for the first time since the
// agent started, all do: one may have been paused, or disconnected, while the agent was away.
type rest struct {
	mu     sync.Mutex
	told   bool
	paused []string
}

func (r *rest) tell(paused []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told, r.paused = true, slices.Clone(paused)
}

// begun reports whether the relay has said anything yet.
func (r *rest) begun() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.told
}

// pauses reports whether the relay said that a connection is paused.
func (r *rest) pauses(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Contains(r.paused, id)
}

// Rests reports whether a connection is to be left alone: no login is kept open for it, and nothing of the agent's own, as a
// probe, asks its system. Calls that the relay sends are made: it sends none while a connection is paused.
func (h *Handler) Rests(id string) bool {
	return !h.rest.begun() || h.rest.pauses(id)
}

// Why the calls of a connection end before their time. A write that was begun is not ended.
func errErased() error {
	return fault.New(fault.Conflict, "The connection was ended during the call.").At(fault.HopAgent).Reaches(fault.ScopeConnection).
		Advise("Reconnect: that makes a new connection with a new token.")
}

func errReplaced() error {
	return fault.New(fault.Conflict, "The connection got a new login during the call.").At(fault.HopAgent).Reaches(fault.ScopeConnection).
		After(time.Second).Advise("Send the call again: it is made with the new login.")
}

func errRests() error {
	return fault.New(fault.Conflict, "The connection was paused during the call.").At(fault.HopAgent).Reaches(fault.ScopeConnection).
		Advise("Resume the connection with POST /connections/{id}/resume.")
}

func errReset() error {
	return fault.New(fault.Conflict, "The connection was closed during the call, since the plant changed its policy.").At(fault.HopAgent).
		Reaches(fault.ScopeConnection).After(time.Second).Advise("Send the call again: it is made under the new policy.")
}
