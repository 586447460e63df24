package status

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"gantry/connectors/wire"
	"gantry/relay/store"
)

// How the keeper writes.
const (
	rhythm    = time.Second
	saveEvery = 5 * time.Minute // of a matrix whose connection's state stays
	saveTime  = 10 * time.Second
	maxOutbox = 20_000 // events that wait for a store that takes none; the oldest go
	maxBatch  = 200    // rows of one transaction, so that no other write waits long
	forgotten = time.Minute
)

// run writes what there is to write until ctx ends, and then once more.
func (k *Keeper) run(ctx context.Context) {
	every := time.NewTicker(rhythm)
	defer every.Stop()
	for {
		select {
		case <-every.C:
			k.look(ctx)
			k.write(ctx, false)
		case <-k.wake:
			k.acquaintAll(ctx)
			k.write(ctx, false)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTime)
			defer cancel()
			k.write(last, true)
			return
		}
	}
}

// look notices what no message tells: an agent that came or went, a time that is over.
func (k *Keeper) look(ctx context.Context) {
	k.acquaintAll(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	for id, a := range k.sites {
		k.lookAt(id, a, now)
	}
	for id, c := range k.known {
		switch {
		case c.row.State == "" && now.Sub(c.since) > forgotten: // it did not come to be
			k.forget(id)
		case c.row.State != "" && c.over(now):
			k.settle(c)
		}
	}
	k.queue(k.tally.due(now, false)...)
}

// over reports whether a time has passed that the state rested on.
func (c *known) over(now time.Time) bool {
	return c.told.state == "" || c.told.state == Throttled && c.matrix != nil && !c.matrix.ThrottledUntil.After(now)
}

// lookAt notices that an agent came or went. The caller holds the lock.
func (k *Keeper) lookAt(id string, a *agent, now time.Time) {
	f := k.factsOf(id)
	switch {
	case f.Connected == a.connected && a.away.IsZero(), !a.loaded:
		return
	case f.Connected:
		if !a.connected && (a.told || now.Sub(k.begun) >= settling || a.enrolled.After(k.begun)) {
			k.queue(agentMoved(id, a, true, f))
		}
		a.connected, a.told, a.away = true, true, time.Time{}
	case a.away.IsZero():
		a.away, a.loaded = now, false // the store knows when it was seen last
		return
	case !a.gone(k.begun, now):
		return
	case a.connected:
		a.connected, a.told = false, true
		k.queue(agentMoved(id, a, false, f))
	default:
		return
	}
	k.settleAll(a)
}

// settleAll judges the connections of an agent. The caller holds the lock.
func (k *Keeper) settleAll(a *agent) {
	for connection := range a.connections {
		if c := k.known[connection]; c.row.State != "" {
			k.settle(c)
		}
	}
}

func (k *Keeper) acquaintAll(ctx context.Context) {
	for _, id := range k.strangers() {
		k.acquaint(ctx, id)
	}
}

// strangers lists the agents that the store has not been asked about since they came or went.
func (k *Keeper) strangers() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var ids []string
	for id, a := range k.sites {
		if !a.loaded {
			ids = append(ids, id)
		}
	}
	return ids
}

// acquaint reads what the store knows of an agent.
func (k *Keeper) acquaint(ctx context.Context, id string) {
	row, err := k.store.Agent(ctx, id)
	if err != nil {
		k.logger.WarnContext(ctx, "agent not looked up", "agent_id", id, "error", err)
		return
	}
	var facts wire.Facts
	_ = json.Unmarshal(row.Facts, &facts) // facts that cannot be read are none
	k.mu.Lock()
	defer k.mu.Unlock()
	a := k.site(id)
	a.loaded, a.host, a.site, a.owner, a.enrolled = true, clip(facts.Hostname, maxName), row.SiteID, row.OrganisationID, row.EnrolledAt
	if row.LastSeenAt.After(a.seen) {
		a.seen = row.LastSeenAt
	}
	if a.revoked.IsZero() && !row.RevokedAt.IsZero() { // nobody waits for it to come back
		a.revoked = row.RevokedAt
		k.settleAll(a)
	}
}

// write brings events and conditions into the store. What cannot be written is tried again.
func (k *Keeper) write(ctx context.Context, all bool) {
	k.mu.Lock()
	if all {
		k.queue(k.tally.due(time.Now(), true)...)
	}
	events := k.outbox
	k.outbox = nil
	k.mu.Unlock()
	if left := k.append(ctx, events); len(left) > 0 {
		k.mu.Lock()
		k.outbox = append(left, k.outbox...)
		if over := len(k.outbox) - maxOutbox; over > 0 {
			k.logger.ErrorContext(ctx, "events dropped", "count", over)
			k.outbox = k.outbox[over:]
		}
		k.mu.Unlock()
	}
	k.save(ctx, all)
}

// append writes events, and gives those that could not be written.
func (k *Keeper) append(ctx context.Context, events []store.NewEvent) (left []store.NewEvent) {
	for batch := range slices.Chunk(events, maxBatch) {
		if err := k.store.AppendEvents(ctx, batch...); err != nil {
			k.logger.WarnContext(ctx, "events not written yet", "count", len(events), "error", err)
			return events
		}
		events = events[len(batch):]
	}
	return nil
}

// save writes conditions: at once where something was told, now and then where only the matrix changed. What was told is
// written after its event: a crash in between tells it twice, and never not at all.
func (k *Keeper) save(ctx context.Context, all bool) {
	now := time.Now()
	var conditions []store.Condition
	k.mu.Lock()
	if len(k.outbox) > 0 && !all {
		k.mu.Unlock()
		return
	}
	for id, c := range k.known {
		rests := !c.changed || now.Sub(c.saved) < saveEvery || len(conditions) >= maxBatch
		if c.row.State == "" || !c.urgent && (rests && !all || !c.changed) {
			continue
		}
		conditions = append(conditions, c.condition(id))
		c.urgent, c.changed, c.saved = false, false, now
	}
	k.mu.Unlock()
	for batch := range slices.Chunk(conditions, maxBatch) {
		if err := k.store.SaveConditions(ctx, batch...); err != nil {
			k.logger.WarnContext(ctx, "conditions not written yet", "count", len(batch), "error", err)
			k.again(batch)
		}
	}
}

// again marks what could not be written.
func (k *Keeper) again(conditions []store.Condition) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, condition := range conditions {
		if c := k.known[condition.ConnectionID]; c != nil {
			c.urgent = true
		}
	}
}

func (c *known) condition(id string) store.Condition {
	condition := store.Condition{ConnectionID: id, State: string(c.told.state), Since: c.told.since, Reauth: c.told.reauth}
	if c.matrix != nil {
		raw, err := json.Marshal(c.matrix)
		if err == nil { // it is plain values
			condition.Matrix = raw
		}
	}
	return condition
}
