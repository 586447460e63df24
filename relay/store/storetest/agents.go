package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"gantry/relay/store"
)

func testEnrolment(t *testing.T, b *bench) {
	ctx, o := t.Context(), b.organisation(1)
	site := got(b.CreateSite(ctx, o.ID, "Plant 1")).or(t)
	used, late := hashOf("used"), hashOf("late")
	e := got(b.CreateEnrolment(ctx, o.ID, site.ID, used, b.now().Add(time.Hour))).or(t)
	got(b.CreateEnrolment(ctx, o.ID, site.ID, late, b.now().Add(time.Hour))).or(t)
	same(t, "enrolment", e, got(b.Enrolment(ctx, used)).or(t))

	new1 := newAgent("agt_1", b.now())
	agent := got(b.Enrol(ctx, used, new1)).or(t)
	entries := got(b.Audit(ctx, agent.OrganisationID, store.Page{})).or(t)
	same(t, "the audit", []store.AuditEntry{{
		ID: store.AuditID(1), OrganisationID: agent.OrganisationID, At: b.now(), Action: "agents.enrol", Result: "OK",
		Actor: entries[0].Actor, Subject: store.Subject{Target: agent.ID, SiteID: agent.SiteID, AgentID: agent.ID},
	}}, entries)
	same(t, "who enrolled", store.Actor{ID: e.ID, Name: "enrolment token", Role: store.Enroller}, entries[0].Actor)
	same(t, "agent", store.Agent{
		ID: "agt_1", OrganisationID: o.ID, SiteID: site.ID, MachineID: new1.MachineID, Key: new1.Key, Facts: new1.Facts,
		CertificateExpiresAt: new1.CertificateExpiresAt, EnrolledAt: b.now(),
	}, agent)

	is(t, "unknown", got(b.Enrol(ctx, hashOf("unknown"), newAgent("agt_2", b.now()))).err, store.ErrTokenUnknown)
	is(t, "used", got(b.Enrol(ctx, used, newAgent("agt_2", b.now()))).err, store.ErrTokenUsed)
	b.pass(time.Hour)
	is(t, "expired", got(b.Enrol(ctx, late, newAgent("agt_2", b.now()))).err, store.ErrTokenExpired)
	is(t, "expired, asked", got(b.Enrolment(ctx, late)).err, store.ErrTokenExpired)
	is(t, "used and expired is used", got(b.Enrolment(ctx, used)).err, store.ErrTokenUsed)
	is(t, "no agent was left behind", got(b.Agent(ctx, "agt_2")).err, store.ErrNotFound)
}

// testEnrolOnce sends a token many times at once.
func testEnrolOnce(t *testing.T, b *bench) {
	const many = 32
	o := b.organisation(1)
	site := got(b.CreateSite(t.Context(), o.ID, "Plant 1")).or(t)
	hash := hashOf("token")
	got(b.CreateEnrolment(t.Context(), o.ID, site.ID, hash, b.now().Add(time.Hour))).or(t)
	ends := race(t.Context(), many, func(ctx context.Context, n int) error {
		_, err := b.Enrol(ctx, hash, newAgent(fmt.Sprintf("agt_%d", n), b.now()))
		return err
	})
	same(t, "how they ended", map[string]int{"": 1, store.ErrTokenUsed.Error(): many - 1}, ends)
	same(t, "agents", 1, len(got(b.Agents(t.Context(), o.ID, site.ID)).or(t)))
}

func testAgents(t *testing.T, b *bench) {
	ctx, p := t.Context(), b.plant(1)
	seen := b.now().Add(time.Minute)
	is(t, "seen", b.SeenAgent(ctx, p.agent, seen, []byte(`{"hostname":"new"}`)), nil)
	is(t, "seen earlier", b.SeenAgent(ctx, p.agent, seen.Add(-time.Second), nil), nil)
	agents := got(b.Agents(ctx, p.organisation, p.site)).or(t)
	same(t, "one agent", 1, len(agents))
	same(t, "last seen", seen, agents[0].LastSeenAt)
	same(t, "facts", `{"hostname":"new"}`, string(agents[0].Facts))

	empty := got(b.CreateSite(ctx, p.organisation, "Plant 2")).or(t)
	same(t, "of two sites", agents, got(b.Agents(ctx, p.organisation, p.site, empty.ID)).or(t))
	same(t, "of another site", 0, len(got(b.Agents(ctx, p.organisation, empty.ID)).or(t)))
	same(t, "of no site", 0, len(got(b.Agents(ctx, p.organisation)).or(t)))

	revoked := got(b.RevokeAgent(ctx, p.organisation, p.site, p.agent)).or(t)
	same(t, "revoked", b.now(), revoked.RevokedAt)
	b.pass(time.Minute)
	same(t, "revoked again", revoked, got(b.RevokeAgent(ctx, p.organisation, p.site, p.agent)).or(t))
	same(t, "found by id", revoked, got(b.Agent(ctx, p.agent)).or(t))
	same(t, "not listed", 0, len(got(b.Agents(ctx, p.organisation, p.site)).or(t)))
	is(t, "no connection by it", got(b.ReserveConnection(ctx, p.connection(1))).err, store.ErrNotFound)
	is(t, "unknown", b.SeenAgent(ctx, "agt_0", seen, nil), store.ErrNotFound)
}

func testRenew(t *testing.T, b *bench) {
	ctx, p := t.Context(), b.plant(1)
	key := got(b.Agent(ctx, p.agent)).or(t).Key
	until := b.now().Add(14 * 24 * time.Hour)
	is(t, "another key", b.RenewAgent(ctx, p.agent, hashOf("another"), until), store.ErrWrongKey)
	is(t, "same key", b.RenewAgent(ctx, p.agent, key, until), nil)
	same(t, "expiry", until, got(b.Agent(ctx, p.agent)).or(t).CertificateExpiresAt)
	is(t, "unknown", b.RenewAgent(ctx, "agt_0", key, until), store.ErrNotFound)
	got(b.RevokeAgent(ctx, p.organisation, p.site, p.agent)).or(t)
	is(t, "revoked", b.RenewAgent(ctx, p.agent, key, until), store.ErrRevoked)
}

func testCatalogues(t *testing.T, b *bench) {
	ctx, p := t.Context(), b.plant(1)
	same(t, "none yet", 0, len(got(b.Catalogues(ctx, p.organisation, p.site)).or(t)))
	second := b.enrol(p.organisation, p.site).ID
	is(t, "save", b.SaveCatalogue(ctx, p.agent, []byte(`{"systems":[1]}`)), nil)
	b.pass(time.Second)
	is(t, "save", b.SaveCatalogue(ctx, second, []byte(`{"systems":[2]}`)), nil)
	b.pass(time.Second)
	is(t, "save again", b.SaveCatalogue(ctx, p.agent, []byte(`{"systems":[3]}`)), nil)
	same(t, "latest first", []store.Catalogue{
		{AgentID: p.agent, Data: []byte(`{"systems":[3]}`), UpdatedAt: b.now()},
		{AgentID: second, Data: []byte(`{"systems":[2]}`), UpdatedAt: b.now().Add(-time.Second)},
	}, got(b.Catalogues(ctx, p.organisation, p.site)).or(t))
	is(t, "unknown", b.SaveCatalogue(ctx, "agt_0", []byte(`{}`)), store.ErrNotFound)
}

func testSecrets(t *testing.T, b *bench) {
	type pair struct{ certificate, key string }
	var made, kept []pair
	pairs := make(chan [2]pair, 8)
	ends := race(t.Context(), cap(pairs), func(ctx context.Context, n int) error {
		fresh := pair{fmt.Sprintf("certificate %d", n), fmt.Sprintf("key %d", n)}
		certificate, key, err := b.Authority(ctx, func() (certificate, key []byte, err error) {
			return []byte(fresh.certificate), []byte(fresh.key), nil
		})
		pairs <- [2]pair{fresh, {string(certificate), string(key)}}
		return err
	})
	same(t, "how they ended", map[string]int{"": cap(pairs)}, ends)
	for range cap(pairs) {
		p := <-pairs
		made, kept = append(made, p[0]), append(kept, p[1])
	}
	for _, p := range kept {
		if p != kept[0] {
			t.Errorf("two authorities were given: %v and %v", p, kept[0])
		}
	}
	same(t, "it is one of those made", true, slices.Contains(made, kept[0]))

	first := got(b.Secret(t.Context(), "cursors", func() ([]byte, error) { return []byte("one"), nil })).or(t)
	again := got(b.Secret(t.Context(), "cursors", func() ([]byte, error) { return []byte("two"), nil })).or(t)
	other := got(b.Secret(t.Context(), "authority", func() ([]byte, error) { return []byte("three"), nil })).or(t)
	same(t, "secrets", []string{"one", "one", "three"}, []string{string(first), string(again), string(other)})
	is(t, "one that cannot be made", got(b.Secret(t.Context(), "new", func() ([]byte, error) { return nil, context.Canceled })).err, context.Canceled)
}
