package house

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"gantry/connectors"
	"gantry/connectors/engine"
	"gantry/tunnel/fault"
)

// mes is an in-house system as docs/connectors.md has one, to run that page's definition against.
type mes struct {
	*httptest.Server
	mu      sync.Mutex
	orders  []map[string]any
	answers []func(w http.ResponseWriter) // given before anything else, one for each request
	deaf    bool                          // it says that it writes, and does not
	keys    []string                      // API keys that it was shown
}

func newMES(t *testing.T) *mes {
	m := &mes{}
	for i := 1; i <= 250; i++ {
		m.add(map[string]any{"short": map[string]any{"text": fmt.Sprintf("Order %d", i)}, "state": []string{"new", "run", "end"}[i%3]})
	}
	m.Server = httptest.NewServer(m)
	t.Cleanup(m.Close)
	return m
}

func (m *mes) add(order map[string]any) map[string]any {
	order["id"], order["rev"] = len(m.orders)+1, 1
	order["changed"] = time.Date(2026, 3, 1, 6, len(m.orders), 0, 0, time.UTC).Format(time.RFC3339)
	if order["state"] == nil {
		order["state"] = "new"
	}
	m.orders = append(m.orders, order)
	return order
}

func (m *mes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keys = append(m.keys, r.Header.Get("X-API-Key"))
	if len(m.answers) > 0 {
		next := m.answers[0]
		m.answers = m.answers[1:]
		next(w)
		return
	}
	var body map[string]any
	_ = json.NewDecoder(r.Body).Decode(&body)
	switch {
	case r.Header.Get("X-API-Key") != "k3y":
		w.WriteHeader(http.StatusUnauthorized)
	case r.URL.Path == "/api/status":
		_, _ = w.Write([]byte(`{"version":"7.1"}`))
	case r.Method == http.MethodGet:
		_ = json.NewEncoder(w).Encode(map[string]any{"data": m.find(r)})
	case r.Method == http.MethodPost && len(body["short"].(map[string]any)["text"].(string)) > 20:
		_, _ = w.Write([]byte(`{"error":{"code":"E17","message":"Too long.","fields":[{"name":"title","message":"at most 20"}]}}`))
	case r.Method == http.MethodPost:
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(m.add(body))
	default:
		m.patch(w, r, body)
	}
}

func (m *mes) find(r *http.Request) []map[string]any {
	q := r.URL.Query()
	out := []map[string]any{}
	for _, order := range m.orders {
		keep := true
		for _, name := range []string{"id", "state", "caller_key"} {
			wanted := strings.Split(q.Get(name), ",")
			found := false
			for _, one := range wanted {
				found = found || one == fmt.Sprint(order[name])
			}
			keep = keep && (found || !q.Has(name))
		}
		if keep && order["changed"].(string) > q.Get("changed_since") {
			out = append(out, order)
		}
	}
	from, _ := strconv.Atoi(q.Get("offset"))
	size, _ := strconv.Atoi(q.Get("limit"))
	from = min(from, len(out))
	return out[from:min(from+size, len(out))]
}

func (m *mes) patch(w http.ResponseWriter, r *http.Request, body map[string]any) {
	id, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/api/workorders/"))
	order := m.orders[id-1]
	if r.Header.Get("If-Match") != fmt.Sprint(order["rev"]) {
		w.WriteHeader(http.StatusPreconditionFailed)
		return
	}
	if m.deaf {
		return
	}
	maps.Copy(order, body)
	order["rev"] = order["rev"].(int) + 1
}

func (m *mes) next(status int, header, value string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answers = append(m.answers, func(w http.ResponseWriter) {
		if header != "" {
			w.Header().Set(header, value)
		}
		w.WriteHeader(status)
	})
}

// desk opens the definition that docs/connectors.md shows.
func (m *mes) desk(t *testing.T, key string) *desk {
	t.Helper()
	target := connectors.Target{
		Settings:    map[string]any{"address": m.URL + "/api", "login": "api_key"},
		Credentials: map[string]connectors.Secret{"api_key": connectors.NewSecret(key)}, Dial: dialDirect,
	}
	return openDesk(t, "our-mes", target, shown(t, "A system with an interface over HTTP"))
}

// shown gives the definition that a section of docs/connectors.md shows.
func shown(t *testing.T, section string) fs.FS {
	t.Helper()
	page, err := os.ReadFile("../docs/connectors.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "## "+section+"\n")
	_, rest, _ = strings.Cut(rest, "```yaml\n")
	text, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatalf("the page shows no definition under %q", section)
	}
	return fstest.MapFS{"shown.yaml": {Data: []byte(text)}}
}

// TestRESTKit runs the definition of docs/connectors.md.
func TestRESTKit(t *testing.T) {
	m := newMES(t)
	d := m.desk(t, "k3y")
	if info, err := d.engine.Check(t.Context()); err != nil || info.Version != "7.1" {
		t.Fatalf("%+v, %v", info, err)
	}
	for query, want := range map[string]int{
		"limit=40": 250, "status=completed&limit=500": 83, "status=draft&status=completed": 166, "modified_after=2026-03-01T09:00:00Z": 69,
	} {
		if got := list(t, d, "work-orders", query); len(got) != want {
			t.Errorf("%s: %d records, expected %d", query, len(got), want)
		}
	}
	create := engine.Write{Entity: "work-orders", Operation: "create", IdempotencyKey: "k1"}
	made := d.must(t, create, `{"title":"Größe 4","due_at":"2026-03-29T02:30:00+02:00"}`)
	expect(t, made, map[string]any{"title": "Größe 4", "due_at": "2026-03-29T00:30:00Z", "status.value": "draft"})
	again := d.must(t, create, `{"title":"Größe 4","due_at":"2026-03-29T02:30:00+02:00"}`)
	expect(t, again, map[string]any{"id": made["id"]})
	update := engine.Write{Entity: "work-orders", Operation: "update", ID: made["id"].(string)}
	expect(t, d.must(t, update, `{"title":"second"}`), map[string]any{"title": "second"})
	m.deaf = true
	d.refuses(t, fault.SystemError, update, `{"title":"swallowed"}`)

	_, err := d.write(t, engine.Write{Entity: "work-orders", Operation: "create"}, `{"title":"a title that is longer than the system takes"}`)
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Outcome != fault.Rejected || len(f.Fields) != 1 || f.Fields[0].Name != "title" || f.Source == nil || f.Source.Message != "Too long." {
		t.Errorf("a refusal under 200: %+v", f)
	}
}

// TestRESTKitFaults shows what statuses mean in the kit's layer.
func TestRESTKitFaults(t *testing.T) {
	m := newMES(t)
	d := m.desk(t, "k3y")
	if _, err := d.engine.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		status        int
		header, value string
		code          fault.Code
		scope         fault.Scope
		after         time.Duration
	}{
		{429, "Retry-After", "17", fault.SystemRateLimited, fault.ScopeConnection, 17 * time.Second},
		{403, "", "", fault.PermissionDenied, fault.ScopeEntity, 0},
		{301, "Location", "https://elsewhere.invalid/", fault.SystemError, fault.ScopeConnection, 0},
		{503, "Retry-After", "9", fault.SystemUnreachable, fault.ScopeConnection, 9 * time.Second},
		{504, "", "", fault.SystemUnreachable, fault.ScopeConnection, 5 * time.Second},
		{401, "", "", fault.CredentialsExpired, fault.ScopeConnection, 0},
	} {
		m.next(test.status, test.header, test.value)
		_, err := d.engine.List(t.Context(), "work-orders", engine.Query{})
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Code != test.code || f.Scope != test.scope || f.RetryAfter != test.after {
			t.Errorf("%d: %+v", test.status, f)
		}
	}
	before := len(m.keys) // the key was refused: nobody shows it again
	if _, err := d.engine.List(t.Context(), "work-orders", engine.Query{}); !fault.Is(err, fault.CredentialsExpired) || len(m.keys) != before {
		t.Errorf("after the refusal: %v, %d requests more", err, len(m.keys)-before)
	}
	wrong := m.desk(t, "wr0ng")
	if _, err := wrong.engine.Check(t.Context()); !fault.Is(err, fault.CredentialsExpired) {
		t.Errorf("a wrong key: %v", err)
	}
}
