package hub

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"gantry/connectors/wire"
)

// Listener hears what agents tell of the health of their connections; *status.Keeper is one. For one agent it is called
// from one goroutine at a time, and it may not wait. What an agent tells is its claim: the listener judges it.
type Listener interface {
	// Holds is told first on each stream: all the connections that the agent holds, as they were asked for at a time.
	Holds(agentID string, all []wire.Health, asked time.Time)
	// Told is told from then on: one connection that changed.
	Told(agentID string, health wire.Health)
}

// Bounds of what an agent tells.
const (
	maxHealth  = 1 << 20 // bytes of one connection's health
	maxHolding = 10_000  // connections of one agent
	maxPace    = 500     // news a second: an agent that has more is read more slowly, and costs the others nothing
	silentFor  = 3 * wire.HealthBeat
)

// How long the hub waits before it asks an agent for its health again.
const (
	firstWait = 250 * time.Millisecond
	lastWait  = 15 * time.Second
)

// watch listens to an agent until its last session ends; once, however many sessions it has.
func (h *Hub) watch(agentID string) {
	if h.Listener == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	agent := h.agents[agentID]
	if agent == nil || agent.unwatch != nil {
		return
	}
	ctx, cancel := context.WithCancel(h.ctx)
	agent.unwatch = cancel
	h.tasks.Go(func() {
		defer cancel()
		h.listen(ctx, agentID)
	})
}

// listen follows the agent's stream of health, on one session after the other.
func (h *Hub) listen(ctx context.Context, agentID string) {
	wait := firstWait
	for {
		begin := time.Now()
		if l := h.pick(agentID, Calls, nil); l != nil {
			err := h.follow(ctx, l)
			if ctx.Err() == nil && !l.session.Draining() {
				h.Logger.Warn("agent tells no health", "agent_id", agentID, "error", err)
			}
		}
		if wait = min(2*wait, lastWait); time.Since(begin) > silentFor {
			wait = firstWait
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}

// follow reads the stream on one session, until it ends or the session takes no more calls: whoever drains a session
// waits for the calls on it, and this one has no end.
func (h *Hub) follow(ctx context.Context, l *link) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	retired := make(chan struct{})
	go func() {
		defer close(retired)
		select {
		case <-l.session.Retired():
			cancel()
		case <-ctx.Done():
		}
	}()
	defer func() { cancel(); <-retired }()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://agent"+wire.PathHealth, nil)
	if err != nil {
		return fmt.Errorf("ask for health: %w", err)
	}
	r.Close = true
	asked := time.Now()
	silence := time.AfterFunc(silentFor, cancel)
	defer silence.Stop()
	response, err := l.session.RoundTripper().RoundTrip(r)
	if err != nil {
		return fmt.Errorf("ask for health: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if kind := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || kind != wire.NDJSON {
		return fmt.Errorf("ask for health: status %d, content type %q", response.StatusCode, kind)
	}
	return h.hear(l.agentID, response.Body, asked, func() { silence.Reset(silentFor) })
}

// hear passes the lines of a stream on; beat is called for each.
func (h *Hub) hear(agentID string, stream io.Reader, asked time.Time, beat func()) error {
	var all []wire.Health
	complete := false
	var pace pace
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, maxHealth)
	for lines.Scan() {
		var health wire.Health
		if err := json.Unmarshal(lines.Bytes(), &health); err != nil {
			return fmt.Errorf("parse health: %w", err)
		}
		beat()
		switch {
		case complete && health.Connection != "":
			h.Listener.Told(agentID, health)
			pace.keep()
		case complete:
		case health.Connection == "":
			h.Listener.Holds(agentID, all, asked)
			all, complete = nil, true
		case len(all) == maxHolding:
			return errors.New("the agent tells of too many connections")
		default:
			all = append(all, health)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read health: %w", err)
	}
	return errors.New("the agent ended its stream of health")
}

// pace holds back a reader that has had its lines of the second.
type pace struct {
	begun time.Time
	lines int
}

func (p *pace) keep() {
	now := time.Now()
	if now.Sub(p.begun) >= time.Second {
		p.begun, p.lines = now, 0
	}
	if p.lines++; p.lines >= maxPace {
		time.Sleep(p.begun.Add(time.Second).Sub(now))
	}
}
