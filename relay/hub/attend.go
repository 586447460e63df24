package hub

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"gantry/connectors/wire"
	"gantry/relay/store"
	"gantry/tunnel"
)

// Bounds of what the hub reads from an agent for itself, in bytes, and of how long it waits.
const (
	maxPong      = 4 << 10
	maxCatalogue = 8 << 20
	setUpTime    = 30 * time.Second
	expiredLife  = time.Minute // a session that may only renew lives no longer
)

// Join takes a session that Admit let in. It returns at once; the session is attended until it ends. It is what
// tunnel.Acceptor calls.
func (h *Hub) Join(s Session) {
	l := &link{session: s, agentID: s.Peer().AgentID, peer: s.Peer()}
	l.seen.Store(time.Now().UnixMilli()) // the handshake was a proof of life
	replaced, refusal := h.add(l)
	if refusal != nil {
		s.Close(refusal.Message)
		return
	}
	go func() {
		defer h.tasks.Done()
		end(replaced, "replaced by a newer instance on the same machine")
		h.attend(l)
	}()
}

// end closes sessions, all at once: each may take a second to say goodbye.
func end(links []*link, reason string) {
	var group sync.WaitGroup
	for _, l := range links {
		group.Go(func() { l.session.Close(reason) })
	}
	group.Wait()
}

// attend looks after one session until it ends.
func (h *Hub) attend(l *link) {
	log := h.Logger.With("agent_id", l.agentID, "lane", l.peer.Hello.Lane, "remote", l.peer.RemoteAddr)
	log.Info("session opened", "expired", l.peer.Expired)
	ctx, cancel := context.WithCancel(h.ctx)
	defer cancel()
	if l.peer.Expired {
		h.awaitRenewal(ctx, l)
	} else {
		h.setUp(ctx, l)
		h.announce(ctx, l)
		h.watch(l.agentID)
		h.fetchCatalogue(ctx, l)
		h.prove(ctx, l)
	}
	l.session.Close("the relay ends the session")
	<-l.session.Done()
	if h.remove(l) {
		h.withdraw(l)
	}
	log.Info("session ended", "reason", l.session.Err())
}

// awaitRenewal leaves the session to the agent, which may only renew its certificate on it.
func (h *Hub) awaitRenewal(ctx context.Context, l *link) {
	limit := time.NewTimer(expiredLife)
	defer limit.Stop()
	select {
	case <-l.session.Done():
	case <-limit.C:
	case <-ctx.Done():
	}
}

func (h *Hub) announce(ctx context.Context, l *link) {
	if err := h.Directory.Announce(ctx, l.agentID, h.Node); err != nil {
		h.Logger.Warn("agent not announced", "agent_id", l.agentID, "error", err)
	}
	h.saw(ctx, l, l.peer.Hello.Facts)
}

// withdraw works after the hub's own context has ended, too.
func (h *Hub) withdraw(l *link) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(h.ctx), 5*time.Second)
	defer cancel()
	if err := h.Directory.Withdraw(ctx, l.agentID, h.Node); err != nil {
		h.Logger.Warn("agent not withdrawn", "agent_id", l.agentID, "error", err)
	}
	h.saw(ctx, l, nil)
}

// saw writes down when the agent was last seen. Between a session's start and its end the time is in memory alone.
func (h *Hub) saw(ctx context.Context, l *link, facts []byte) {
	if err := h.Register.SeenAgent(ctx, l.agentID, time.UnixMilli(l.seen.Load()).UTC(), facts); err != nil {
		h.Logger.Warn("agent's last sign of life not kept", "agent_id", l.agentID, "error", err)
	}
}

// setUp tells the agent what it should hold, before any call: while it was away, connections may have ended, whose logins it
// has to erase first, or have been paused. An agent that cannot do so is told again with each ping, and serves the others.
func (h *Hub) setUp(ctx context.Context, l *link) {
	ctx, cancel := context.WithTimeout(ctx, setUpTime)
	defer cancel()
	h.reconcile(ctx, l)
	h.welcome(l)
}

// fetchCatalogue asks what the agent can do.
func (h *Hub) fetchCatalogue(ctx context.Context, l *link) {
	ctx, cancel := context.WithTimeout(ctx, setUpTime)
	defer cancel()
	if err := h.keepCatalogue(ctx, l); err != nil {
		h.Logger.Warn("catalogue not fetched", "agent_id", l.agentID, "error", err)
	}
}

func (h *Hub) keepCatalogue(ctx context.Context, l *link) error {
	raw, err := h.exchange(ctx, l, http.MethodGet, wire.PathCatalogue, nil, maxCatalogue)
	if err != nil {
		return err
	}
	return h.saveCatalogue(ctx, l.agentID, raw)
}

// saveCatalogue keeps what an agent published, if it is a catalogue.
func (h *Hub) saveCatalogue(ctx context.Context, agentID string, raw []byte) error {
	var catalogue wire.Catalogue
	if err := json.Unmarshal(raw, &catalogue); err != nil {
		return fmt.Errorf("parse catalogue: %w", err)
	}
	return h.Register.SaveCatalogue(ctx, agentID, raw)
}

// reconcile tells the agent which connections it should hold, so that it erases the others; where that fails, the next
// ping does it again.
func (h *Hub) reconcile(ctx context.Context, l *link) {
	l.stale.Store(false)
	if err := h.tellConnections(ctx, l); err != nil {
		l.stale.Store(true)
		h.Logger.Warn("agent not reconciled", "agent_id", l.agentID, "error", err)
	}
}

// tellConnections keeps new connections waiting between reading the list and the agent's answer: one that opened in
// between would be erased.
func (h *Hub) tellConnections(ctx context.Context, l *link) error {
	turn := h.turns(l.agentID)
	if err := turn.Acquire(ctx, allTurns); err != nil {
		return err
	}
	defer turn.Release(allTurns)
	rows, err := h.Register.AgentConnections(ctx, l.agentID)
	if err != nil {
		return fmt.Errorf("list connections: %w", err)
	}
	list := wire.Reconcile{Connections: make([]string, len(rows))}
	for i, row := range rows {
		list.Connections[i] = row.ID
		if row.State == store.Paused {
			list.Paused = append(list.Paused, row.ID)
		}
	}
	body, err := json.Marshal(list)
	if err != nil {
		return fmt.Errorf("list connections: %w", err)
	}
	_, err = h.exchange(ctx, l, http.MethodPost, wire.PathReconcile, body, maxPong)
	return err
}

// allTurns is the weight of a reconciliation, which excludes every opening; an opening weighs one.
const allTurns = 1 << 20

func (h *Hub) turns(agentID string) *semaphore.Weighted {
	h.mu.Lock()
	defer h.mu.Unlock()
	turn := h.exchanges[agentID]
	if turn == nil {
		turn = semaphore.NewWeighted(allTurns)
		h.exchanges[agentID] = turn
	}
	return turn
}

// Opening keeps the agent from being reconciled while a connection is made: from before its row is stored until the
// agent has answered. Whoever calls it calls done.
func (h *Hub) Opening(ctx context.Context, agentID string) (done func(), err error) {
	turn := h.turns(agentID)
	if err := turn.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	return func() { turn.Release(1) }, nil
}

// Forget asks the agent to erase a connection that the store no longer counts as live. Where the agent cannot be asked
// it is told with its next reconciliation.
func (h *Hub) Forget(ctx context.Context, agentID, connection string) error {
	l := h.pick(agentID, Calls, nil)
	if l == nil {
		h.outdate(agentID)
		return nil
	}
	_, err := h.exchange(ctx, l, http.MethodDelete, wire.ConnectionPath(connection), nil, maxPong)
	if err != nil {
		l.stale.Store(true)
	}
	return err
}

// Tell has an agent erase everything that the store no longer counts as live, and rest what is paused, as far as it can be
// asked now; else it is told with its next ping, or when it comes back.
func (h *Hub) Tell(ctx context.Context, agentID string) {
	if l := h.pick(agentID, Calls, nil); l != nil {
		h.reconcile(ctx, l)
		return
	}
	h.outdate(agentID)
}

// outdate has an agent told its connections once more: where it is about to be welcomed, the list that it is told may be
// from before.
func (h *Hub) outdate(agentID string) {
	for _, l := range h.links(agentID) {
		l.stale.Store(true)
	}
}

// prove pings the agent's own loop until the session ends. A session whose agent does not answer is closed: it is not
// up, whatever its socket says. A ping that found no place on the session proves nothing: its streams are all taken, and
// have limits of their own.
func (h *Hub) prove(ctx context.Context, l *link) {
	every := time.NewTicker(h.PingEvery)
	defer every.Stop()
	for {
		if err := h.ping(ctx, l); err != nil && (ended(l.session) || !errors.Is(err, tunnel.ErrNotSent)) {
			if !ended(l.session) && ctx.Err() == nil {
				h.Logger.Warn("agent does not answer", "agent_id", l.agentID, "error", err)
				l.session.Close("the agent does not answer, although its connection stands")
			}
			return
		}
		if l.stale.Load() {
			h.reconcile(ctx, l)
		}
		select {
		case <-every.C:
		case <-l.session.Done():
			return
		case <-ctx.Done():
			return
		}
	}
}

func (h *Hub) ping(ctx context.Context, l *link) error {
	ctx, cancel := context.WithTimeout(ctx, h.PingTimeout)
	defer cancel()
	start := time.Now()
	raw, err := h.exchange(ctx, l, http.MethodGet, wire.PathPing, nil, maxPong)
	if err != nil {
		return err
	}
	var pong wire.Pong
	if err := json.Unmarshal(raw, &pong); err != nil {
		return fmt.Errorf("parse pong: %w", err)
	}
	if pong.AgentID != l.agentID {
		return errors.New("another agent answered")
	}
	l.trip.Store(int64(max(time.Since(start), 1)))
	l.seen.Store(time.Now().UnixMilli())
	return nil
}

func (h *Hub) tellDrain(ctx context.Context, l *link) {
	if _, err := h.exchange(ctx, l, http.MethodPost, wire.PathDrain, nil, maxPong); err != nil {
		h.Logger.Debug("agent not told of the stop", "agent_id", l.agentID, "error", err)
	}
}

// exchange makes one small call of the hub's own. Its stream is not kept: the next comes seconds later, and a stream kept
// by each of thousands of idle agents is 30 KiB a piece.
func (h *Hub) exchange(ctx context.Context, l *link, method, path string, body []byte, limit int64) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://agent"+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	r.Close = true
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := l.session.RoundTripper().RoundTrip(r)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	case int64(len(raw)) > limit:
		return nil, fmt.Errorf("%s %s: the answer is larger than %d bytes", method, path, limit)
	case response.StatusCode >= http.StatusMultipleChoices:
		return nil, fmt.Errorf("%s %s: status %d", method, path, response.StatusCode)
	}
	return raw, nil
}
