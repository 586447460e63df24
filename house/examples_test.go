package house

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"gantry/connectors/entity"
	"gantry/tunnel/fault"
)

// The document's examples are what a relay, an agent and the demo plant said once:
// go test ./house -run TestExamples -record, then make generate.
var record = flag.Bool("record", false, "write the document's examples anew")

const exampleFolder = "../relay/openapi/examples"

// example is what the document shows of one operation.
type example struct {
	Request any            `json:"request,omitempty"`
	Answers map[string]any `json:"answers,omitempty"` // by status
}

// album collects examples.
type album struct {
	*demoPlant
	of       map[string]*example // by operation
	problems []any
	seen     map[string]bool // codes of problems
	private  []string        // what is only this machine's, and what stands for it
}

// TestExamples plays the calls that the document shows; each answer is held against the document, as everywhere, and so is
// what it shows (TestExamplesFitTheirSchemas).
func TestExamples(t *testing.T) {
	a := newAlbum(t)
	a.ofTheOrganisation(t)
	a.ofRecords(t)
	a.ofWebhooks(t)
	a.ofSyncs(t)
	a.ofFailures(t)
	a.ofALife(t)
	a.follows(t)
	a.ofPassthrough(t)
	a.ofEndings(t)
	if *record {
		a.write(t)
		return
	}
	for name, fresh := range a.of {
		if fresh.Request == nil && len(fresh.Answers) == 0 {
			continue // no body either way
		}
		if _, err := os.Stat(filepath.Join(exampleFolder, name+".json")); err != nil {
			t.Errorf("the document shows no example of %s: run the test with -record: %v", name, err)
		}
	}
}

func newAlbum(t *testing.T) *album {
	a := &album{demoPlant: connected(t, knowingDepots(t), withRelay("webhooks: {allow_private: [127.0.0.0/8], allow_http: true}\n")), of: map[string]*example{}, seen: map[string]bool{}}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	file := a.login.Settings["path"].(string)
	a.private = []string{file, "/srv/plant/plant.db", filepath.Dir(file), "/srv/plant", a.folder, "/srv/gantry", host, "mill-host-1", a.url, "https://relay.example.com"}
	return a
}

// shot makes a call and keeps what was asked and said.
func (a *album) shot(t *testing.T, c *Client, method, path string, body any, headers ...Header) Answer {
	t.Helper()
	answer, err := c.Do(t.Context(), method, path, body, headers...)
	if err != nil {
		t.Fatal(err)
	}
	if answer.Status >= 400 {
		a.failure(t, answer)
		return answer
	}
	r, err := http.NewRequestWithContext(t.Context(), method, c.URL+"/api/v1"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, operation := theContract(t).operation(r)
	name, _ := operation["operationId"].(string)
	e := a.of[name]
	if e == nil {
		e = &example{Answers: map[string]any{}}
		a.of[name] = e
	}
	if body != nil {
		e.Request = a.trimmed(asJSON(t, body))
	}
	if name == "openapi" {
		return answer // it would hold itself
	}
	if len(answer.Body) > 0 && strings.HasPrefix(answer.Header.Get("Content-Type"), "application/json") {
		e.Answers[fmt.Sprint(answer.Status)] = a.trimmed(asJSON(t, json.RawMessage(answer.Body)))
	}
	return answer
}

func (a *album) failure(t *testing.T, answer Answer) {
	t.Helper()
	if code := string(answer.Problem().Code); !a.seen[code] {
		a.seen[code] = true
		a.problems = append(a.problems, a.trimmed(asJSON(t, json.RawMessage(answer.Body))))
	}
}

func (a *album) ofTheOrganisation(t *testing.T) {
	key := a.shot(t, a.admin, http.MethodPost, "/keys", map[string]string{"name": "Support, second line", "role": "support"})
	var made struct{ ID string }
	if err := key.JSON(&made); err != nil {
		t.Fatal(err)
	}
	a.shot(t, a.admin, http.MethodPost, "/sites", map[string]string{"name": "Plant South"})
	a.shot(t, a.admin, http.MethodPost, "/sites/"+a.site+"/enrolment-tokens", map[string]int{"ttl": 7200})
	second := a.login
	second.Name, second.Site = "Maintenance", a.site
	a.shot(t, a.admin, http.MethodPost, "/connections", second)
	for _, path := range []string{"/systems/demo-plant?site=" + a.site, "/systems", "/sites?limit=1", "/sites/" + a.site, "/connections?limit=1", "/connections/" + a.id,
		"/credits", "/keys?limit=2", "/audit?last=2"} {
		a.shot(t, a.admin, http.MethodGet, path, nil)
	}
	a.shot(t, a.admin, http.MethodPost, "/connections/"+a.id+"/diagnose", nil)
	a.shot(t, a.client, http.MethodGet, "/connection", nil)
	a.shot(t, a.client, http.MethodGet, "/connection/capabilities", nil)
	a.shot(t, a.admin, http.MethodGet, "/key", nil)
	a.shot(t, a.admin, http.MethodPost, "/key/sign-out", nil)
	a.shot(t, a.admin, http.MethodDelete, "/keys/"+made.ID, nil)
	a.shot(t, &Client{URL: a.url, HTTP: a.http}, http.MethodGet, "/openapi.json", nil)
}

func (a *album) ofRecords(t *testing.T) {
	for _, e := range entity.Catalogue() {
		var page struct{ Data []struct{ ID string } }
		path := "/entities/" + e.Name
		if err := a.shot(t, a.client, http.MethodGet, path+"?limit=1", nil).JSON(&page); err != nil {
			t.Fatal(err)
		}
		a.shot(t, a.client, http.MethodGet, path+"/"+url.PathEscape(page.Data[0].ID), nil)
	}
	var made order
	order := demoOrder("Bearings for the drying section")
	a.shot(t, a.client, http.MethodPost, "/purchase-orders?dry_run=true", order)
	if err := a.shot(t, a.client, http.MethodPost, "/purchase-orders", order, Header{"Idempotency-Key", "order-2026-0815"}).JSON(&made); err != nil {
		t.Fatal(err)
	}
	path := "/purchase-orders/" + made.ID
	a.shot(t, a.client, http.MethodPatch, path, map[string]string{"buyer": "Karin Sandell"})
	a.shot(t, a.client, http.MethodPost, path+"/actions/approve", map[string]any{})
	a.shot(t, a.client, http.MethodPatch, path, map[string]string{"buyer": "Nils Norén"})                                  // RECORD_LOCKED
	a.shot(t, a.client, http.MethodPost, path+"/actions/cancel", map[string]any{}, Header{"If-Match", `"0"`})              // PRECONDITION_FAILED
	a.shot(t, a.client, http.MethodPost, "/purchase-orders", demoOrder("x"), Header{"Idempotency-Key", "order-2026-0815"}) // reused
	a.shot(t, a.client, http.MethodDelete, path, nil)
}

// ofSyncs has vendors synced, and reads them where they are stored.
func (a *album) ofSyncs(t *testing.T) {
	a.shot(t, a.client, http.MethodPut, "/syncs/vendors", map[string]any{"every": "1h", "enabled": true})
	var page struct{ Data []struct{ ID string } }
	eventually(t, time.Minute, "vendors are stored", func() error {
		answer, err := a.client.Do(t.Context(), http.MethodGet, "/records/vendors?limit=1", nil)
		if err != nil {
			return err
		}
		if err := answer.JSON(&page); err != nil || len(page.Data) == 0 {
			return fmt.Errorf("%d records: %w", len(page.Data), err)
		}
		return nil
	})
	a.shot(t, a.client, http.MethodGet, "/records/vendors?limit=1", nil)
	a.shot(t, a.client, http.MethodGet, "/records/vendors/"+url.PathEscape(page.Data[0].ID), nil)
	a.shot(t, a.client, http.MethodPost, "/syncs/vendors", map[string]bool{"full": true})
	a.shot(t, a.client, http.MethodGet, "/sync-status", nil)
	a.shot(t, a.admin, http.MethodDelete, "/connections/"+a.id+"/records", nil)
}

// ofWebhooks has a webhook told what happens, by a receiver of this test's own.
func (a *album) ofWebhooks(t *testing.T) {
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	t.Cleanup(receiver.Close)
	a.private = append(a.private, receiver.URL, "https://cloud.example.com/gantry")
	var hook, delivery struct{ ID, State string }
	wish := map[string]any{"url": receiver.URL, "description": "The operations team's inbox", "events": []string{"connection.state_changed", "sync.failed"}}
	if err := a.shot(t, a.admin, http.MethodPost, "/webhooks", wish).JSON(&hook); err != nil {
		t.Fatal(err)
	}
	path := "/webhooks/" + hook.ID
	if err := a.shot(t, a.admin, http.MethodPost, path+"/test", nil).JSON(&delivery); err != nil {
		t.Fatal(err)
	}
	eventually(t, 30*time.Second, "the message is delivered", func() error {
		if err := a.shot(t, a.admin, http.MethodGet, path+"/deliveries/"+delivery.ID, nil).JSON(&delivery); err != nil || delivery.State != "delivered" {
			return fmt.Errorf("%s: %w", delivery.State, err)
		}
		return nil
	})
	a.shot(t, a.admin, http.MethodGet, path+"/deliveries?limit=1", nil)
	a.shot(t, a.admin, http.MethodPost, path+"/deliveries/"+delivery.ID+"/resend", nil)
	a.shot(t, a.admin, http.MethodPatch, path, map[string]string{"description": "The inbox of whoever is on duty"})
	a.shot(t, a.admin, http.MethodGet, path, nil)
	a.shot(t, a.admin, http.MethodGet, "/webhooks?limit=1", nil)
	a.shot(t, a.admin, http.MethodPost, path+"/rotate", nil)
	a.shot(t, a.admin, http.MethodDelete, path, nil)
}

func (a *album) ofFailures(t *testing.T) {
	a.shot(t, a.client, http.MethodPost, "/purchase-orders", map[string]string{"title": "Bearings"})
	a.shot(t, a.client, http.MethodGet, "/purchase-orders?colour=red", nil)
	a.shot(t, a.client, http.MethodGet, "/purchase-orders/9999999", nil)
	a.shot(t, a.client, http.MethodDelete, "/vendors/1", nil)
	a.shot(t, a.client, http.MethodGet, "/sites", nil)
	a.shot(t, a.client, http.MethodPatch, "/purchase-orders/1", map[string]string{"x": strings.Repeat("x", 9<<20)})
	a.shot(t, &Client{URL: a.url, Token: "gct_4M7RPA2C", HTTP: a.http}, http.MethodGet, "/connection", nil)
	other := a.login
	other.Name, other.Settings = "Elsewhere", map[string]any{"path": "/srv/elsewhere/plant.db"}
	other.Site = a.site
	a.shot(t, a.admin, http.MethodPost, "/connections", other)
}

// ofALife pauses a connection, gives it another login, and ends it and begins anew.
func (a *album) ofALife(t *testing.T) {
	path := "/connections/" + a.id
	eventually(t, time.Minute, "the status tells of the records that were read", func() error {
		var status struct{ Entities map[string]any }
		if a.expect(a.admin, http.MethodGet, path+"/status", nil, 200, &status); status.Entities["purchase-orders"] == nil {
			return fmt.Errorf("it tells of %d entities", len(status.Entities))
		}
		return nil
	})
	a.shot(t, a.admin, http.MethodGet, path+"/status", nil)
	a.shot(t, a.client, http.MethodGet, "/connection/status", nil)
	a.shot(t, a.admin, http.MethodPost, path+"/circuits/reset", nil)
	a.shot(t, a.admin, http.MethodGet, path+"/events?limit=2", nil)
	a.shot(t, a.client, http.MethodGet, "/connection/events?limit=2", nil)
	a.shot(t, a.admin, http.MethodPost, path+"/pause", nil)
	a.shot(t, a.client, http.MethodGet, "/vendors", nil) // CONNECTION_PAUSED
	a.shot(t, a.admin, http.MethodPost, path+"/resume", nil)
	a.shot(t, a.admin, http.MethodPut, path+"/credentials", map[string]any{"credentials": map[string]string{}})
	other := a.login
	other.Name, other.Site = "Short-lived", a.site
	_, id := a.connect(other)
	a.shot(t, a.admin, http.MethodPost, "/connections/"+id+"/disconnect", nil)
	a.shot(t, a.admin, http.MethodPost, "/connections/"+id+"/reconnect", map[string]any{"credentials": map[string]string{}})
}

func (a *album) ofPassthrough(t *testing.T) {
	p := withDepot(t, a.demoPlant)
	p.let("POST /labels")
	a.shot(t, p.client, http.MethodPost, "/passthrough", ask{"method": "POST", "path": "/labels", "query": ask{"copies": 2}, "body": ask{"item": 7}})
}

// follows reads events as they come: two that were, so that nobody waits.
func (a *album) follows(t *testing.T) {
	answer, err := a.client.open(t.Context(), http.MethodGet, "/connection/events?last=2", nil, Header{"Accept", "text/event-stream"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	events := 0
	for lines := bufio.NewScanner(answer.Body); events < 2 && lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "data: ") {
			events++
		}
	}
	if events < 2 {
		t.Errorf("%d events, then the stream ended: %s", events, answer.Status)
	}
}

// ofEndings comes last: it takes away what the others need.
func (a *album) ofEndings(t *testing.T) {
	a.shot(t, a.admin, http.MethodPost, "/connections/"+a.id+"/token", nil)
	a.shot(t, a.client, http.MethodGet, "/connection", nil) // TOKEN_REVOKED
	a.agent.stop()
	a.awaitAgent("offline")
	a.shot(t, a.admin, http.MethodGet, "/vendors", nil, Header{"Gantry-Connection", a.id})
	a.shot(t, a.admin, http.MethodPost, "/connections/"+a.id+"/disconnect", nil)
	a.shot(t, a.admin, http.MethodDelete, "/sites/"+a.site, nil)
	a.shot(t, a.admin, http.MethodGet, "/vendors", nil, Header{"Gantry-Connection", a.id})
}

// token is one of ours, whole.
var token = regexp.MustCompile(`(g[a-z]{2}_[A-Za-z0-9_-]{8}|whsec_[A-Za-z0-9+/]{8})[A-Za-z0-9_+/=-]{16,}`)

// trimmed makes an example short, and takes out what is only this machine's.
func (a *album) trimmed(value any) any { return trimmed(value, strings.NewReplacer(a.private...)) }

func trimmed(value any, private *strings.Replacer) any {
	switch v := value.(type) {
	case string:
		return token.ReplaceAllString(private.Replace(v), "$1…")
	case []any:
		short := make([]any, min(len(v), 2))
		for i := range short {
			short[i] = trimmed(v[i], private)
		}
		return short
	case object:
		short := make(object, len(v))
		for i, m := range v {
			if of, ok := m.value.(object); ok && (m.name == "entities" || m.name == "fields") {
				m.value = few(of)
			}
			short[i] = member{m.name, trimmed(m.value, private)}
		}
		return short
	}
	return value
}

// few leaves some members of an object.
func few(of object) (short object) {
	for _, m := range of {
		if len(short) < 2 || m.name == "purchase-orders" {
			short = append(short, m)
		}
	}
	return short
}

func (a *album) write(t *testing.T) {
	t.Helper()
	old, err := filepath.Glob(exampleFolder + "/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range old {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	all := map[string]any{"problems": a.problems}
	for name, e := range a.of {
		if e.Request != nil || len(e.Answers) > 0 {
			all[name] = e
		}
	}
	for name, content := range all {
		raw, err := json.MarshalIndent(content, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(exampleFolder, name+".json"), append(raw, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestExamplesFitTheirSchemas: what the document shows is what it promises.
func TestExamplesFitTheirSchemas(t *testing.T) {
	c := theContract(t)
	count := 0
	for path, methods := range c.paths {
		for method, operation := range methods.(map[string]any) {
			if shown := in(operation, "requestBody", "content", "application/json", "example"); shown != nil {
				schema, err := c.schema("paths", path, method, "requestBody", "content", "application/json", "schema")
				if err == nil {
					err = schema.Validate(shown)
				}
				if err != nil {
					t.Errorf("%s %s: the request: %v", method, path, err)
				}
			}
			responses, _ := in(operation, "responses").(map[string]any)
			for status, response := range responses {
				shown := in(response, "content", "application/json", "example")
				if shown == nil {
					continue
				}
				count++
				schema, err := c.schema("paths", path, method, "responses", status, "content", "application/json", "schema")
				if err == nil {
					err = schema.Validate(shown)
				}
				if err != nil {
					t.Errorf("%s %s %s: %v", method, path, status, err)
				}
			}
		}
	}
	if count < 40 {
		t.Errorf("%d examples: the document shows too few", count)
	}
	var codes []fault.Code
	for _, response := range in(c.document, "components", "responses").(map[string]any) {
		if code, _ := in(response, "content", fault.ContentType, "example", "code").(string); code != "" {
			codes = append(codes, fault.Code(code))
		}
	}
	if len(codes) < 10 {
		t.Errorf("%d examples of failures: %v", len(codes), codes)
	}
}
