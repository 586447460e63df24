//go:build systems

package house

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// TestPocketBasePassthrough asks PocketBase for what its definition does not know.
func TestPocketBasePassthrough(t *testing.T) {
	p := open(t).through(login{
		System: "pocketbase", Name: "desk", Settings: map[string]any{"address": pocketAddress, "collection": "users", "username": "agent@example.com"},
		Credentials: map[string]string{"password": "Agent-pw-2026"},
	})
	p.let("GET /api/**", "POST /api/**")
	p.allow("writes")
	got := p.pass(p.client, ask{"method": "GET", "path": "/api/collections/vendors/records", "query": ask{"perPage": 2, "fields": "id,name", "sort": "name"}})
	var page struct {
		PerPage int
		Items   []map[string]any
	}
	if err := json.Unmarshal(got.Body, &page); err != nil || got.Status != 200 || page.PerPage != 2 || len(page.Items) != 2 || len(page.Items[0]) != 2 {
		t.Errorf("%d %s, %v", got.Status, got.Body, err)
	}
	if got := p.pass(p.client, get("/api/collections/nothing/records")); got.Status != http.StatusNotFound || !strings.Contains(string(got.Body), `"message"`) {
		t.Errorf("a refusal in the system's words: %d %s", got.Status, got.Body)
	}
	if got := p.pass(p.client, get("/api/settings")); got.Status < 400 {
		t.Errorf("what only its administrator may see: %d", got.Status)
	}
	for _, path := range []string{"/api/collections/users/auth-with-password", "/api/collections/users/auth-refresh", "/api/collections/USERS/auth-refresh/"} {
		p.refused(p.client, http.MethodPost, "/passthrough", ask{"method": "POST", "path": path, "body": ask{"identity": "x", "password": "y"}},
			policyDenies(fault.ScopeOperation, fault.NotSent))
	}
	p.expect(p.client, http.MethodGet, "/vendors?limit=1", nil, 200, nil)
}

// TestTrytonPassthrough calls methods of Tryton that its definition does not know.
func TestTrytonPassthrough(t *testing.T) {
	p := open(t).through(login{
		System: "tryton", Name: "erp", Settings: map[string]any{"address": trytonAddress, "database": "erp", "username": "agent", "login": "session"},
		Credentials: map[string]string{"password": "Agent-pw-2026"},
	})
	search := ask{"call": "model.party.party.search_read", "params": []any{[]any{}, 0, 2, []any{[]any{"id", "ASC"}}, []any{"name"}}}
	refusal := p.refused(p.client, http.MethodPost, "/passthrough", search, policyDenies(fault.ScopeOperation, fault.NotSent))
	p.obey(t, refusal.Advice)
	got := p.pass(p.client, search)
	var answer struct{ Result []struct{ Name string } }
	if err := json.Unmarshal(got.Body, &answer); err != nil || len(answer.Result) != 2 || answer.Result[0].Name == "" {
		t.Errorf("%d %s, %v", got.Status, got.Body, err)
	}
	quote := ask{"call": "model.purchase.purchase.no_such_method", "params": []any{[]any{}}}
	for _, scope := range []fault.Scope{fault.ScopeOperation, fault.ScopeSite} {
		p.obey(t, p.refused(p.client, http.MethodPost, "/passthrough", quote, policyDenies(scope, fault.NotSent)).Advice)
	}
	if got := p.pass(p.client, quote); got.Status == 200 && !strings.Contains(string(got.Body), `"error"`) {
		t.Errorf("a refusal in the system's words: %d %s", got.Status, got.Body)
	}
	p.let("CALL common.db.login")
	p.refused(p.client, http.MethodPost, "/passthrough", ask{"call": "common.db.login", "params": []any{"admin", ask{"password": "x"}}},
		policyDenies(fault.ScopeOperation, fault.NotSent))
	p.expect(p.client, http.MethodGet, "/vendors?limit=1", nil, 200, nil)
	var may wire.Capabilities
	p.expect(p.client, http.MethodGet, "/connection/capabilities", nil, 200, &may)
	if may.Passthrough.Form != "call" || !may.Passthrough.Allowed {
		t.Errorf("capabilities: %+v", may.Passthrough)
	}
}
