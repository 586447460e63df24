package storetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"gantry/relay/store"
)

func testOrganisations(t *testing.T, b *bench) {
	first := b.organisation(10)
	b.pass(time.Second)
	second := b.organisation(0)
	if !strings.HasPrefix(first.ID, "org_") || first.ID >= second.ID {
		t.Errorf("ids %s and %s are not org_… in the order of age", first.ID, second.ID)
	}
	same(t, "organisation", first, got(b.Organisation(t.Context(), first.ID)).or(t))
	same(t, "list", []store.Organisation{first, second}, got(b.Organisations(t.Context(), store.Page{})).or(t))
	same(t, "creation", time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), first.CreatedAt)
	is(t, "unknown", got(b.Organisation(t.Context(), "org_0")).err, store.ErrNotFound)
	is(t, "credits of unknown", got(b.Credits(t.Context(), "org_0")).err, store.ErrNotFound)
}

func testKeys(t *testing.T, b *bench) {
	ctx, o := t.Context(), b.organisation(1)
	hash := hashOf("token")
	key := got(b.CreateKey(ctx, store.NewKey{OrganisationID: o.ID, Name: "CI", Role: store.Read, Hash: hash, ExpiresAt: b.now().Add(time.Hour)})).or(t)
	same(t, "key", store.Key{ID: key.ID, OrganisationID: o.ID, Name: "CI", Role: store.Read, CreatedAt: b.now(), ExpiresAt: b.now().Add(time.Hour)}, key)
	same(t, "by hash", key, got(b.KeyByHash(ctx, hash)).or(t))
	same(t, "list", []store.Key{key}, got(b.Keys(ctx, o.ID, store.Page{})).or(t))

	same(t, "by id", key, got(b.Key(ctx, o.ID, key.ID)).or(t))
	key.SignOuts = 1
	same(t, "signed out", key, got(b.SignOut(ctx, o.ID, key.ID)).or(t))
	same(t, "signed out, by hash", key, got(b.KeyByHash(ctx, hash)).or(t))

	revoked := got(b.RevokeKey(ctx, o.ID, key.ID)).or(t)
	same(t, "revocation", b.now(), revoked.RevokedAt)
	b.pass(time.Minute)
	same(t, "revoked again", revoked, got(b.RevokeKey(ctx, o.ID, key.ID)).or(t))
	same(t, "revoked, by hash", revoked, got(b.KeyByHash(ctx, hash)).or(t))

	is(t, "unknown hash", got(b.KeyByHash(ctx, hashOf("other"))).err, store.ErrNotFound)
	is(t, "unknown key, by id", got(b.Key(ctx, o.ID, "key_0")).err, store.ErrNotFound)
	is(t, "unknown key, signed out", got(b.SignOut(ctx, o.ID, "key_0")).err, store.ErrNotFound)
	is(t, "unknown key", got(b.RevokeKey(ctx, o.ID, "key_0")).err, store.ErrNotFound)
	is(t, "unknown organisation", got(b.CreateKey(ctx, store.NewKey{OrganisationID: "org_0", Role: store.Read, Hash: hashOf("x")})).err, store.ErrNotFound)
}

func testSites(t *testing.T, b *bench) {
	ctx, o := t.Context(), b.organisation(1)
	site := got(b.CreateSite(ctx, o.ID, "Plant 1")).or(t)
	same(t, "site", store.Site{ID: site.ID, OrganisationID: o.ID, Name: "Plant 1", CreatedAt: b.now()}, site)
	same(t, "found", site, got(b.Site(ctx, o.ID, site.ID)).or(t))
	same(t, "list", []store.Site{site}, got(b.Sites(ctx, o.ID, store.Page{})).or(t))
	is(t, "unknown organisation", got(b.CreateSite(ctx, "org_0", "x")).err, store.ErrNotFound)
}

func testDeleteSite(t *testing.T, b *bench) {
	ctx, p := t.Context(), b.plant(10)
	other := got(b.CreateSite(ctx, p.organisation, "Plant 2")).or(t)
	untouched := plant{p.organisation, other.ID, b.enrol(p.organisation, other.ID).ID}
	active, stays := b.active(p, 3, "token"), b.active(untouched, 2, "other token")
	pending := got(b.ReserveConnection(ctx, p.connection(1))).or(t)
	enrolment := hashOf("enrolment")
	got(b.CreateEnrolment(ctx, p.organisation, p.site, enrolment, b.now().Add(time.Hour))).or(t)

	ended := got(b.DeleteSite(ctx, p.organisation, p.site, note)).or(t)
	slices.Sort(ended.Connections)
	connections := []string{active.ID, pending.ID}
	slices.Sort(connections)
	same(t, "ended", store.Ended{Agents: []string{p.agent}, Connections: connections}, ended)

	is(t, "site", got(b.Site(ctx, p.organisation, p.site)).err, store.ErrNotFound)
	is(t, "again", got(b.DeleteSite(ctx, p.organisation, p.site, note)).err, store.ErrNotFound)
	is(t, "its enrolment", got(b.Enrol(ctx, enrolment, newAgent("agt_1", b.now()))).err, store.ErrSiteDeleted)
	is(t, "a new enrolment", got(b.CreateEnrolment(ctx, p.organisation, p.site, hashOf("x"), b.now().Add(time.Hour))).err, store.ErrNotFound)
	is(t, "a new connection", got(b.ReserveConnection(ctx, p.connection(1))).err, store.ErrNotFound)
	same(t, "agent revoked", b.now(), got(b.Agent(ctx, p.agent)).or(t).RevokedAt)
	token := got(b.TokenByHash(ctx, hashOf("token"))).or(t)
	same(t, "connection", store.Disconnected, token.Connection.State)
	same(t, "token revoked", b.now(), token.RevokedAt)
	same(t, "credits of what stays", 2, b.used(p.organisation))
	same(t, "what stays", stays, got(b.Connection(ctx, p.organisation, stays.ID)).or(t))
	same(t, "sites", []store.Site{other}, got(b.Sites(ctx, p.organisation, store.Page{})).or(t))
}

func testForeign(t *testing.T, b *bench) {
	ctx, p, other := t.Context(), b.plant(5), b.organisation(5).ID
	c := b.active(p, 1, "token")
	key := got(b.CreateKey(ctx, store.NewKey{OrganisationID: p.organisation, Role: store.Admin, Hash: hashOf("key")})).or(t)

	is(t, "site", got(b.Site(ctx, other, p.site)).err, store.ErrNotFound)
	is(t, "delete site", got(b.DeleteSite(ctx, other, p.site, note)).err, store.ErrNotFound)
	is(t, "enrolment", got(b.CreateEnrolment(ctx, other, p.site, hashOf("e"), b.now().Add(time.Hour))).err, store.ErrNotFound)
	is(t, "revoke agent", got(b.RevokeAgent(ctx, other, p.site, p.agent)).err, store.ErrNotFound)
	is(t, "key", got(b.Key(ctx, other, key.ID)).err, store.ErrNotFound)
	is(t, "sign out", got(b.SignOut(ctx, other, key.ID)).err, store.ErrNotFound)
	is(t, "revoke key", got(b.RevokeKey(ctx, other, key.ID)).err, store.ErrNotFound)
	is(t, "connection", got(b.Connection(ctx, other, c.ID)).err, store.ErrNotFound)
	is(t, "disconnect", got(b.Disconnect(ctx, other, c.ID, note)).err, store.ErrNotFound)
	is(t, "replace token", got(b.ReplaceToken(ctx, other, c.ID, hashOf("t"), note)).err, store.ErrNotFound)
	is(t, "pause", got(b.PauseConnection(ctx, other, c.ID, note)).err, store.ErrNotFound)
	is(t, "resume", got(b.ResumeConnection(ctx, other, c.ID, note)).err, store.ErrNotFound)
	is(t, "relink", got(b.RelinkConnection(ctx, other, c.ID, store.NewLogin{AgentID: c.AgentID}, note)).err, store.ErrNotFound)
	foreign := p.connection(1)
	foreign.OrganisationID = other
	is(t, "reserve", got(b.ReserveConnection(ctx, foreign)).err, store.ErrNotFound)
	got(b.RecordAudit(ctx, store.AuditEntry{OrganisationID: p.organisation, Action: "sites.create", Result: "OK"})).or(t)
	same(t, "audit", 0, len(got(b.Audit(ctx, other, store.Page{})).or(t)))
	same(t, "agents", 0, len(got(b.Agents(ctx, other, p.site)).or(t)))
	same(t, "catalogues", 0, len(got(b.Catalogues(ctx, other, p.site)).or(t)))
	same(t, "connections", 0, len(got(b.Connections(ctx, other, store.ConnectionFilter{}, store.Page{})).or(t)))
	same(t, "nothing happened", c, got(b.Connection(ctx, p.organisation, c.ID)).or(t))
}

func testPages(t *testing.T, b *bench) {
	o := b.organisation(1)
	var want []string
	for range 5 {
		b.pass(time.Millisecond)
		want = append(want, got(b.CreateSite(t.Context(), o.ID, "Plant")).or(t).ID)
	}
	var found []string
	for after := ""; ; after = found[len(found)-1] {
		page := got(b.Sites(t.Context(), o.ID, store.Page{After: after, Limit: 2})).or(t)
		for _, site := range page {
			found = append(found, site.ID)
		}
		if len(page) < 2 {
			break
		}
	}
	same(t, "sites, two by two", want, found)
}
