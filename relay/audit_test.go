package relay_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gantry/relay/store"
)

// audited is an entry as callers see it.
type audited struct {
	ID    string `json:"id"`
	Actor struct {
		ID, Name string
		Role     store.Role
	} `json:"actor"`
	Action     string `json:"action"`
	Target     string `json:"target"`
	Site       string `json:"site_id"`
	Agent      string `json:"agent_id"`
	Connection string `json:"connection_id"`
	RequestID  string `json:"request_id"`
	Result     string `json:"result"`
}

type auditPage struct {
	Data []audited `json:"data"`
	Next string    `json:"next_cursor"`
	More bool      `json:"has_more"`
}

func (c *cloud) audit(query string) auditPage {
	c.t.Helper()
	return must[auditPage](c.t, 200, c.call(c.key, "GET", "/audit"+query, ""))
}

// TestAudit makes changes that succeed and that fail, and reads of both who did what to what.
func TestAudit(t *testing.T) {
	c, p, made := road(t, nil)
	before := c.audit("?last=1").Data[0].ID
	id := made.Connection.ID
	c.call(c.key, "POST", "/connections/"+id+"/token", "", "Request-Id", "mine-1")
	key := must[map[string]string](t, 201, jsonStrings(c.call(c.key, "POST", "/keys", `{"name":"reader","role":"read"}`)))
	c.call(c.key, "DELETE", "/keys/key_none", "")
	c.call(key["token"], "DELETE", "/sites/"+p.site, "")       // forbidden: in the log alone
	c.call(key["token"], "GET", "/sites/"+p.site, "")          // changes nothing
	c.call(c.key, "POST", "/connections", `{"site":"site_x"}`) // refused as malformed
	c.call(c.key, "DELETE", "/sites/"+p.site+"/agents/"+p.id, "")

	type line struct{ action, target, site, agent, connection, result string }
	want := []line{
		{"connections.token", id, p.site, p.id, id, "OK"},
		{"keys.create", key["id"], "", "", "", "OK"},
		{"keys.delete", "key_none", "", "", "", "NOT_FOUND"},
		{"connections.create", "", "", "", "", "INVALID_REQUEST"},
		{"agents.delete", p.id, p.site, p.id, "", "OK"},
	}
	got := c.audit("?after=" + before).Data
	if len(got) != len(want) {
		t.Fatalf("%d entries: %+v", len(got), got)
	}
	for i, e := range got {
		if (line{e.Action, e.Target, e.Site, e.Agent, e.Connection, e.Result}) != want[i] {
			t.Errorf("entry %+v, want %+v", e, want[i])
		}
		if e.Actor.Name != "test" || e.Actor.Role != store.Admin || !strings.HasPrefix(e.Actor.ID, "key_") || e.RequestID == "" {
			t.Errorf("actor or request of %+v", e)
		}
	}
	if got[0].RequestID != "mine-1" {
		t.Errorf("request id %s", got[0].RequestID)
	}
	c.auditPages()
}

// auditPages reads the audit two by two, and asks for what there is not.
func (c *cloud) auditPages() {
	c.t.Helper()
	all, found, cursor := c.audit("").Data, []audited{}, ""
	for more := true; more; {
		page := c.audit("?limit=2" + cursor)
		found, more, cursor = append(found, page.Data...), page.More, "&cursor="+page.Next
	}
	if fmt.Sprint(found) != fmt.Sprint(all) {
		c.t.Errorf("page by page %v, at once %v", found, all)
	}
	if last := c.audit("?last=2").Data; fmt.Sprint(last) != fmt.Sprint(all[len(all)-2:]) {
		c.t.Errorf("the last two: %v", last)
	}
	back := c.audit("?last=2").Data
	for {
		older := c.audit("?last=2&before=" + back[0].ID).Data
		if len(older) == 0 {
			break
		}
		back = append(older, back...)
	}
	if fmt.Sprint(back) != fmt.Sprint(all) {
		c.t.Errorf("page by page backwards %v, at once %v", back, all)
	}
	for _, query := range []string{"?before=" + all[0].ID, "?last=1&before=con_1", "?after=con_1", "?last=0", "?last=1&limit=1", "?last=1&after=" + all[0].ID, "?before=1"} {
		if a := c.call(c.key, "GET", "/audit"+query, ""); a.status != http.StatusBadRequest {
			c.t.Errorf("%s: %d %s", query, a.status, a.body)
		}
	}
	if a := c.call(c.newKey(store.Support), "GET", "/audit", ""); a.status != http.StatusForbidden {
		c.t.Errorf("a key of support reads the audit: %d", a.status)
	}
}

// TestOperator is the way of whoever owns the relay: everything of an organisation but its plants' data.
func TestOperator(t *testing.T) {
	c, p, made := road(t, nil)
	ask := func(organisation, method, path, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, "/api/v1"+path, strings.NewReader(body))
		r.Header.Set("Gantry-Organisation", organisation)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		c.relay.Operator().ServeHTTP(w, r)
		return w
	}
	for _, tt := range []struct {
		organisation, method, path, body string
		status                           int
	}{
		{c.organisation, "GET", "/sites/" + p.site, "", 200},
		{c.organisation, "GET", "/audit?last=5", "", 200},
		{c.organisation, "POST", "/sites", `{"name":"South"}`, 201},
		{c.organisation, "GET", "/connection", "", 403},
		{"org_other", "GET", "/sites/" + p.site, "", 404},
		{"org_other", "POST", "/sites", `{"name":"South"}`, 404},
		{"", "GET", "/sites", "", 400},
	} {
		if w := ask(tt.organisation, tt.method, tt.path, tt.body); w.Code != tt.status {
			t.Errorf("%s %s for %q: %d %s", tt.method, tt.path, tt.organisation, w.Code, w.Body)
		}
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/api/v1/work-orders", nil)
	r.Header.Set("Gantry-Organisation", c.organisation)
	r.Header.Set("Gantry-Connection", made.Connection.ID)
	if c.relay.Operator().ServeHTTP(w, r); w.Code != http.StatusForbidden {
		t.Errorf("the owner of the relay reads a plant's data: %d", w.Code)
	}
	last := c.audit("?last=1").Data[0]
	if last.Action != "sites.create" || last.Actor.Role != store.Operator || last.Actor.ID != "" {
		t.Errorf("the last entry is %+v", last)
	}
}
