package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"gantry/relay/store"
)

func testConnectionLife(t *testing.T, b *bench) {
	ctx, p := t.Context(), b.plant(10)
	want := p.connection(3)
	c := got(b.ReserveConnection(ctx, want)).or(t)
	same(t, "pending", store.Connection{
		ID: c.ID, OrganisationID: p.organisation, SiteID: p.site, SiteName: got(b.Site(ctx, p.organisation, p.site)).or(t).Name, AgentID: p.agent, System: want.System, SystemName: want.SystemName, Name: want.Name, Tier: 3,
		Metadata: want.Metadata, State: store.Pending, CreatedAt: b.now(),
	}, c)
	same(t, "credits of a pending one", 3, b.used(p.organisation))
	is(t, "a token for a pending one", got(b.ReplaceToken(ctx, p.organisation, c.ID, hashOf("x"), note)).err, store.ErrState)

	active := got(b.ActivateConnection(ctx, c.ID, hashOf("token"), settings, note)).or(t)
	same(t, "active", store.Active, active.State)
	same(t, "its settings", settings, active.Settings)
	same(t, "since", b.now(), active.ActivatedAt)
	is(t, "activated twice", got(b.ActivateConnection(ctx, c.ID, hashOf("y"), nil, note)).err, store.ErrState)
	is(t, "an active one is not dropped", b.DropConnection(ctx, c.ID), store.ErrState)

	gone := got(b.Disconnect(ctx, p.organisation, c.ID, note)).or(t)
	same(t, "disconnected", store.Disconnected, gone.State)
	same(t, "credits are back", 0, b.used(p.organisation))
	b.pass(time.Minute)
	same(t, "disconnected again", gone, got(b.Disconnect(ctx, p.organisation, c.ID, note)).or(t))
	is(t, "it is terminal", got(b.ActivateConnection(ctx, c.ID, hashOf("z"), nil, note)).err, store.ErrState)
	is(t, "no token any more", got(b.ReplaceToken(ctx, p.organisation, c.ID, hashOf("z"), note)).err, store.ErrState)
}

func testPause(t *testing.T, b *bench) {
	ctx, p := t.Context(), b.plant(10)
	pending := got(b.ReserveConnection(ctx, p.connection(1))).or(t)
	is(t, "pause a pending one", got(b.PauseConnection(ctx, p.organisation, pending.ID, note)).err, store.ErrState)
	is(t, "pause none", got(b.PauseConnection(ctx, p.organisation, "con_0", note)).err, store.ErrNotFound)
	b.pass(time.Minute) // ids sort by age
	active := b.active(p, 3, "token")
	b.pass(time.Minute)

	want := active
	want.State, want.PausedAt = store.Paused, b.now()
	same(t, "paused", want, got(b.PauseConnection(ctx, p.organisation, active.ID, note)).or(t))
	b.pass(time.Minute)
	same(t, "paused again", want, got(b.PauseConnection(ctx, p.organisation, active.ID, note)).or(t))
	same(t, "what its token finds", want, got(b.TokenByHash(ctx, hashOf("token"))).or(t).Connection)
	same(t, "listed as paused", []store.Connection{want}, got(b.Connections(ctx, p.organisation, store.ConnectionFilter{State: store.Paused}, store.Page{})).or(t))
	same(t, "listed as active", []store.Connection(nil), got(b.Connections(ctx, p.organisation, store.ConnectionFilter{State: store.Active}, store.Page{})).or(t))
	same(t, "its agent holds it", []store.Connection{pending, want}, got(b.AgentConnections(ctx, p.agent)).or(t))
	same(t, "it keeps its credits", 4, b.used(p.organisation))
	same(t, "with a new token", want, got(b.ReplaceToken(ctx, p.organisation, active.ID, hashOf("second"), note)).or(t))

	same(t, "resumed", active, got(b.ResumeConnection(ctx, p.organisation, active.ID, note)).or(t))
	same(t, "resumed again", active, got(b.ResumeConnection(ctx, p.organisation, active.ID, note)).or(t))

	got(b.PauseConnection(ctx, p.organisation, active.ID, note)).or(t)
	gone := got(b.Disconnect(ctx, p.organisation, active.ID, note)).or(t)
	same(t, "disconnected while paused", store.Disconnected, gone.State)
	same(t, "and not paused any more", time.Time{}, gone.PausedAt)
	is(t, "no way back", got(b.ResumeConnection(ctx, p.organisation, active.ID, note)).err, store.ErrState)
}

func testRelink(t *testing.T, b *bench) {
	ctx, p := t.Context(), b.plant(10)
	active, another := b.active(p, 1, "token"), b.enrol(p.organisation, p.site)
	want := active
	want.Settings, want.AgentID = json.RawMessage(`{"host":"db2.plant"}`), another.ID
	login := store.NewLogin{AgentID: another.ID, Settings: want.Settings}
	same(t, "relinked", want, got(b.RelinkConnection(ctx, p.organisation, active.ID, login, note)).or(t))
	same(t, "its token stays", want, got(b.TokenByHash(ctx, hashOf("token"))).or(t).Connection)

	paused := got(b.PauseConnection(ctx, p.organisation, active.ID, note)).or(t)
	same(t, "it stays paused", paused, got(b.RelinkConnection(ctx, p.organisation, active.ID, login, note)).or(t))

	foreign := b.plant(1)
	elsewhere := store.NewLogin{AgentID: foreign.agent}
	is(t, "at an agent of another site", got(b.RelinkConnection(ctx, p.organisation, active.ID, elsewhere, note)).err, store.ErrNotFound)
	got(b.RevokeAgent(ctx, p.organisation, p.site, p.agent)).or(t)
	is(t, "at a revoked agent", got(b.RelinkConnection(ctx, p.organisation, active.ID, store.NewLogin{AgentID: p.agent}, note)).err, store.ErrNotFound)
	same(t, "nothing changed", paused, got(b.Connection(ctx, p.organisation, active.ID)).or(t))
	got(b.Disconnect(ctx, p.organisation, active.ID, note)).or(t)
	is(t, "a disconnected one", got(b.RelinkConnection(ctx, p.organisation, active.ID, login, note)).err, store.ErrState)
}

func testLifeEvents(t *testing.T, b *bench) {
	ctx, p := t.Context(), b.plant(10)
	c := b.active(p, 1, "token")
	for range 2 { // what changes nothing is no event
		got(b.PauseConnection(ctx, p.organisation, c.ID, note)).or(t)
	}
	for range 2 {
		got(b.ResumeConnection(ctx, p.organisation, c.ID, note)).or(t)
	}
	got(b.RelinkConnection(ctx, p.organisation, c.ID, store.NewLogin{AgentID: p.agent}, note)).or(t)
	got(b.ReplaceToken(ctx, p.organisation, c.ID, hashOf("second"), store.Note{})).or(t)
	for range 2 {
		got(b.Disconnect(ctx, p.organisation, c.ID, note)).or(t)
	}
	other := b.active(p, 1, "third")
	got(b.DeleteSite(ctx, p.organisation, p.site, note)).or(t)

	told := func(id string) (messages []string) {
		for _, e := range got(b.Events(ctx, p.organisation, id, store.EventFilter{Kind: "connection"}, store.Page{})).or(t) {
			messages = append(messages, string(e.Kind)+" "+e.RequestID+" "+e.Message)
		}
		return messages
	}
	const by = " by the key \"CI\" (key_1, admin)."
	same(t, "its life", []string{
		"connection.created req_1 The connection was made" + by,
		"connection.paused req_1 The connection was paused" + by,
		"connection.resumed req_1 The connection was resumed" + by,
		"connection.relinked req_1 The connection got a new login" + by,
		"connection.token_replaced  The connection got a new token.",
		"connection.disconnected req_1 The connection was disconnected" + by,
	}, told(c.ID))
	same(t, "one that ended with its site", "connection.disconnected req_1 The connection was disconnected"+by, told(other.ID)[1])
}

func testDropConnection(t *testing.T, b *bench) {
	ctx, p := t.Context(), b.plant(3)
	c := got(b.ReserveConnection(ctx, p.connection(3))).or(t)
	is(t, "drop", b.DropConnection(ctx, c.ID), nil)
	is(t, "gone", got(b.Connection(ctx, p.organisation, c.ID)).err, store.ErrNotFound)
	is(t, "drop again", b.DropConnection(ctx, c.ID), store.ErrNotFound)
	same(t, "credits are back", 0, b.used(p.organisation))
}

func testDropPending(t *testing.T, b *bench) {
	ctx, p := t.Context(), b.plant(3)
	active := b.active(p, 1, "token")
	got(b.ReserveConnection(ctx, p.connection(1))).or(t)
	got(b.ReserveConnection(ctx, p.connection(1))).or(t)
	same(t, "dropped", 2, got(b.DropPending(ctx)).or(t))
	same(t, "what stays", []store.Connection{active}, got(b.AgentConnections(ctx, p.agent)).or(t))
}

func testConnectionLists(t *testing.T, b *bench) {
	ctx, p := t.Context(), b.plant(10)
	site2 := got(b.CreateSite(ctx, p.organisation, "Plant 2")).or(t)
	second := plant{p.organisation, site2.ID, b.enrol(p.organisation, site2.ID).ID}
	active := b.active(p, 1, "a")
	b.pass(time.Second)
	pending := got(b.ReserveConnection(ctx, p.connection(1))).or(t)
	b.pass(time.Second)
	gone := got(b.Disconnect(ctx, p.organisation, b.active(p, 1, "b").ID, note)).or(t)
	b.pass(time.Second)
	elsewhere := b.active(second, 1, "c")

	lists := map[string]struct {
		filter store.ConnectionFilter
		want   []store.Connection
	}{
		"all":              {store.ConnectionFilter{}, []store.Connection{active, pending, gone, elsewhere}},
		"of a site":        {store.ConnectionFilter{SiteID: p.site}, []store.Connection{active, pending, gone}},
		"in a state":       {store.ConnectionFilter{State: store.Active}, []store.Connection{active, elsewhere}},
		"of both":          {store.ConnectionFilter{SiteID: p.site, State: store.Disconnected}, []store.Connection{gone}},
		"of no such site":  {store.ConnectionFilter{SiteID: "site_0"}, nil},
		"to a system":      {store.ConnectionFilter{System: active.System}, []store.Connection{active, pending, gone, elsewhere}},
		"to no system":     {store.ConnectionFilter{System: "other"}, nil},
		"in no such state": {store.ConnectionFilter{State: "odd"}, nil},
	}
	for name, list := range lists {
		same(t, name, list.want, got(b.Connections(ctx, p.organisation, list.filter, store.Page{})).or(t))
	}
	same(t, "of an agent", []store.Connection{active, pending}, got(b.AgentConnections(ctx, p.agent)).or(t))
}

func testCredits(t *testing.T, b *bench) {
	ctx, p := t.Context(), b.plant(5)
	b.active(p, 3, "token")
	is(t, "too dear", got(b.ReserveConnection(ctx, p.connection(3))).err, store.ErrNoCredits)
	b.pass(time.Second)
	got(b.ReserveConnection(ctx, p.connection(2))).or(t)
	credits := got(b.Credits(ctx, p.organisation)).or(t)
	same(t, "credits", store.Credits{Total: 5, Used: 5}, credits)
	same(t, "available", 0, credits.Available())
	is(t, "one more", got(b.ReserveConnection(ctx, p.connection(1))).err, store.ErrNoCredits)
	got(b.ReserveConnection(ctx, p.connection(0))).or(t)

	same(t, "a larger pool", 6, got(b.SetCredits(ctx, p.organisation, 6)).or(t).Credits)
	got(b.ReserveConnection(ctx, p.connection(1))).or(t)
	got(b.SetCredits(ctx, p.organisation, 1)).or(t)
	credits = got(b.Credits(ctx, p.organisation)).or(t)
	same(t, "a pool smaller than what is used", [3]int{1, 6, 0}, [3]int{credits.Total, credits.Used, credits.Available()})
	is(t, "of none", got(b.SetCredits(ctx, "org_0", 1)).err, store.ErrNotFound)
}

func testCreditsConcurrently(t *testing.T, b *bench) {
	const many, credits = 24, 7
	p := b.plant(credits)
	ends := race(t.Context(), many, func(ctx context.Context, n int) error {
		c, err := b.ReserveConnection(ctx, p.connection(1))
		if err != nil {
			return err
		}
		_, err = b.ActivateConnection(ctx, c.ID, hashOf(fmt.Sprint("token ", n)), nil, note)
		return err
	})
	same(t, "how they ended", map[string]int{"": credits, store.ErrNoCredits.Error(): many - credits}, ends)
	same(t, "used", credits, b.used(p.organisation))
}

func testTokens(t *testing.T, b *bench) {
	ctx, p := t.Context(), b.plant(10)
	c := b.active(p, 1, "first")
	first := got(b.TokenByHash(ctx, hashOf("first"))).or(t)
	same(t, "its connection", c, first.Connection)
	same(t, "not revoked", time.Time{}, first.RevokedAt)

	got(b.ReplaceToken(ctx, p.organisation, c.ID, hashOf("second"), note)).or(t)
	same(t, "the old one is revoked", b.now(), got(b.TokenByHash(ctx, hashOf("first"))).or(t).RevokedAt)
	second := got(b.TokenByHash(ctx, hashOf("second"))).or(t)
	same(t, "the new one is not", time.Time{}, second.RevokedAt)
	if first.ID == second.ID {
		t.Error("two tokens have one id")
	}
	got(b.Disconnect(ctx, p.organisation, c.ID, note)).or(t)
	same(t, "revoked with its connection", b.now(), got(b.TokenByHash(ctx, hashOf("second"))).or(t).RevokedAt)
	is(t, "unknown", got(b.TokenByHash(ctx, hashOf("third"))).err, store.ErrNotFound)
	is(t, "unknown connection", got(b.ReplaceToken(ctx, p.organisation, "con_0", hashOf("x"), note)).err, store.ErrNotFound)
}

func testCancelled(t *testing.T, b *bench) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	is(t, "write", got(b.CreateOrganisation(ctx, "Nobody", 1)).err, context.Canceled)
	same(t, "organisations", 0, len(got(b.Organisations(t.Context(), store.Page{})).or(t)))
	is(t, "ping", b.Ping(t.Context()), nil)
}

// testAllConnections holds the list of all connections against the pages, after each change of a connection's life.
func testAllConnections(t *testing.T, b *bench) {
	ctx, p, note := t.Context(), b.plant(10), store.Note{}
	agree := func(what string, err error) {
		t.Helper()
		is(t, what, err, nil)
		same(t, "after "+what, got(b.Connections(ctx, p.organisation, store.ConnectionFilter{}, store.Page{})).or(t), got(b.AllConnections(ctx, p.organisation)).or(t))
	}
	agree("nothing", nil)
	c := b.pending(p)
	agree("a reservation", nil)
	dropped := b.pending(p)
	agree("another", nil)
	agree("a drop", b.DropConnection(ctx, dropped.ID))
	agree("an activation", got(b.ActivateConnection(ctx, c.ID, hashOf("all"), nil, note)).err)
	agree("a pause", got(b.PauseConnection(ctx, p.organisation, c.ID, note)).err)
	agree("its end", got(b.ResumeConnection(ctx, p.organisation, c.ID, note)).err)
	agree("a new login", got(b.RelinkConnection(ctx, p.organisation, c.ID, store.NewLogin{AgentID: p.agent, Settings: []byte(`{"a":1}`)}, note)).err)
	agree("a disconnection", got(b.Disconnect(ctx, p.organisation, c.ID, note)).err)
	b.pending(p)
	agree("a third", nil)
	agree("what a relay left", got(b.DropPending(ctx)).err)
	last := b.pending(p)
	agree("a fourth", got(b.ActivateConnection(ctx, last.ID, hashOf("last"), nil, note)).err)
	agree("its site's end", got(b.DeleteSite(ctx, p.organisation, p.site, note)).err)
}
