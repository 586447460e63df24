package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"gantry/connectors"
	"gantry/relay/store"
)

// hook makes a webhook for events.
func (b *bench) hook(organisation string, events ...string) store.Webhook {
	b.t.Helper()
	return got(b.CreateWebhook(b.t.Context(), newHook(organisation, events...))).or(b.t)
}

func newHook(organisation string, events ...string) store.NewWebhook {
	return store.NewWebhook{OrganisationID: organisation, URL: "https://example.com/hook", Description: "ours", Events: events, Secret: connectors.NewSecret("whsec_1")}
}

// record is a message about a record.
func record(id, subject string) store.NewDelivery {
	return store.NewDelivery{ID: id, Kind: store.RecordUpdated, SiteID: "site_1", ConnectionID: "con_1", Subject: subject, Data: json.RawMessage(`{"id":"7"}`)}
}

func (b *bench) add(organisation string, messages ...store.NewDelivery) {
	b.t.Helper()
	is(b.t, "add", b.AddDeliveries(b.t.Context(), organisation, messages), nil)
}

// due lists the ids of what can be sent to a webhook now.
func (b *bench) due(webhook string, underWay ...int64) string {
	b.t.Helper()
	return dueIDs(got(b.DueDeliveries(b.t.Context(), webhook, underWay, 100)).or(b.t))
}

func dueIDs(due []store.DueDelivery) string {
	var ids []string
	for _, d := range due {
		ids = append(ids, d.ID)
	}
	return strings.Join(ids, " ")
}

// settle notes that what is due was tried.
func (b *bench) settle(webhook string, state store.DeliveryState, next time.Time, health store.WebhookHealth) {
	b.t.Helper()
	settled := store.Settlement{Health: health}
	for _, d := range got(b.DueDeliveries(b.t.Context(), webhook, nil, 100)).or(b.t) {
		settled.Attempts = append(settled.Attempts, store.Attempt{Number: d.Number, Subject: d.Subject, State: state, At: b.now(), Next: next, Status: 200})
	}
	is(b.t, "settle", b.SettleDeliveries(b.t.Context(), webhook, settled), nil)
}

// listed lists a webhook's deliveries in a state, as "id state".
func (b *bench) listed(w store.Webhook, state store.DeliveryState) string {
	b.t.Helper()
	var all []string
	for _, d := range got(b.Deliveries(b.t.Context(), w.OrganisationID, w.ID, store.DeliveryFilter{State: state}, store.Page{})).or(b.t) {
		all = append(all, d.ID+" "+string(d.State))
	}
	return strings.Join(all, ", ")
}

func testWebhooks(t *testing.T, b *bench) {
	ctx, p := t.Context(), b.plant(5)
	wish := newHook(p.organisation, "record.*", "sync.failed")
	wish.SiteID = p.site
	made := got(b.CreateWebhook(ctx, wish)).or(t)
	want := store.Webhook{
		ID: made.ID, OrganisationID: p.organisation, URL: wish.URL, Description: wish.Description, Events: wish.Events,
		SiteID: p.site, State: store.WebhookActive, CreatedAt: b.now(),
	}
	same(t, "made", want, made)
	same(t, "found", want, got(b.Webhook(ctx, p.organisation, made.ID)).or(t))
	same(t, "listed", []store.Webhook{want}, got(b.Webhooks(ctx, p.organisation, store.Page{})).or(t))
	wish.SiteID = "site_0"
	is(t, "of no site", got(b.CreateWebhook(ctx, wish)).err, store.ErrNotFound)
	wish.SiteID, wish.ConnectionID = "", "con_0"
	is(t, "of no connection", got(b.CreateWebhook(ctx, wish)).err, store.ErrNotFound)

	url, paused := "https://example.com/new", store.WebhookPaused
	want.URL, want.State, want.Events = url, paused, []string{"*"}
	same(t, "changed", want, got(b.ChangeWebhook(ctx, p.organisation, made.ID, store.WebhookChange{URL: &url, State: &paused, Events: want.Events})).or(t))

	until := b.now().Add(time.Hour)
	want.FormerSecretUntil = until
	same(t, "rotated", want, got(b.RotateWebhook(ctx, p.organisation, made.ID, connectors.NewSecret("whsec_2"), until)).or(t))
	endpoint := got(b.Endpoint(ctx, made.ID)).or(t)
	same(t, "both sign", "whsec_2 whsec_1", endpoint.Secret.Reveal()+" "+endpoint.Former.Reveal())
	b.pass(time.Hour)
	same(t, "the former does not", "", got(b.Endpoint(ctx, made.ID)).or(t).Former.Reveal())

	other := b.organisation(1).ID
	is(t, "of another organisation", b.DeleteWebhook(ctx, other, made.ID), store.ErrNotFound)
	is(t, "delete", b.DeleteWebhook(ctx, p.organisation, made.ID), nil)
	is(t, "delete again", b.DeleteWebhook(ctx, p.organisation, made.ID), store.ErrNotFound)
	is(t, "gone", got(b.Webhook(ctx, p.organisation, made.ID)).err, store.ErrNotFound)
	is(t, "no endpoint", got(b.Endpoint(ctx, made.ID)).err, store.ErrNotFound)
}

func testTooManyWebhooks(t *testing.T, b *bench) {
	o := b.organisation(1).ID
	for range store.MaxWebhooks {
		b.hook(o, "*")
	}
	is(t, "one more", got(b.CreateWebhook(t.Context(), newHook(o, "*"))).err, store.ErrTooMany)
	b.hook(b.organisation(1).ID, "*")
}

func testWants(t *testing.T, b *bench) {
	p, foreign := b.plant(5), b.organisation(1).ID
	c := b.active(p, 1, "token")
	ofSite, ofConnection := newHook(p.organisation, "*"), newHook(p.organisation, "*")
	ofSite.SiteID, ofConnection.ConnectionID = p.site, c.ID
	hooks := map[string]store.Webhook{
		"records": b.hook(p.organisation, "record.*"), "deletions": b.hook(p.organisation, "record.deleted"), "syncs": b.hook(p.organisation, "sync.failed", "sync.completed"),
		"site": got(b.CreateWebhook(t.Context(), ofSite)).or(t), "connection": got(b.CreateWebhook(t.Context(), ofConnection)).or(t),
		"foreign": b.hook(foreign, "*"),
	}
	here, elsewhere, gone := record("here", "a"), record("elsewhere", "b"), record("gone", "c")
	here.SiteID, here.ConnectionID, gone.Kind = p.site, c.ID, store.RecordDeleted
	b.add(p.organisation, here, elsewhere, gone)
	for name, want := range map[string]string{
		"records": "here elsewhere gone", "deletions": "gone", "syncs": "", "site": "here", "connection": "here", "foreign": "",
	} {
		same(t, name, want, b.due(hooks[name].ID))
	}
}

func testEventsAreDelivered(t *testing.T, b *bench) {
	ctx, p := t.Context(), b.plant(5)
	c := b.active(p, 1, "token")
	w := b.hook(p.organisation, "*")
	changed := happened(c, store.LevelWarning, store.ConnectionStateChanged, "")
	changed.Data, changed.RequestID = json.RawMessage(`{"from":"active","to":"degraded","message":"It changed."}`), "req_1"
	is(t, "append", b.AppendEvents(ctx, changed, happened(c, store.LevelError, store.CallFailed, "items"), ofAgent(c, store.AgentConnected)), nil)
	unknown := happened(c, store.LevelInfo, store.SyncFailed, "")
	unknown.OrganisationID = "org_0"
	is(t, "all or none", b.AppendEvents(ctx, happened(c, store.LevelInfo, store.SyncFailed, ""), unknown), store.ErrNotFound)

	due := got(b.DueDeliveries(ctx, w.ID, nil, 10)).or(t)
	if len(due) != 2 {
		t.Fatalf("%d are due, wanted the two that webhooks are told of", len(due))
	}
	events := got(b.Events(ctx, p.organisation, c.ID, store.EventFilter{Kind: store.ConnectionStateChanged}, store.Page{})).or(t)
	same(t, "the message's id is the event's", events[0].ID, due[0].ID)
	same(t, "subjects", c.ID+" "+p.agent, due[0].Subject+" "+due[1].Subject)
	body := map[string]any{
		"type": "connection.state_changed", "timestamp": "2026-03-01T12:00:00Z", "data": map[string]any{
			"site_id": p.site, "agent_id": p.agent, "connection_id": c.ID, "request_id": "req_1", "from": "active", "to": "degraded", "message": "It happened.",
		},
	}
	var told map[string]any
	is(t, "body", json.Unmarshal(due[0].Body, &told), nil)
	same(t, "body", body, told)
	single := got(b.Delivery(ctx, p.organisation, w.ID, due[0].ID)).or(t)
	same(t, "shown", string(due[0].Body), string(single.Body))
	is(t, "unknown", got(b.Delivery(ctx, p.organisation, w.ID, "evt_0")).err, store.ErrNotFound)
}

func testOrder(t *testing.T, b *bench) {
	o := b.organisation(1).ID
	w := b.hook(o, "*")
	b.add(o, record("a1", "a"), record("a2", "a"), record("b1", "b"), record("a3", "a"))
	same(t, "the first of each", "a1 b1", b.due(w.ID))
	due := got(b.DueDeliveries(t.Context(), w.ID, nil, 10)).or(t)
	same(t, "without what is under way", "b1", b.due(w.ID, due[0].Number))
	same(t, "no more than asked for", "a1", dueIDs(got(b.DueDeliveries(t.Context(), w.ID, nil, 1)).or(t)))

	later := b.now().Add(time.Minute)
	b.settle(w.ID, store.DeliveryPending, later, store.WebhookHealth{Failures: 1})
	same(t, "both wait for their next attempt, and the others for them", "", b.due(w.ID))
	same(t, "due then", []store.DueWebhook{{ID: w.ID, At: later}}, got(b.DueWebhooks(t.Context(), later)).or(t))
	same(t, "and not before", 0, len(got(b.DueWebhooks(t.Context(), later.Add(-1))).or(t)))
	b.pass(time.Minute)
	b.settle(w.ID, store.Delivered, time.Time{}, store.WebhookHealth{})
	same(t, "the next", "a2", b.due(w.ID))
	b.settle(w.ID, store.DeliveryFailed, time.Time{}, store.WebhookHealth{})
	b.add(o, record("b2", "b"))
	same(t, "after one that failed", "a3 b2", b.due(w.ID))
	b.settle(w.ID, store.Delivered, time.Time{}, store.WebhookHealth{})
	same(t, "at the end", "", b.due(w.ID))
	same(t, "nothing is due", 0, len(got(b.DueWebhooks(t.Context(), b.now())).or(t)))
	same(t, "all, the newest first", "b2 delivered, a3 delivered, b1 delivered, a2 failed, a1 delivered", b.listed(w, ""))
	same(t, "those that failed", "a2 failed", b.listed(w, store.DeliveryFailed))
	same(t, "a page", "a3", got(b.Deliveries(t.Context(), o, w.ID, store.DeliveryFilter{}, store.Page{After: "b2", Limit: 1})).or(t)[0].ID)
}

func testAddedOnce(t *testing.T, b *bench) {
	o := b.organisation(1).ID
	w := b.hook(o, "*")
	ends := race(t.Context(), 8, func(ctx context.Context, _ int) error {
		return b.AddDeliveries(ctx, o, []store.NewDelivery{record("a1", "a"), record("a2", "a")})
	})
	same(t, "all succeed", map[string]int{"": 8}, ends)
	same(t, "two", "a2 pending, a1 pending", b.listed(w, ""))
	b.settle(w.ID, store.Delivered, time.Time{}, store.WebhookHealth{})
	b.add(o, record("a1", "a"))
	same(t, "not again when it was delivered", "a2 pending, a1 delivered", b.listed(w, ""))
	large := record("a3", "a")
	large.Data = json.RawMessage(`"` + strings.Repeat("x", store.MaxMessage) + `"`)
	if b.AddDeliveries(t.Context(), o, []store.NewDelivery{record("a4", "a"), large}) == nil {
		t.Error("a message without bounds is taken")
	}
	same(t, "all or none", "a2 pending, a1 delivered", b.listed(w, ""))
}

func testResend(t *testing.T, b *bench) {
	ctx, o := t.Context(), b.organisation(1).ID
	w := b.hook(o, "*")
	b.add(o, record("a1", "a"))
	b.settle(w.ID, store.DeliveryFailed, time.Time{}, store.WebhookHealth{})
	b.pass(time.Hour)
	again := got(b.ResendDelivery(ctx, o, w.ID, "a1")).or(t)
	same(t, "begins anew", store.Delivery{
		ID: "a1", WebhookID: w.ID, Kind: store.RecordUpdated, Subject: "a", State: store.DeliveryPending, CreatedAt: b.now().Add(-time.Hour),
		ExpiresAt: b.now().Add(store.DeliveryLife), NextAttemptAt: b.now(), LastAttemptAt: b.now().Add(-time.Hour), Status: 200,
	}, again)
	b.add(o, record("a2", "a"))
	b.settle(w.ID, store.Delivered, time.Time{}, store.WebhookHealth{})
	got(b.ResendDelivery(ctx, o, w.ID, "a1")).or(t)
	same(t, "waits for one that has its turn", "a2", b.due(w.ID))
	b.settle(w.ID, store.Delivered, time.Time{}, store.WebhookHealth{})
	same(t, "then has its own", "a1", b.due(w.ID))
	is(t, "unknown", got(b.ResendDelivery(ctx, o, w.ID, "a0")).err, store.ErrNotFound)
	paused := store.WebhookPaused
	got(b.ChangeWebhook(ctx, o, w.ID, store.WebhookChange{State: &paused})).or(t)
	is(t, "paused", got(b.ResendDelivery(ctx, o, w.ID, "a1")).err, store.ErrState)
	is(t, "no test either", got(b.AddTest(ctx, o, w.ID)).err, store.ErrState)
}

func testHealth(t *testing.T, b *bench) {
	ctx, o := t.Context(), b.organisation(1).ID
	w := b.hook(o, "record.*")
	b.add(o, record("a1", "a"), record("b1", "b"))
	rests := store.WebhookHealth{Failures: 5, Rests: 1, RestsUntil: b.now().Add(time.Minute), FailingSince: b.now(), LastError: "no answer"}
	b.settle(w.ID, store.DeliveryPending, b.now().Add(time.Second), rests)
	same(t, "kept", rests, got(b.Webhook(ctx, o, w.ID)).or(t).Health)
	same(t, "due when it has rested", []store.DueWebhook{{ID: w.ID, At: rests.RestsUntil}}, got(b.DueWebhooks(ctx, rests.RestsUntil)).or(t))
	b.pass(time.Second)
	b.settle(w.ID, store.DeliveryPending, b.now().Add(time.Hour), rests)
	test := got(b.AddTest(ctx, o, w.ID)).or(t)
	same(t, "a test, whatever it wants", store.WebhookTest, test.Kind)
	due := got(b.DueDeliveries(ctx, w.ID, nil, 10)).or(t)
	is(t, "recover", b.SettleDeliveries(ctx, w.ID, store.Settlement{
		Attempts: []store.Attempt{{Number: due[0].Number, Subject: due[0].Subject, State: store.Delivered, At: b.now()}}, Recovered: true,
	}), nil)
	same(t, "all of it at once", "a1 b1", b.due(w.ID))

	is(t, "gone", b.SettleDeliveries(ctx, w.ID, store.Settlement{Health: rests, Disable: "Gone."}), nil)
	shut := got(b.Webhook(ctx, o, w.ID)).or(t)
	same(t, "disabled", store.WebhookDisabled+" Gone.", shut.State+" "+store.WebhookState(shut.Reason))
	b.add(o, record("c1", "c"))
	same(t, "nothing new", test.ID+" delivered, b1 pending, a1 pending", b.listed(w, ""))
	same(t, "nothing is due", 0, len(got(b.DueWebhooks(ctx, b.now().Add(time.Hour))).or(t)))
	active := store.WebhookActive
	healed := got(b.ChangeWebhook(ctx, o, w.ID, store.WebhookChange{State: &active})).or(t)
	same(t, "forgiven", store.WebhookHealth{}, healed.Health)
}

// keep is what these tests keep.
var keep = store.Retention{Delivered: time.Hour, MaxDelivered: 3, Failed: 2 * time.Hour, MaxFailed: 3, MaxWaiting: 1000}

func (b *bench) tidy() {
	b.t.Helper()
	for more := true; more; {
		more = got(b.TidyDeliveries(b.t.Context(), keep)).or(b.t)
	}
}

func testGivenUp(t *testing.T, b *bench) {
	ctx, o := t.Context(), b.organisation(1).ID
	failing, slow, shut := b.hook(o, "*"), b.hook(o, "*"), b.hook(o, "*")
	b.add(o, record("a1", "a"), record("a2", "a"))
	b.pass(time.Hour)
	b.add(o, record("a3", "a"))
	is(t, "rests", b.SettleDeliveries(ctx, failing.ID, store.Settlement{Health: store.WebhookHealth{Failures: 5, Rests: 1, RestsUntil: b.now()}}), nil)
	is(t, "gone", b.SettleDeliveries(ctx, shut.ID, store.Settlement{Disable: "Gone."}), nil)
	b.pass(store.DeliveryLife + 10*time.Minute) // a1 and a2 were over an hour ago, a3 just now
	b.tidy()
	same(t, "what is too old, of one that fails", "a3 pending, a2 failed, a1 failed", b.listed(failing, ""))
	same(t, "then the next has its turn", "a3", b.due(failing.ID))
	same(t, "nothing, of one that is only slow", "a3 pending, a2 pending, a1 pending", b.listed(slow, ""))
	same(t, "all, of one that is disabled", "a3 failed, a2 failed, a1 failed", b.listed(shut, ""))
	if d := got(b.Delivery(ctx, o, failing.ID, "a1")).or(t); d.Error == "" || d.Attempts != 0 {
		t.Errorf("%+v does not say why it failed", d)
	}
	var many []store.NewDelivery
	for n := range keep.MaxWaiting {
		many = append(many, record(fmt.Sprint("more", n), fmt.Sprint(n%7)))
	}
	b.add(o, many...)
	b.tidy()
	same(t, "too much waits", store.WebhookDisabled, got(b.Webhook(ctx, o, slow.ID)).or(t).State)
}

func testForgotten(t *testing.T, b *bench) {
	o := b.organisation(1).ID
	w, other := b.hook(o, "*"), b.hook(o, "*")
	for n := range 5 {
		b.add(o, record(fmt.Sprint("a", n), fmt.Sprint(n)))
	}
	b.settle(w.ID, store.Delivered, time.Time{}, store.WebhookHealth{})
	b.settle(other.ID, store.DeliveryFailed, time.Time{}, store.WebhookHealth{})
	b.tidy()
	same(t, "no more than so many delivered", "a4 delivered, a3 delivered, a2 delivered", b.listed(w, ""))
	same(t, "no more than so many failed", "a4 failed, a3 failed, a2 failed", b.listed(other, ""))
	b.pass(time.Hour + time.Second)
	b.tidy()
	same(t, "delivered is kept for so long", "", b.listed(w, ""))
	same(t, "failed for longer", "a4 failed, a3 failed, a2 failed", b.listed(other, ""))
	is(t, "delete", b.DeleteWebhook(t.Context(), o, other.ID), nil)
	b.tidy()
	b.tidy() // nothing is left to do
	is(t, "gone", got(b.Deliveries(t.Context(), o, other.ID, store.DeliveryFilter{}, store.Page{})).err, store.ErrNotFound)
}
