package hub

import (
	"context"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"gantry/tunnel"
)

// maxSessions bounds the sessions of one agent. It has two; while it reconnects, some more.
const maxSessions = 8

// presence is the live sessions of one agent, all of one machine. The hub's lock guards it.
type presence struct {
	links   []*link
	unwatch context.CancelFunc // ends the stream of health; nil: there is none yet
}

// link is one live session.
type link struct {
	session Session
	agentID string
	peer    tunnel.Peer
	told    atomic.Bool // the agent has been told its connections, or could not be: calls may come
	stale   atomic.Bool // the agent has to be told its connections again
	seen    atomic.Int64
	trip    atomic.Int64 // nanoseconds of the last ping
}

// Presence is what is known of an agent now.
type Presence struct {
	Connected bool // at least one session takes calls, and its agent answered within StaleAfter
	Since     time.Time
	LastSeen  time.Time     // the last answer; zero: none since the relay started
	RoundTrip time.Duration // of the last ping through to the agent's loop; 0: none yet
	Sessions  int
	Addresses []string // hosts that the sessions come from, as the relay sees them
}

// StaleAfter is the age at which a proof of life is none any more.
const StaleAfter = 30 * time.Second

// Presence tells how an agent is doing.
func (h *Hub) Presence(agentID string) Presence {
	h.mu.Lock()
	defer h.mu.Unlock()
	var p Presence
	agent := h.agents[agentID]
	if agent == nil {
		return p
	}
	for _, l := range agent.links {
		p.add(l)
	}
	p.Connected = p.Connected && time.Since(p.LastSeen) < StaleAfter
	return p
}

func (p *Presence) add(l *link) {
	p.Sessions++
	if host, _, err := net.SplitHostPort(l.peer.RemoteAddr); err == nil && !slices.Contains(p.Addresses, host) {
		p.Addresses = append(p.Addresses, host)
	}
	p.Connected = p.Connected || l.open()
	if p.Since.IsZero() || l.peer.Since.Before(p.Since) {
		p.Since = l.peer.Since
	}
	if seen := time.UnixMilli(l.seen.Load()).UTC(); seen.After(p.LastSeen) {
		p.LastSeen = seen
	}
	if trip := time.Duration(l.trip.Load()); trip > 0 && (p.RoundTrip == 0 || trip < p.RoundTrip) {
		p.RoundTrip = trip
	}
}

// open reports whether the session takes calls.
func (l *link) open() bool {
	return l.told.Load() && !l.peer.Expired && !l.session.Draining() && !ended(l.session)
}

func ended(s Session) bool {
	select {
	case <-s.Done():
		return true
	default:
		return false
	}
}

// pick chooses the session for a call: of the lane if there is one, and there the one with the fewest calls.
func (h *Hub) pick(agentID string, lane Lane, not *link) *link {
	h.mu.Lock()
	defer h.mu.Unlock()
	agent := h.agents[agentID]
	if agent == nil {
		return nil
	}
	var best *link
	for _, l := range agent.links {
		if l != not && l.open() && (best == nil || l.better(best, lane)) {
			best = l
		}
	}
	return best
}

func (l *link) better(than *link, lane Lane) bool {
	mine, theirs := l.peer.Hello.Lane == lane, than.peer.Hello.Lane == lane
	if mine != theirs {
		return mine
	}
	return l.session.InFlight() < than.session.InFlight()
}

// add keeps a session that was admitted, if it may still be kept; what it replaces is given back, to be closed. The
// check is made here once more: two machines, or a revocation, may have come between admission and now.
func (h *Hub) add(l *link) (replaced []*link, refusal *tunnel.Refused) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if refusal := h.mayJoin(l.agentID, l.peer.Hello); refusal != nil {
		return nil, refusal
	}
	agent := h.agents[l.agentID]
	if agent == nil {
		agent = &presence{}
		h.agents[l.agentID] = agent
	}
	for _, other := range agent.links {
		if other.peer.Hello.InstanceID != l.peer.Hello.InstanceID {
			replaced = append(replaced, other)
		} else if other.open() {
			l.told.Store(true) // this process knows, by its other session
		}
	}
	agent.links = append(agent.links, l)
	if l.open() {
		h.returned(l.agentID)
	}
	h.tasks.Add(1) // here, so that Close, which takes the lock first, waits for it
	return replaced, nil
}

// welcome lets calls onto a session whose agent has erased what it should no longer hold.
func (h *Hub) welcome(l *link) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l.told.Store(true)
	if l.open() {
		h.returned(l.agentID)
	}
}

// remove forgets a session and reports whether it was its agent's last; how that one ended is noted.
func (h *Hub) remove(l *link) (last bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	agent := h.agents[l.agentID]
	if agent == nil {
		return false
	}
	count := l.session.Counters()
	h.bytesIn, h.bytesOut = h.bytesIn+count.BytesIn, h.bytesOut+count.BytesOut
	agent.links = slices.DeleteFunc(agent.links, func(other *link) bool { return other == l })
	if slices.ContainsFunc(agent.links, (*link).open) {
		h.returned(l.agentID) // it ended a session, and stays
	}
	if len(agent.links) > 0 {
		return false
	}
	delete(h.agents, l.agentID)
	h.noteEnd(l.agentID, l.session.Err())
	if agent.unwatch != nil {
		agent.unwatch()
	}
	if left := h.left[l.agentID]; left != nil {
		left.gone = time.Now()
	}
	return true
}

// links lists an agent's sessions.
func (h *Hub) links(agentID string) []*link {
	h.mu.Lock()
	defer h.mu.Unlock()
	if agent := h.agents[agentID]; agent != nil {
		return slices.Clone(agent.links)
	}
	return nil
}
