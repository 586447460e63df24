package relay_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gantry/configs"
	"gantry/relay/admin"
	"gantry/relay/api"
	"gantry/relay/openapi"
	"gantry/relay/store"
	"gantry/tunnel/fault"
)

// The exceptions to the rule that GET is for every organisation key, and everything else for admins. A new route that
// needs to be one has to be written here.
var (
	runsAtASite  = []string{"connections.diagnose", "agents.diagnose", "agents.bundle", "agents.logs"} // for support, too
	asksASystem  = []string{"connections.discovered"}                                                  // a GET for support, which looks at the plant's system
	administrate = []string{"keys.list", "audit.list"}                                                 // reads for admins alone
	onesOwn      = []string{"key.sign_out"}                                                            // changes nothing but the caller's own sessions
)

// may is who may call an operation, written down once more, apart from the code that decides it.
func may(o openapi.Operation, who string) bool {
	reads := o.Method == http.MethodGet
	if o.Caller.Kind == openapi.Connection {
		return who == "token" || who == "admin" || reads && (who == "support" || who == "read")
	}
	if slices.Contains(onesOwn, o.ID) {
		return who != "token"
	}
	switch who {
	case "admin", "operator":
		return true
	case "support":
		return reads && !slices.Contains(administrate, o.ID) || slices.Contains(runsAtASite, o.ID)
	case "read":
		return reads && !slices.Contains(administrate, o.ID) && !slices.Contains(runsAtASite, o.ID) && !slices.Contains(asksASystem, o.ID)
	}
	return false
}

// TestEveryRouteByEveryRole calls every route of the API as everyone who has a token, and as the relay's owner. Whoever may
// not is told so, and nothing else; whatever changes something stands in the audit; limits show on every answer.
func TestEveryRouteByEveryRole(t *testing.T) {
	c, p, made := road(t, nil)
	p.answers(problem(fault.New(fault.NotFound, "There is no such record.")))
	callers := map[string]string{
		"admin": c.key, "support": c.newKey(store.Support), "read": c.newKey(store.Read), "token": made.Token, "operator": "",
	}
	place := regexp.MustCompile(`\{[a-z]+\}`)
	for _, o := range api.Operations() {
		path := "/api/v1" + place.ReplaceAllString(strings.TrimSuffix(o.Path, "{$}"), "none")
		for who, token := range callers {
			before := c.auditSize()
			a := c.as(who, token, o, path, made.Connection.ID)
			if a.status == http.StatusForbidden && a.problem(t).Code != fault.Forbidden {
				t.Errorf("%s %s as %s: %s", o.Method, o.Path, who, a.body)
			}
			if refused := a.status == http.StatusForbidden; o.Caller.Kind != openapi.Anyone && refused == may(o, who) {
				t.Errorf("%s %s as %s: %d, should be let in: %t", o.Method, o.Path, who, a.status, may(o, who))
			}
			if o.Caller.Kind != openapi.Anyone && who != "operator" && (a.header.Get("RateLimit") == "" || a.header.Get("RateLimit-Policy") == "") {
				t.Errorf("%s %s as %s: %d without RateLimit", o.Method, o.Path, who, a.status)
			}
			changes := o.Caller.Kind == openapi.Organisation && (o.Method != http.MethodGet || slices.Contains(runsAtASite, o.ID)) && may(o, who)
			if entries := c.auditSize() - before; changes && entries != 1 || !changes && entries != 0 {
				t.Errorf("%s %s as %s: %d entries in the audit, changes something: %t", o.Method, o.Path, who, entries, changes)
			}
		}
	}
}

func (c *cloud) auditSize() int {
	c.t.Helper()
	size, err := c.relay.Store().AuditSize(c.t.Context(), c.organisation)
	if err != nil {
		c.t.Fatal(err)
	}
	return size
}

// as calls an operation with a token, or as the relay's owner.
func (c *cloud) as(who, token string, o openapi.Operation, path, connection string) reply {
	c.t.Helper()
	body, headers := "", []string{}
	if o.Body != nil {
		body = "{}"
	}
	if o.Caller.Kind == openapi.Connection && who != "token" {
		headers = append(headers, "Gantry-Connection", connection)
	}
	if who != "operator" {
		return c.call(token, o.Method, strings.TrimPrefix(path, "/api/v1"), body, headers...)
	}
	w := httptest.NewRecorder()
	c.relay.Operator().ServeHTTP(w, c.request(c.t.Context(), "", o.Method, path, body, append(headers, admin.HeaderOrganisation, c.organisation)...))
	return reply{w.Code, w.Header(), w.Body.String()}
}

// TestRateLimit uses a token's calls up: each answer tells what is left, and the refusal when to come back.
func TestRateLimit(t *testing.T) {
	c := startCloud(t, func(r *configs.Relay) { r.Limits.RatePerToken, r.Limits.BurstPerToken = 1, 3 })
	other := c.newKey(store.Read)
	form := regexp.MustCompile(`^"token";r=(\d+);t=(\d+)$`)
	for n, want := range []string{"2", "1", "0"} {
		a := c.call(c.key, "GET", "/credits", "")
		left := form.FindStringSubmatch(a.header.Get("RateLimit"))
		if a.status != 200 || left == nil || left[1] != want || a.header.Get("RateLimit-Policy") != `"token";q=3;w=3` {
			t.Errorf("call %d: %d, %q, %q", n, a.status, a.header.Get("RateLimit"), a.header.Get("RateLimit-Policy"))
		}
	}
	a := c.call(c.key, "GET", "/connection", "") // what would fail otherwise, too
	if e := a.problem(t); e.Code != fault.RateLimitExceeded || a.status != 429 || a.header.Get("Retry-After") != "1" || form.FindStringSubmatch(a.header.Get("RateLimit")) == nil {
		t.Errorf("beyond the limit: %d %v %s", a.status, a.header, a.body)
	}
	if a := c.call(other, "GET", "/credits", ""); a.status != 200 {
		t.Errorf("another token: %d %s", a.status, a.body)
	}
}
