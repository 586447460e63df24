package house

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gantry/connectors"
	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

const depotYAML = `apiVersion: connector/v1
metadata: {id: depot, version: 1.0.0, product: Depot, extends: [base/rest]}
check: {get: /status}
entities:
  items:
    key: [{column: id, type: integer}]
    operations:
      list: {get: /items, rows: ".", columns: {id: id, name: name}, order: [id], pages: {by: none}}
    fields:
      name: {from: name}
`

const depotPassword = "Dep0t/pass+w?rd"

// depot is a system with an interface over HTTP that has more than its definition knows, and some bad habits.
type depot struct {
	*httptest.Server
	mu     sync.Mutex
	seen   []string // method and address of what came with the right login, the check aside
	labels []string // that were printed
}

func newDepot(t *testing.T) *depot {
	d := &depot{}
	d.Server = httptest.NewServer(d)
	t.Cleanup(d.Close)
	return d
}

func (d *depot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	if user != "agent" || password != depotPassword {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.URL.Path == "/api/status" {
		_, _ = io.WriteString(w, "{}")
		return
	}
	body, _ := io.ReadAll(r.Body)
	d.mu.Lock()
	d.seen = append(d.seen, r.Method+" "+r.RequestURI)
	d.mu.Unlock()
	switch r.URL.Path {
	case "/api/items":
		w.Header().Set("Set-Cookie", "session=1")
		w.Header().Set("ETag", `"7"`)
		_, _ = io.WriteString(w, `[{"id":1,"name":"Bolt","price":1.10}]`)
	case "/api/labels":
		d.mu.Lock()
		d.labels = append(d.labels, string(body))
		n := len(d.labels)
		d.mu.Unlock()
		w.WriteHeader(http.StatusCreated)
		_, _ = fmt.Fprintf(w, `{"label":%d,"of":%s}`, n, body)
	case "/api/moved":
		http.Redirect(w, r, "/api/items", http.StatusFound)
	case "/api/restricted":
		w.WriteHeader(http.StatusUnauthorized)
	case "/api/broken":
		w.WriteHeader(http.StatusInternalServerError)
	case "/api/picture":
		_, _ = w.Write([]byte{0xff, 0xd8, 0})
	case "/api/debug":
		w.Header().Set("Location", "/login?p="+password)
		_ = json.NewEncoder(w).Encode(map[string]string{
			"plain": password, "header": r.Header.Get("Authorization"), "coded": base64.URLEncoding.EncodeToString([]byte("x" + password)),
		})
	case "/api/huge":
		_, _ = io.WriteString(w, strings.Repeat("x", connectors.MaxPassed+1))
	case "/api/cut":
		c, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = c.Close()
		}
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (d *depot) requests() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string{}, d.seen...)
}

func (d *depot) printed() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.labels)
}

// passage is a plant, and the connection through which a system's own requests pass.
type passage struct {
	*plant
	client *Client
	id     string
	login  login
}

// through connects a system over HTTP.
func (p *plant) through(l login) *passage {
	p.t.Helper()
	host, _, _ := strings.Cut(strings.TrimPrefix(l.Settings["address"].(string), "http://"), "/")
	p.allow("target", host)
	made := &passage{plant: p, login: l}
	made.client, made.id = p.connect(l)
	return made
}

// depotPlant is a plant with a depot beside the demo plant.
type depotPlant struct {
	*passage
	demo  *demoPlant
	depot *depot
}

// ask is a request of the system's own.
type ask map[string]any

func get(path string) ask { return ask{"method": "GET", "path": path} }

// knowingDepots lets the agent know the depot's definition.
func knowingDepots(t *testing.T) option {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "depot.yaml"), []byte(depotYAML), 0o600); err != nil {
		t.Fatal(err)
	}
	return withAgent("definitions: " + folder + "\n")
}

// withDepot connects a depot beside the demo plant.
func withDepot(t *testing.T, d *demoPlant) *depotPlant {
	system := newDepot(t)
	return &depotPlant{demo: d, depot: system, passage: d.through(login{
		System: "depot", Name: "depot", Settings: map[string]any{"address": system.URL + "/api", "username": "agent"},
		Credentials: map[string]string{"password": depotPassword},
	})}
}

// pass sends a request that is let through.
func (p *passage) pass(c *Client, request ask, headers ...Header) (got wire.PassedThrough) {
	p.t.Helper()
	answer := p.expect(c, http.MethodPost, "/passthrough", request, 200, &got, headers...)
	for name, secret := range p.login.Credentials {
		if strings.Contains(string(answer.Body), secret) {
			p.t.Errorf("%v: the %s is in the answer: %s", request, name, answer.Body)
		}
	}
	return got
}

func (p *passage) let(patterns ...string) {
	for _, pattern := range patterns {
		p.allow("passthrough", pattern, "--connection", p.id)
	}
}

func policyDenies(scope fault.Scope, outcome fault.Outcome) fault.Error {
	return fault.Error{Code: fault.PolicyDenied, Hop: fault.HopPolicy, Scope: scope, Outcome: outcome}
}

// TestPassthrough sends requests of a system's own through relay, tunnel and agent.
func TestPassthrough(t *testing.T) {
	t.Parallel()
	p := withDepot(t, openDemoPlant(t, knowingDepots(t)))
	t.Run("off, until the command of the refusal was run", p.isOffByDefault)
	t.Run("what changes something needs writes as well", p.needsWrites)
	t.Run("answers of every kind", p.answers)
	t.Run("a path that could be read in two ways", p.refusesTrickyPaths)
	t.Run("what must not pass", p.refusesTheRest)
	t.Run("no redirect is followed", p.followsNoRedirect)
	t.Run("the login stays out of the answer", p.hidesTheLogin)
	t.Run("a refusal on a path is none of the login", p.keepsTheLogin)
	t.Run("what was cut may have happened", p.tellsWhatIsUnknown)
	t.Run("one key, one request", p.sendsOnce)
	t.Run("systems that take no such requests", p.refusesOtherSystems)
	t.Run("who may", p.asksForTheRight)
}

func (p *depotPlant) isOffByDefault(t *testing.T) {
	if may := p.passthroughOf(t); may.Allowed || may.DeniedBy != "policy" || may.Form != "http" {
		t.Errorf("capabilities: %+v", may)
	}
	b := newBrowser(t, p.plant)
	b.post("/sign-in", url.Values{"key": {p.admin.Token}}, http.StatusOK)
	capabilities := "/connections/" + p.id + "/capabilities"
	b.shows(b.get(capabilities, http.StatusOK), "denied by the plant&#39;s policy", "gantry-agent policy allow passthrough REQUEST")
	refusal := p.refused(p.client, http.MethodPost, "/passthrough", get("/items"), policyDenies(fault.ScopeOperation, ""))
	if len(p.depot.requests()) != 0 {
		t.Errorf("sent all the same: %v", p.depot.requests())
	}
	p.obey(t, refusal.Advice)
	got := p.pass(p.client, ask{"method": "GET", "path": "/items", "query": ask{"q": "a b", "n": 2}})
	if got.Status != 200 || string(got.Body) != `[{"id":1,"name":"Bolt","price":1.10}]` || got.Encoding != "json" || got.Headers["ETag"] != `"7"` || len(got.Headers) != 2 {
		t.Errorf("%+v %s", got, got.Body)
	}
	if seen := p.depot.requests(); len(seen) != 1 || seen[0] != "GET /api/items?n=2&q=a%20b" {
		t.Errorf("the system saw %v", seen)
	}
	p.refused(p.client, http.MethodPost, "/passthrough", get("/items/1"), policyDenies(fault.ScopeOperation, ""))
	if may := p.passthroughOf(t); !may.Allowed || len(may.Patterns) != 1 || may.Patterns[0] != "GET /items" {
		t.Errorf("capabilities: %+v", may)
	}
	b.shows(b.get(capabilities, http.StatusOK), "<code>GET /items</code>")
}

func (p *depotPlant) passthroughOf(t *testing.T) wire.PassthroughCapability {
	t.Helper()
	var may wire.Capabilities
	p.expect(p.client, http.MethodGet, "/connection/capabilities", nil, 200, &may)
	return may.Passthrough
}

func (p *depotPlant) needsWrites(t *testing.T) {
	request := ask{"method": "POST", "path": "/labels", "body": ask{"item": 1}}
	for _, scope := range []fault.Scope{fault.ScopeOperation, fault.ScopeSite} {
		refusal := p.refused(p.client, http.MethodPost, "/passthrough", request, policyDenies(scope, fault.NotSent))
		p.obey(t, refusal.Advice)
	}
	if got := p.pass(p.client, request); got.Status != 201 || string(got.Body) != `{"label":1,"of":{"item":1}}` {
		t.Errorf("%+v %s", got, got.Body)
	}
}

func (p *depotPlant) answers(t *testing.T) {
	p.let("GET /**")
	for path, want := range map[string]string{"/broken": "500 json null", "/picture": `200 base64 "/9gA"`, "/nowhere": "404 json null"} {
		got := p.pass(p.client, get(path))
		if said := fmt.Sprintf("%d %s %s", got.Status, got.Encoding, got.Body); said != want {
			t.Errorf("%s: %s", path, said)
		}
	}
	p.let("POST /huge")
	huge := placed(want(fault.PayloadTooLarge, ""), fault.HopSystem, fault.ScopeOperation)
	p.refused(p.client, http.MethodPost, "/passthrough", get("/huge"), huge)
	huge.Outcome = fault.Unknown
	p.refused(p.client, http.MethodPost, "/passthrough", ask{"method": "POST", "path": "/huge"}, huge)
}

func (p *depotPlant) refusesTrickyPaths(t *testing.T) {
	before := len(p.depot.requests())
	for _, path := range []string{
		"/../status", "/items/..", "/./items", "//items", "/%2e%2e/status", "/items%2fx", "/items%5cx", "/%252e%252e/x", "/..;/status",
		"http://evil.example/items", "//evil.example/items", "/items#x", "/items?x=1", "/items\r\nX: 1", "items", "/%c0%ae%c0%ae/x",
	} {
		got := p.refused(p.client, http.MethodPost, "/passthrough", get(path), want(fault.InvalidRequest, ""))
		if len(got.Fields) != 1 || got.Fields[0].Name != "path" {
			t.Errorf("%q: %+v", path, got.Fields)
		}
	}
	if seen := p.depot.requests(); len(seen) != before {
		t.Errorf("sent all the same: %v", seen[before:])
	}
}

func (p *depotPlant) refusesTheRest(t *testing.T) {
	for name, request := range map[string]ask{
		"a login of the caller's": {"method": "GET", "path": "/items", "headers": ask{"Authorization": "Basic eDp5"}},
		"a cookie":                {"method": "GET", "path": "/items", "headers": ask{"Cookie": "a=b"}},
		"another host":            {"method": "GET", "path": "/items", "headers": ask{"Host": "evil.example"}},
		"a header in a header":    {"method": "GET", "path": "/items", "headers": ask{"Accept": "a\r\nX-Evil: 1"}},
		"another method":          {"method": "GET", "path": "/items", "query": ask{"_method": "DELETE"}},
		"a body of a get":         {"method": "GET", "path": "/items", "body": ask{}},
	} {
		t.Run(name, func(*testing.T) {
			p.refused(p.client, http.MethodPost, "/passthrough", request, want(fault.InvalidRequest, ""))
		})
	}
	invalid := want(fault.InvalidRequest, fault.NotSent)
	p.refused(p.client, http.MethodPost, "/passthrough", ask{"call": "model.x.search"}, invalid)
	p.refused(p.client, http.MethodPost, "/passthrough", ask{"method": "TRACE", "path": "/items"}, invalid)
	p.refused(p.client, http.MethodPost, "/passthrough", ask{"method": "GET", "path": "/items", "host": "evil.example"}, invalid)
	p.refused(p.client, http.MethodPost, "/passthrough?dry_run=true", get("/items"), invalid)
	p.refused(p.client, http.MethodPost, "/passthrough", get("/items"), invalid, Header{"If-Match", `"7"`})
}

func (p *depotPlant) followsNoRedirect(t *testing.T) {
	before := len(p.depot.requests())
	if got := p.pass(p.client, get("/moved")); got.Status != http.StatusFound {
		t.Errorf("%+v", got)
	}
	if seen := p.depot.requests()[before:]; len(seen) != 1 {
		t.Errorf("the system saw %v", seen)
	}
}

func (p *depotPlant) hidesTheLogin(t *testing.T) {
	got := p.pass(p.client, get("/debug"))
	var shown map[string]string
	if err := json.Unmarshal(got.Body, &shown); err != nil {
		t.Fatal(err)
	}
	for name, text := range shown {
		decoded, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "Basic "))
		if strings.Contains(text+string(decoded), depotPassword) || !strings.Contains(text, "[redacted]") {
			t.Errorf("%s: %s", name, text)
		}
	}
	if got.Headers["Location"] != "/login?p=[redacted]" {
		t.Errorf("headers: %v", got.Headers)
	}
}

func (p *depotPlant) keepsTheLogin(t *testing.T) {
	for range 3 {
		if got := p.pass(p.client, get("/restricted")); got.Status != http.StatusUnauthorized {
			t.Errorf("%+v", got)
		}
	}
	p.expect(p.client, http.MethodGet, "/entities/items", nil, 200, nil)
	var status struct {
		State string
		Login string
	}
	p.expect(p.client, http.MethodGet, "/connection/status", nil, 200, &status)
	if status.State != "active" {
		t.Errorf("the connection is %s", status.State)
	}
}

func (p *depotPlant) tellsWhatIsUnknown(t *testing.T) {
	p.let("POST /cut")
	cut := placed(want(fault.SystemUnreachable, fault.Unknown), fault.HopNetwork, fault.ScopeConnection)
	p.refused(p.client, http.MethodPost, "/passthrough", ask{"method": "POST", "path": "/cut"}, cut, Header{"Idempotency-Key", "cut"})
	cut.Outcome = ""
	p.refused(p.client, http.MethodPost, "/passthrough", get("/cut"), cut)
	again := fault.Error{Code: fault.Conflict, Hop: fault.HopAgent, Scope: fault.ScopeRecord, Outcome: fault.Unknown}
	p.refused(p.client, http.MethodPost, "/passthrough", ask{"method": "POST", "path": "/cut"}, again, Header{"Idempotency-Key", "cut"})
	if out := run(t, "gantry-agent", "writes", "list", "--config", p.path("agent.yaml")); !strings.Contains(out, "POST /cut") {
		t.Errorf("writes of unknown outcome: %s", out)
	}
	if got := p.pass(p.client, get("/items")); got.Status != 200 {
		t.Errorf("afterwards: %+v", got)
	}
	eventually(t, 20*time.Second, "the connection's log tells of it", func() error {
		answer := p.expect(p.admin, http.MethodGet, "/connections/"+p.id+"/events?last=50", nil, 200, nil)
		if body := string(answer.Body); !strings.Contains(body, "passthrough") || !strings.Contains(body, string(fault.SystemUnreachable)) {
			return fmt.Errorf("events: %s", body)
		}
		return nil
	})
}

func (p *depotPlant) sendsOnce(t *testing.T) {
	request, key := ask{"method": "POST", "path": "/labels", "body": ask{"item": 2}}, Header{"Idempotency-Key", "label-2"}
	first := p.pass(p.client, request, key)
	answer := p.expect(p.client, http.MethodPost, "/passthrough", request, 200, nil, key)
	var second wire.PassedThrough
	if err := answer.JSON(&second); err != nil || string(second.Body) != string(first.Body) || answer.Header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("the second time: %s, %v, %v", answer.Body, answer.Header, err)
	}
	if n := p.depot.printed(); n != 2 {
		t.Errorf("%d labels", n)
	}
	request["body"] = ask{"item": 3}
	p.refused(p.client, http.MethodPost, "/passthrough", request, want(fault.IdempotencyKeyReused, fault.NotSent), key)
}

func (p *depotPlant) refusesOtherSystems(t *testing.T) {
	p.allow("path", p.demo.login.Settings["path"].(string))
	other, id := p.connect(p.demo.login)
	p.allow("passthrough", "GET /**", "--connection", id)
	p.refused(other, http.MethodPost, "/passthrough", get("/items"), placed(want(fault.OperationNotSupported, ""), fault.HopAgent, fault.ScopeConnection))
	var may wire.Capabilities
	p.expect(other, http.MethodGet, "/connection/capabilities", nil, 200, &may)
	if may.Passthrough.Allowed || may.Passthrough.DeniedBy != "definition" {
		t.Errorf("capabilities: %+v", may.Passthrough)
	}
	for system, form := range map[string]string{"demo-plant": "", "depot": "http", "tryton": "call"} {
		var shown struct{ Passthrough string }
		p.must(http.MethodGet, "/systems/"+system+"?site="+p.site, nil, 200, &shown)
		if shown.Passthrough != form {
			t.Errorf("%s: %q", system, shown.Passthrough)
		}
	}
}

func (p *depotPlant) asksForTheRight(t *testing.T) {
	var key struct{ Key, Token string }
	p.must(http.MethodPost, "/keys", map[string]string{"name": "watch", "role": "read"}, 201, &key)
	reader := &Client{URL: p.url, Token: key.Key + key.Token, HTTP: p.http}
	named := Header{"Gantry-Connection", p.id}
	p.refused(reader, http.MethodPost, "/passthrough", get("/items"), placed(want(fault.Forbidden, ""), fault.HopRelay, fault.ScopeOrganisation), named)
	if got := p.pass(p.admin, get("/items"), named); got.Status != 200 {
		t.Errorf("%+v", got)
	}
	p.refused(p.admin, http.MethodPost, "/passthrough", get("/items"), want(fault.InvalidRequest, ""))
}
