package hub

import (
	"context"
	"errors"

	"gantry/relay/store"
	"gantry/tunnel"
	"gantry/tunnel/pki"
)

// Admit decides whether a peer may have a session; nil: it may. It is what tunnel.Acceptor asks.
func (h *Hub) Admit(ctx context.Context, peer tunnel.Peer) *tunnel.Refused {
	refusal := h.admit(ctx, peer)
	if refusal != nil {
		if refusal.Code != tunnel.CodeUnknownAgent {
			h.noteRefusal(peer.AgentID, refusal)
		}
		h.Logger.Warn("session refused", "agent_id", peer.AgentID, "code", refusal.Code, "remote", peer.RemoteAddr)
	}
	return refusal
}

func (h *Hub) admit(ctx context.Context, peer tunnel.Peer) *tunnel.Refused {
	agent, err := h.Register.Agent(ctx, peer.AgentID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return refuse(tunnel.CodeUnknownAgent, true, "this relay knows no such agent; enrol it again")
	case err != nil:
		h.Logger.Error("agent cannot be looked up", "agent_id", peer.AgentID, "error", err)
		return refuse(tunnel.CodeOverloaded, false, "the relay cannot look the agent up now")
	case !agent.RevokedAt.IsZero():
		return revoked()
	case agent.Key != store.Hash(pki.PinOf(peer.Certificate)):
		return refuse(tunnel.CodeWrongCertificate, true, "the certificate is not for the key that the agent enrolled with")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.mayJoin(peer.AgentID, peer.Hello)
}

// mayJoin applies the rules of identity; the caller holds the lock. On one machine the newer instance replaces the older.
// Another machine with the same identity is a clone: while the first one lives, it is refused.
func (h *Hub) mayJoin(agentID string, hello tunnel.Hello) *tunnel.Refused {
	if h.closed {
		return refuse(tunnel.CodeDraining, false, "the relay stops; try again soon")
	}
	if h.revoked[agentID] {
		return revoked()
	}
	agent := h.agents[agentID]
	if agent == nil {
		return nil
	}
	same := 0
	for _, l := range agent.links {
		if l.peer.Hello.MachineID != hello.MachineID && !ended(l.session) {
			return refuse(tunnel.CodeIdentityInUse, false, "another machine is connected with this agent's identity; enrol this machine as an agent of its own")
		}
		if l.peer.Hello.InstanceID == hello.InstanceID {
			same++
		}
	}
	if same >= maxSessions {
		return refuse(tunnel.CodeOverloaded, false, "the agent has too many sessions")
	}
	return nil
}

func revoked() *tunnel.Refused {
	return refuse(tunnel.CodeRevoked, true, "the agent has been revoked; enrol it again with a new token")
}

func refuse(code string, permanent bool, message string) *tunnel.Refused {
	return &tunnel.Refused{Code: code, Message: message, Permanent: permanent}
}

// Revoke closes an agent's sessions at once and lets it in no more. The store has to know it, too.
func (h *Hub) Revoke(agentID string) {
	h.mu.Lock()
	h.revoked[agentID] = true
	h.mu.Unlock()
	end(h.links(agentID), "the agent has been revoked")
}
