// Package storetest is what every store.Store must pass. A store's own test opens an empty store and calls Run; the suite
// asks for the promises of the interface, in particular those that hold when many ask at once.
package storetest

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gantry/relay/store"
)

// Open opens an empty store whose clock is now. The test closes it.
type Open func(t *testing.T, now func() time.Time) store.Store

// Run runs the suite, with an empty store for every test.
func Run(t *testing.T, open Open) {
	tests := []struct {
		name string
		run  func(*testing.T, *bench)
	}{
		{"organisations", testOrganisations},
		{"keys", testKeys},
		{"sites", testSites},
		{"deleting a site ends what is at it", testDeleteSite},
		{"enrolment", testEnrolment},
		{"a token enrols one agent of many", testEnrolOnce},
		{"agents", testAgents},
		{"renewal keeps the key", testRenew},
		{"catalogues", testCatalogues},
		{"the life of a connection", testConnectionLife},
		{"pause and resume", testPause},
		{"a new login", testRelink},
		{"a life is told in events", testLifeEvents},
		{"a connection that fails is gone", testDropConnection},
		{"pending connections end with the relay", testDropPending},
		{"lists of connections", testConnectionLists},
		{"all connections", testAllConnections},
		{"credits run out", testCredits},
		{"credits are not spent twice", testCreditsConcurrently},
		{"tokens", testTokens},
		{"audit", testAudit},
		{"the audit has no gap", testAuditHasNoGap},
		{"events", testEvents},
		{"events of an agent", testAgentEvents},
		{"a full log keeps its newest events", testEventsAreCapped},
		{"who follows a log misses nothing", testEventsFollow},
		{"conditions", testConditions},
		{"webhooks", testWebhooks},
		{"an organisation has so many webhooks", testTooManyWebhooks},
		{"webhooks get what they want", testWants},
		{"events are delivered", testEventsAreDelivered},
		{"a subject keeps its order", testOrder},
		{"a message is added once", testAddedOnce},
		{"a delivery begins again", testResend},
		{"health of a webhook", testHealth},
		{"deliveries are given up", testGivenUp},
		{"deliveries are forgotten", testForgotten},
		{"another organisation sees nothing", testForeign},
		{"secrets are made once", testSecrets},
		{"pages", testPages},
		{"a cancelled write", testCancelled},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.run(t, newBench(t, open)) })
	}
}

// bench is an empty store with a clock that stands still until it is told to go on.
type bench struct {
	store.Store
	t *testing.T

	mu   sync.Mutex
	time time.Time
}

func newBench(t *testing.T, open Open) *bench {
	b := &bench{t: t, time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	b.Store = open(t, b.now)
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return b
}

func (b *bench) now() time.Time { b.mu.Lock(); defer b.mu.Unlock(); return b.time }

func (b *bench) pass(d time.Duration) { b.mu.Lock(); defer b.mu.Unlock(); b.time = b.time.Add(d) }

// organisation makes an organisation with credits.
func (b *bench) organisation(credits int) store.Organisation {
	b.t.Helper()
	return got(b.CreateOrganisation(b.t.Context(), "Plant Ltd", credits)).or(b.t)
}

// plant is an organisation with one site and one agent.
type plant struct{ organisation, site, agent string }

func (b *bench) plant(credits int) plant {
	b.t.Helper()
	o := b.organisation(credits)
	site := got(b.CreateSite(b.t.Context(), o.ID, "Plant 1")).or(b.t)
	return plant{o.ID, site.ID, b.enrol(o.ID, site.ID).ID}
}

func (b *bench) enrol(organisation, site string) store.Agent {
	b.t.Helper()
	id := store.NewID(store.AgentID, b.now())
	hash := hashOf("secret of " + id)
	got(b.CreateEnrolment(b.t.Context(), organisation, site, hash, b.now().Add(time.Hour))).or(b.t)
	return got(b.Enrol(b.t.Context(), hash, newAgent(id, b.now()))).or(b.t)
}

func newAgent(id string, now time.Time) store.NewAgent {
	return store.NewAgent{
		ID: id, MachineID: "machine", Key: hashOf("key of " + id), Facts: []byte(`{"hostname":"plant-1"}`),
		CertificateExpiresAt: now.Add(7 * 24 * time.Hour),
	}
}

// pending makes a connection that no event tells of yet.
func (b *bench) pending(p plant) store.Connection {
	b.t.Helper()
	return got(b.ReserveConnection(b.t.Context(), p.connection(1))).or(b.t)
}

// active makes a connection of the tier and activates it with a token's hash.
func (b *bench) active(p plant, tier int, token string) store.Connection {
	b.t.Helper()
	c := got(b.ReserveConnection(b.t.Context(), p.connection(tier))).or(b.t)
	return got(b.ActivateConnection(b.t.Context(), c.ID, hashOf(token), settings, note)).or(b.t)
}

// note is that of every change here.
var note = store.Note{By: store.Actor{ID: "key_1", Name: "CI", Role: store.Admin}, RequestID: "req_1"}

// settings are those of every connection here.
var settings = json.RawMessage(`{"host":"db.plant"}`)

func (p plant) connection(tier int) store.NewConnection {
	return store.NewConnection{
		OrganisationID: p.organisation, SiteID: p.site, AgentID: p.agent, System: "demo-plant", SystemName: "Demo Plant", Name: "Demo", Tier: tier,
		Metadata: []byte(`{"erp":1}`),
	}
}

func (b *bench) used(organisation string) int {
	b.t.Helper()
	return got(b.Credits(b.t.Context(), organisation)).or(b.t).Used
}

func hashOf(s string) store.Hash { return sha256.Sum256([]byte(s)) }

// outcome is what a call gave.
type outcome[T any] struct {
	value T
	err   error
}

// got takes what a call gives: got(store.Site(…)).
func got[T any](value T, err error) outcome[T] { return outcome[T]{value, err} }

// or ends the test unless the call succeeded.
func (o outcome[T]) or(t *testing.T) T {
	t.Helper()
	if o.err != nil {
		t.Fatal(o.err)
	}
	return o.value
}

// is checks the error of a call.
func is(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error is %v, want %v", what, err, want)
	}
}

// same compares what was found with what is wanted.
func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// race runs a function many times at once and counts how its calls ended, by their error's text; "" is success.
func race(ctx context.Context, times int, run func(ctx context.Context, n int) error) map[string]int {
	var mu sync.Mutex
	var all sync.WaitGroup
	ends := map[string]int{}
	for n := range times {
		all.Go(func() {
			end := ""
			if err := run(ctx, n); err != nil {
				end = err.Error()
			}
			mu.Lock()
			defer mu.Unlock()
			ends[end]++
		})
	}
	all.Wait()
	return ends
}
