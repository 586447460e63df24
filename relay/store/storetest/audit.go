package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"gantry/relay/store"
)

func testAudit(t *testing.T, b *bench) {
	ctx, p, other := t.Context(), plant{b.organisation(1).ID, "site_1", "agt_1"}, b.organisation(1).ID
	entry := store.AuditEntry{
		OrganisationID: p.organisation, Actor: store.Actor{ID: "key_1", Name: "CI", Role: store.Admin}, Action: "agents.delete",
		Subject: store.Subject{Target: p.agent, SiteID: p.site, AgentID: p.agent}, RequestID: "req_1", Result: "OK",
	}
	first := got(b.RecordAudit(ctx, entry)).or(t)
	entry.ID, entry.At = store.AuditID(1), b.now()
	same(t, "first", entry, first)
	second := got(b.RecordAudit(ctx, store.AuditEntry{OrganisationID: p.organisation, Action: "sites.create", Result: "NO_CREDITS"})).or(t)
	same(t, "second", store.AuditID(2), second.ID)
	same(t, "another organisation counts for itself", store.AuditID(1),
		got(b.RecordAudit(ctx, store.AuditEntry{OrganisationID: other, Action: "sites.create", Result: "OK"})).or(t).ID)
	is(t, "unknown organisation", got(b.RecordAudit(ctx, store.AuditEntry{OrganisationID: "org_0"})).err, store.ErrNotFound)

	same(t, "all", []store.AuditEntry{first, second}, got(b.Audit(ctx, p.organisation, store.Page{})).or(t))
	same(t, "a page", []store.AuditEntry{first}, got(b.Audit(ctx, p.organisation, store.Page{Limit: 1})).or(t))
	same(t, "after", []store.AuditEntry{second}, got(b.Audit(ctx, p.organisation, store.Page{After: first.ID})).or(t))
	same(t, "size", 2, got(b.AuditSize(ctx, p.organisation)).or(t))
	same(t, "no size", 0, got(b.AuditSize(ctx, "org_0")).or(t))
}

// testAuditHasNoGap writes many entries at once, some of which are cancelled.
func testAuditHasNoGap(t *testing.T, b *bench) {
	o := b.organisation(1)
	ends := race(t.Context(), 40, func(ctx context.Context, n int) error {
		if n%4 == 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, time.Duration(n)*10*time.Microsecond)
			defer cancel()
		}
		_, err := b.RecordAudit(ctx, store.AuditEntry{OrganisationID: o.ID, Action: fmt.Sprint("action ", n), Result: "OK"})
		return err
	})
	all := got(b.Audit(t.Context(), o.ID, store.Page{})).or(t)
	same(t, "kept are those that succeeded", ends[""], len(all))
	for i, entry := range all {
		same(t, "number", store.AuditID(i+1), entry.ID)
	}
}
