package status

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"gantry/connectors/wire"
	"gantry/relay/hub"
	"gantry/relay/store"
	"gantry/tunnel/fault"
)

// Store is what a keeper keeps things in; store.Store is one.
type Store interface {
	store.Events
	store.Conditions
	Agent(ctx context.Context, id string) (store.Agent, error)
}

// Agents tells which agents are there; *hub.Hub is it.
type Agents interface {
	Presence(agentID string) hub.Presence
	Trouble(agentID string) hub.Trouble
}

// Options are what a keeper works with.
type Options struct {
	Store  Store
	Logger *slog.Logger
}

// Keeper knows how every connection is. It is safe for concurrent use; Start it before anybody asks, and Stop it.
type Keeper struct {
	store  Store
	logger *slog.Logger
	agents Agents
	begun  time.Time

	mu     sync.Mutex
	known  map[string]*known  // by the connection's id
	sites  map[string]*agent  // by the agent's id
	tally  tallies            // of failed calls
	outbox []store.NewEvent   // what is to be written
	wake   chan struct{}      // there is something to do at once; of size one
	cancel context.CancelFunc // ends the loop
	done   chan struct{}      // closed when the loop has ended
}

// known is what the keeper knows of one connection.
type known struct {
	row    store.Connection // no State: the agent told of it before the relay did
	matrix *matrix          // nil: nothing was told
	told   told
	since  time.Time // when the keeper came to know it
	needed bool      // a call met the agent's absence: it is told without waiting

	changed bool // the matrix is not what the store has
	urgent  bool // what was told is not what the store has
	saved   time.Time
}

// told is what was told of a connection last, as events.
type told struct {
	state  State // empty: nothing yet
	since  time.Time
	reauth bool
}

// agent is what the keeper knows of one agent.
type agent struct {
	connections map[string]bool
	host        string
	seen        time.Time
	site        string
	owner       string // its organisation
	enrolled    time.Time
	revoked     time.Time // zero: it may come back
	loaded      bool      // what the store knows was read
	told        bool      // whether it is there was told before, or is remembered
	connected   bool      // as it was told
	away        time.Time // since when it is not there, though it is told to be; zero: it is there
}

// grace is how long an agent may be away before that is an event: as long as a call waits for one that restarts.
const grace = hub.ReturnTime

// settling is how long after its own start the relay waits for the agents to come back before it tells that they have not.
const settling = 30 * time.Second

// New makes a keeper that knows nothing.
func New(o Options) *Keeper {
	return &Keeper{
		store: o.Store, logger: o.Logger, known: map[string]*known{}, sites: map[string]*agent{}, tally: tallies{},
		wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
}

// Start reads what was known, and keeps it from then on. Whoever calls it calls Stop.
func (k *Keeper) Start(ctx context.Context, agents Agents) error {
	k.agents, k.begun = agents, time.Now()
	for page := (store.Page{}); ; {
		rows, err := k.store.Conditions(ctx, page)
		if err != nil {
			return fmt.Errorf("read conditions: %w", err)
		}
		for _, row := range rows {
			k.recall(row)
		}
		if len(rows) < page.Size() {
			break
		}
		page.After = rows[len(rows)-1].Connection.ID
	}
	ctx, k.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(k.done)
		k.run(ctx)
	}()
	return nil
}

// recall takes up what the store remembers of a connection.
func (k *Keeper) recall(row store.ConnectionCondition) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c := k.meet(row.Connection)
	c.told = told{state: State(row.Condition.State), since: row.Condition.Since, reauth: row.Condition.Reauth}
	c.saved = k.begun
	a := k.sites[row.Connection.AgentID]
	a.told, a.connected = true, a.connected || c.told.state != AgentOffline
	if len(row.Condition.Matrix) > 0 {
		var m matrix
		if err := json.Unmarshal(row.Condition.Matrix, &m); err != nil {
			k.logger.Warn("condition not readable", "connection_id", row.Connection.ID, "error", err)
			return
		}
		c.matrix = &m
	}
}

// Stop writes down what is known, and ends.
func (k *Keeper) Stop() {
	k.cancel()
	<-k.done
}

// meet gives what is known of a connection, from now on if nothing was. The caller holds the lock.
func (k *Keeper) meet(row store.Connection) *known {
	c := k.known[row.ID]
	if c == nil {
		c = &known{since: time.Now()}
		k.known[row.ID] = c
	} else if c.row.AgentID != row.AgentID {
		delete(k.sites[c.row.AgentID].connections, row.ID)
		c.matrix = nil // another agent tells anew
	}
	c.row = row
	k.site(row.AgentID).connections[row.ID] = true
	return c
}

// site gives what is known of an agent. The caller holds the lock.
func (k *Keeper) site(agentID string) *agent {
	a := k.sites[agentID]
	if a == nil {
		a = &agent{connections: map[string]bool{}}
		k.sites[agentID] = a
		k.rouse() // the store knows more of it
	}
	return a
}

// forget is for a connection whose life is over. The caller holds the lock.
func (k *Keeper) forget(id string) {
	if c := k.known[id]; c != nil {
		delete(k.sites[c.row.AgentID].connections, id)
		delete(k.known, id)
	}
}

// Touch tells the keeper that a connection's row has changed: it was made, paused, resumed, linked anew or disconnected.
// An event of a changed state is written soon after.
func (k *Keeper) Touch(row store.Connection) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if row.State == store.Disconnected && k.known[row.ID] == nil {
		return
	}
	c := k.meet(row)
	k.settle(c)
	if row.State == store.Disconnected {
		k.forget(row.ID)
	}
}

// Holds implements hub.Listener. A connection that the agent should hold and does not has lost its login.
func (k *Keeper) Holds(agentID string, all []wire.Health, asked time.Time) {
	held := map[string]bool{}
	for _, h := range all { // one by one: an agent with many connections keeps nobody waiting
		held[h.Connection] = true
		k.Told(agentID, h)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for id := range k.site(agentID).connections {
		c := k.known[id]
		if c.row.Live() && !held[id] && c.since.Before(asked) {
			k.hear(agentID, wire.Health{Connection: id, Gone: true})
		}
	}
}

// Told implements hub.Listener.
func (k *Keeper) Told(agentID string, h wire.Health) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.hear(agentID, h)
}

// hear takes one connection's health. The caller holds the lock.
func (k *Keeper) hear(agentID string, h wire.Health) {
	c := k.known[h.Connection]
	switch {
	case c == nil && h.Gone:
		return
	case c == nil && len(k.site(agentID).connections) >= maxConnections:
		return
	case c == nil: // it is being made: the agent is the first to tell
		c = k.meet(store.Connection{ID: h.Connection, AgentID: agentID})
	case c.row.AgentID != agentID:
		return // it is not that agent's to tell
	}
	before := c.matrix
	c.matrix, c.changed = read(h, time.Now(), before), true
	if c.row.State == "" {
		return
	}
	k.queue(moves(c.row, before, c.matrix)...)
	k.settle(c)
}

// maxConnections bounds what is remembered of one agent.
const maxConnections = 10_000

// Failed tells the keeper of a call that failed. It returns at once.
func (k *Keeper) Failed(row store.Connection, problem *fault.Error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e, first := k.tally.count(row, problem, time.Now()); first {
		k.queue(e)
	}
	c := k.known[row.ID]
	if c == nil || problem.Code != fault.AgentOffline {
		return
	}
	c.needed = true
	k.settle(c)
	c.needed = false
	if a := k.sites[row.AgentID]; c.told.state == AgentOffline && a.away.IsZero() {
		a.away = time.Now() // so that its return is noticed
	}
}

// queue keeps events until they are written. The caller holds the lock.
func (k *Keeper) queue(events ...store.NewEvent) {
	if len(events) == 0 {
		return
	}
	k.outbox = append(k.outbox, events...)
	k.rouse()
}

// rouse has the loop work now.
func (k *Keeper) rouse() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// Status gives the status of a connection, as of now.
func (k *Keeper) Status(row store.Connection) ConnectionStatus {
	k.mu.Lock()
	defer k.mu.Unlock()
	f, v := k.judge(row)
	v.Message = f.say(v.State)
	return document(f, v)
}

// State gives the state of a connection, as of now.
func (k *Keeper) State(row store.Connection) State {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, v := k.judge(row)
	return v.State
}

// Standing is where a connection stands: the short of its status.
type Standing struct {
	State   State
	Since   time.Time
	Message string // left out where many are asked for
}

// Standing gives where a connection stands, as of now.
func (k *Keeper) Standing(row store.Connection) Standing {
	k.mu.Lock()
	defer k.mu.Unlock()
	f, v := k.judge(row)
	return Standing{v.State, v.Since, f.say(v.State)}
}

// Standings gives where many connections stand, as of now, without words.
func (k *Keeper) Standings(rows []store.Connection) []Standing {
	k.mu.Lock()
	defer k.mu.Unlock()
	all, agents, now := make([]Standing, len(rows)), map[string]agentFacts{}, time.Now()
	for at, row := range rows {
		agent, met := agents[row.AgentID]
		if !met {
			agent = k.factsOf(row.AgentID)
			agents[row.AgentID] = agent
		}
		_, v := k.weigh(row, agent, now)
		all[at] = Standing{State: v.State, Since: v.Since}
	}
	return all
}

// judge judges a connection whose row was read just now, without words. The caller holds the lock.
func (k *Keeper) judge(row store.Connection) (facts, verdict) {
	return k.weigh(row, k.factsOf(row.AgentID), time.Now())
}

// weigh is judge, with what is known of the agent at hand.
func (k *Keeper) weigh(row store.Connection, agent agentFacts, now time.Time) (facts, verdict) {
	c := k.known[row.ID]
	if c == nil || c.row.AgentID != row.AgentID {
		c = &known{}
	}
	f := facts{connection: row, agent: agent, matrix: c.matrix, now: now}
	v := judge(&f)
	switch {
	case v.State == c.told.state && !c.told.since.IsZero():
		v.Since = c.told.since // the state has lasted through all its reasons
	case v.Since.IsZero() && v.State == Active && c.told.state == "":
		v.Since = row.ActivatedAt
	}
	return f, v
}

// factsOf gives what is known of an agent. The caller holds the lock.
func (k *Keeper) factsOf(agentID string) agentFacts {
	f := agentFacts{Presence: k.agents.Presence(agentID)}
	f.Seen = f.LastSeen
	if a := k.sites[agentID]; a != nil {
		if f.LastSeen.After(a.seen) {
			a.seen = f.LastSeen // when its sessions are gone, the hub knows nothing any more
		}
		f.Host, f.Seen, f.Revoked = a.host, a.seen, a.revoked
	}
	if !f.Connected {
		f.End = k.agents.Trouble(agentID).EndReason
	}
	return f
}

// settle notices that a connection's state is another one, and makes events of that. The caller holds the lock.
func (k *Keeper) settle(c *known) {
	f, v := k.judge(c.row)
	if v.State == AgentOffline && c.told.state != AgentOffline && !c.needed && !k.sites[c.row.AgentID].gone(k.begun, f.now) {
		return
	}
	if v.Since.IsZero() || v.Since.After(f.now) {
		v.Since = f.now
	}
	before := c.told
	c.told = told{state: v.State, since: v.Since, reauth: v.Reauth}
	if before.state == v.State && before.reauth == v.Reauth {
		c.told.since = before.since
		return
	}
	c.urgent = true
	if before.state == "" {
		return
	}
	if before.state != v.State {
		v.Message = f.say(v.State)
		k.queue(stateChanged(c.row, before.state, v, f.now))
	}
	if v.Reauth && !before.reauth {
		k.queue(reauthRequired(f))
	}
}

// gone reports whether an agent has been away for so long that it is told.
func (a *agent) gone(begun, now time.Time) bool {
	return !a.connected || !a.revoked.IsZero() || !a.away.IsZero() && now.Sub(a.away) >= grace && now.Sub(begun) >= settling
}
