package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gantry/relay/store"
)

// happened is an event of a connection.
func happened(c store.Connection, level store.Level, kind store.EventKind, entity string) store.NewEvent {
	return store.NewEvent{
		OrganisationID: c.OrganisationID, SiteID: c.SiteID, AgentID: c.AgentID, ConnectionID: c.ID,
		Level: level, Kind: kind, Entity: entity, Message: "It happened.",
	}
}

// ofAgent is an event of a connection's agent.
func ofAgent(c store.Connection, kind store.EventKind) store.NewEvent {
	return store.NewEvent{OrganisationID: c.OrganisationID, SiteID: c.SiteID, AgentID: c.AgentID, Level: store.LevelInfo, Kind: kind}
}

func kinds(events []store.Event) string {
	var all []string
	for _, e := range events {
		all = append(all, string(e.Kind))
	}
	return strings.Join(all, " ")
}

func testEvents(t *testing.T, b *bench) {
	ctx, p := t.Context(), b.plant(5)
	c, other := b.pending(p), b.pending(p)
	failed := happened(c, store.LevelError, store.CallFailed, "vendors")
	failed.At, failed.Operation, failed.Code, failed.RequestID = b.now().Add(-time.Minute), "list", "SYSTEM_TIMEOUT", "req_1"
	failed.Data = json.RawMessage(`{"count":3,"request_ids":["req_2","req_3"]}`)
	is(t, "none", b.AppendEvents(ctx), nil)
	is(t, "append", b.AppendEvents(ctx, failed,
		happened(c, store.LevelWarning, store.ConnectionStateChanged, ""), happened(c, store.LevelInfo, store.SyncStarted, "items")), nil)
	is(t, "append to another log", b.AppendEvents(ctx, happened(other, store.LevelInfo, store.ConnectionPaused, "")), nil)
	unknown := happened(c, store.LevelInfo, store.CallFailed, "")
	unknown.OrganisationID = "org_0"
	is(t, "unknown organisation, all or none", b.AppendEvents(ctx, happened(c, store.LevelInfo, store.SyncFailed, ""), unknown), store.ErrNotFound)
	if b.AppendEvents(ctx, store.NewEvent{OrganisationID: p.organisation, Kind: store.CallFailed, Level: store.LevelInfo}) == nil {
		t.Error("an event of nobody is taken")
	}

	all := got(b.Events(ctx, p.organisation, c.ID, store.EventFilter{}, store.Page{})).or(t)
	same(t, "all", "call.failed connection.state_changed sync.started", kinds(all))
	same(t, "the first, whole", store.Event{ID: all[0].ID, NewEvent: failed}, all[0])
	same(t, "when nothing was said", b.now(), all[1].At)
	same(t, "newest", all[1:], got(b.LastEvents(ctx, p.organisation, c.ID, store.EventFilter{}, 2)).or(t))
	same(t, "a page", all[:1], got(b.Events(ctx, p.organisation, c.ID, store.EventFilter{}, store.Page{Limit: 1})).or(t))
	same(t, "after", all[1:], got(b.Events(ctx, p.organisation, c.ID, store.EventFilter{}, store.Page{After: all[0].ID})).or(t))
	same(t, "the newest one before", all[1:2], got(b.LastEvents(ctx, p.organisation, c.ID, store.EventFilter{Before: all[2].ID}, 1)).or(t))
	same(t, "of another organisation", 0, len(got(b.Events(ctx, b.organisation(1).ID, c.ID, store.EventFilter{}, store.Page{})).or(t)))
	for want, filter := range map[string]store.EventFilter{
		"call.failed":                          {Entity: "vendors"},
		"call.failed connection.state_changed": {Level: store.LevelWarning},
		"sync.started":                         {Kind: store.SyncStarted},
		"connection.state_changed":             {Kind: "connection"},
		"":                                     {Kind: "connection.state"},
		"call.failed ":                         {RequestID: "req_1"},
		" call.failed":                         {RequestID: "req_3", Level: store.LevelInfo},
		" ":                                    {RequestID: "req_"},
		"call.failed  ":                        {Before: all[1].ID},
	} {
		want = strings.TrimSpace(want)
		same(t, fmt.Sprint(filter), want, kinds(got(b.Events(ctx, p.organisation, c.ID, filter, store.Page{})).or(t)))
		same(t, fmt.Sprint("taken ", filter), want, kinds(slices.DeleteFunc(slices.Clone(all), func(e store.Event) bool { return !filter.Takes(e) })))
		same(t, fmt.Sprint("newest ", filter), want, kinds(got(b.LastEvents(ctx, p.organisation, c.ID, filter, 10)).or(t)))
	}
	long := happened(other, store.LevelInfo, store.CallFailed, "")
	long.Message = strings.Repeat("é", store.MaxEventMessage+1)
	is(t, "a long message", b.AppendEvents(ctx, long), nil)
	last := got(b.LastEvents(ctx, p.organisation, other.ID, store.EventFilter{}, 1)).or(t)
	same(t, "is cut", strings.Repeat("é", store.MaxEventMessage-1)+"…", last[0].Message)
}

func testAgentEvents(t *testing.T, b *bench) {
	ctx, p := t.Context(), b.plant(5)
	first := b.pending(p)
	is(t, "connected", b.AppendEvents(ctx, ofAgent(first, store.AgentConnected)), nil)
	b.pass(time.Second)
	later := b.pending(p)
	is(t, "others", b.AppendEvents(ctx, happened(first, store.LevelInfo, store.ConnectionPaused, ""), ofAgent(first, store.AgentDisconnected),
		happened(first, store.LevelInfo, store.ConnectionResumed, "")), nil)
	for connection, want := range map[string]string{
		first.ID: "agent.connected connection.paused agent.disconnected connection.resumed",
		later.ID: "agent.disconnected",
	} {
		same(t, "of "+connection, want, kinds(got(b.Events(ctx, p.organisation, connection, store.EventFilter{}, store.Page{})).or(t)))
	}
	same(t, "the newest two", "agent.disconnected connection.resumed", kinds(got(b.LastEvents(ctx, p.organisation, first.ID, store.EventFilter{}, 2)).or(t)))
}

func testEventsAreCapped(t *testing.T, b *bench) {
	ctx, p := t.Context(), b.plant(5)
	c, other := b.pending(p), b.pending(p)
	is(t, "in another log", b.AppendEvents(ctx, happened(other, store.LevelInfo, store.ConnectionPaused, "")), nil)
	const over, batch = 120, 1_000
	for at := 0; at < store.MaxEvents+over; at += batch {
		var events []store.NewEvent
		for n := range min(batch, store.MaxEvents+over-at) {
			e := happened(c, store.LevelInfo, store.CallFailed, "")
			e.RequestID = fmt.Sprint("req_", at+n)
			events = append(events, e)
		}
		is(t, "append", b.AppendEvents(ctx, events...), nil)
		b.pass(-time.Second) // a clock that goes back changes no order
	}
	count, page := 0, store.Page{}
	for {
		events := got(b.Events(ctx, p.organisation, c.ID, store.EventFilter{}, page)).or(t)
		if len(events) == 0 {
			break
		}
		for _, e := range events {
			if want := fmt.Sprint("req_", over+count); e.RequestID != want {
				t.Fatalf("event %d is %s, want %s", count, e.RequestID, want)
			}
			count++
		}
		page.After = events[len(events)-1].ID
	}
	same(t, "kept", store.MaxEvents, count)
	same(t, "in another log", 1, len(got(b.Events(ctx, p.organisation, other.ID, store.EventFilter{}, store.Page{})).or(t)))
}

// testEventsFollow reads while several write to the logs of a connection and its agent, each time after the last id seen.
func testEventsFollow(t *testing.T, b *bench) {
	p := b.plant(5)
	c := b.pending(p)
	const writers, each = 4, 25
	var all sync.WaitGroup
	for n := range writers {
		all.Go(func() {
			for range each {
				e := happened(c, store.LevelInfo, store.CallFailed, "")
				if n%2 == 0 {
					e = ofAgent(c, store.AgentConnected)
				}
				is(t, "append", b.AppendEvents(t.Context(), e), nil)
			}
		})
	}
	seen, page := 0, store.Page{Limit: 3}
	for deadline := time.Now().Add(time.Minute); seen < writers*each && time.Now().Before(deadline); {
		events := got(b.Events(context.Background(), p.organisation, c.ID, store.EventFilter{}, page)).or(t)
		seen += len(events)
		if len(events) > 0 {
			page.After = events[len(events)-1].ID
		}
	}
	all.Wait()
	same(t, "seen", writers*each, seen)
}
