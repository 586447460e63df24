package relay_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gantry/configs"
	"gantry/connectors/wire"
	"gantry/tunnel"
	"gantry/tunnel/fault"
	"gantry/tunnel/pki"
)

// TestOwnEndpoints walks through the life of an organisation's own things.
func TestOwnEndpoints(t *testing.T) {
	c, p, made := road(t, nil)
	if made.Connection.State != "active" || !strings.HasPrefix(made.Token, "gct_") {
		t.Errorf("created %+v", made)
	}
	type listed struct {
		Data    []map[string]any `json:"data"`
		Next    string           `json:"next_cursor"`
		HasMore bool             `json:"has_more"`
	}
	for _, path := range []string{"/systems", "/systems?site=" + p.site, "/sites", "/connections", "/connections?state=active&site=" + p.site, "/keys"} {
		if l := must[listed](t, 200, c.call(c.key, "GET", path, "")); len(l.Data) == 0 || l.HasMore {
			t.Errorf("GET %s: %+v", path, l)
		}
	}
	must[map[string]any](t, 200, c.call(c.key, "GET", "/systems/press?site="+p.site, ""))
	must[map[string]any](t, 200, c.call(c.key, "GET", "/connections/"+made.Connection.ID, ""))
	must[map[string]any](t, 200, c.call(made.Token, "GET", "/connection", ""))
	site := c.call(c.key, "GET", "/sites/"+p.site, "").body
	for _, want := range []string{`"hostname":"plc-gw"`, `"round_trip_ms":`, `"certificate_expires_at":"`, `"version":"1.2.3"`} {
		if !strings.Contains(site, want) {
			t.Errorf("site lacks %s: %s", want, site)
		}
	}
	credits := must[map[string]any](t, 200, c.call(c.key, "GET", "/credits", ""))
	if credits["used"] != 4.0 || credits["available"] != 6.0 {
		t.Errorf("credits %v", credits)
	}
	for i := range 3 {
		c.call(c.key, "POST", "/sites", fmt.Sprintf(`{"name":"site %d"}`, i))
	}
	first := must[listed](t, 200, c.call(c.key, "GET", "/sites?limit=2", ""))
	second := must[listed](t, 200, c.call(c.key, "GET", "/sites?limit=2&cursor="+first.Next, ""))
	if len(first.Data) != 2 || !first.HasMore || len(second.Data) != 2 || second.HasMore || first.Data[1]["id"] == second.Data[0]["id"] {
		t.Errorf("pages %+v, %+v", first, second)
	}
	key := must[map[string]string](t, 201, jsonStrings(c.call(c.key, "POST", "/keys", `{"name":"reader","role":"read"}`)))
	if e := c.call(key["token"], "POST", "/sites", `{"name":"x"}`).problem(t); e.Code != fault.Forbidden {
		t.Errorf("a reader made a site: %v", e)
	}
	if a := c.call(c.key, "DELETE", "/keys/"+key["id"], ""); a.status != 204 {
		t.Errorf("delete key: %d %s", a.status, a.body)
	}
	if e := c.call(key["token"], "GET", "/sites", "").problem(t); e.Code != fault.TokenRevoked {
		t.Errorf("revoked key: %v", e)
	}
	replaced := must[connectionMade](t, 200, c.call(c.key, "POST", "/connections/"+made.Connection.ID+"/token", ""))
	if e := c.call(made.Token, "GET", "/connection", "").problem(t); e.Code != fault.TokenRevoked {
		t.Errorf("replaced token: %v", e)
	}
	must[map[string]any](t, 200, c.call(c.key, "POST", "/connections/"+made.Connection.ID+"/disconnect", ""))
	if e := c.call(replaced.Token, "GET", "/connection", "").problem(t); e.Code != fault.ConnectionDisconnected {
		t.Errorf("disconnected: %v", e)
	}
	if _, held := p.opened.Load(wire.ConnectionPath(made.Connection.ID)); held {
		t.Error("the agent still holds the login")
	}
	if credits := must[map[string]any](t, 200, c.call(c.key, "GET", "/credits", "")); credits["used"] != 0.0 {
		t.Errorf("credits after disconnect %v", credits)
	}
}

// jsonStrings keeps the members that are texts.
func jsonStrings(a reply) reply {
	var all map[string]any
	_ = json.Unmarshal([]byte(a.body), &all)
	kept := map[string]string{}
	for name, value := range all {
		if s, ok := value.(string); ok {
			kept[name] = s
		}
	}
	b, _ := json.Marshal(kept)
	a.body = string(b)
	return a
}

func TestEntityCalls(t *testing.T) {
	c, p, made := road(t, nil)
	var seen *http.Request
	var body string
	p.answers(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		seen, body = r, string(raw)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("ETag", `"v1"`)
		w.Header().Set("Set-Cookie", "evil=1")
		w.Header().Set(wire.HeaderRecordID, "40/12")
		if r.Method == http.MethodPost && !strings.Contains(r.URL.Path, "/actions/") {
			w.WriteHeader(http.StatusCreated)
		}
		_, _ = io.WriteString(w, `{"id":"40/12"}`)
	})
	base := "/v1/connections/" + made.Connection.ID + "/records/purchase-orders"
	tests := []struct {
		name, method, path, body string
		inner                    string
		status                   int
	}{
		{"list", "GET", "/purchase-orders?limit=2&status=a%26b", "", base + "?limit=2&status=a%26b", 200},
		{"get with an escaped id", "GET", "/purchase-orders/40%2F12", "", base + "/40%2F12", 200},
		{"create", "POST", "/purchase-orders", `{"a":1}`, base, 201},
		{"update", "PATCH", "/purchase-orders/1", `{"a":1}`, base + "/1", 200},
		{"delete", "DELETE", "/purchase-orders/1", "", base + "/1", 200},
		{"action", "POST", "/purchase-orders/1/actions/approve", "", base + "/1/actions/approve", 200},
		{"under entities", "GET", "/entities/purchase-orders/7", "", base + "/7", 200},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := c.call(made.Token, test.method, test.path, test.body, "X-Evil", "1", "Cookie", "a=b", "Request-Id", "mine-1", "Idempotency-Key", "k 1", "If-Match", `"v0"`)
			if a.status != test.status || a.body != `{"id":"40/12"}` || a.header.Get("ETag") != `"v1"` {
				t.Fatalf("answer %d %s %v", a.status, a.body, a.header)
			}
			if seen.URL.RequestURI() != test.inner {
				t.Errorf("inner address %s, want %s", seen.URL.RequestURI(), test.inner)
			}
			if a.header.Get("Request-Id") != "mine-1" || seen.Header.Get(wire.HeaderRequestID) != "mine-1" {
				t.Error("the caller's request id was not kept")
			}
			for _, name := range []string{"Authorization", "Cookie", "X-Evil"} {
				if seen.Header.Get(name) != "" {
					t.Errorf("header %s travelled", name)
				}
			}
			if a.header.Get("Set-Cookie") != "" {
				t.Error("the agent's header came through")
			}
			budget := wire.Budget(seen.Header, 0)
			if budget <= 0 || budget > 29750*time.Millisecond {
				t.Errorf("budget %s", budget)
			}
			if write := test.method != "GET"; (seen.Header.Get("Idempotency-Key") == "k 1") != write || (seen.Header.Get("If-Match") != "") != write {
				t.Errorf("conditions of %s: %v", test.method, seen.Header)
			}
			if test.status == 201 && a.header.Get("Location") != "/api/v1/purchase-orders/40%2F12" {
				t.Errorf("location %q", a.header.Get("Location"))
			}
			if test.body != "" && body != test.body {
				t.Errorf("body %q", body)
			}
		})
	}
	if a := c.call(c.key, "GET", "/purchase-orders", "", "Gantry-Connection", made.Connection.ID); a.status != 200 {
		t.Errorf("with an organisation key: %d %s", a.status, a.body)
	}
}

// TestRefusals produces the errors that are the relay's own.
func TestRefusals(t *testing.T) {
	c, _, made := road(t, func(r *configs.Relay) { r.Limits.Body = 1000; r.Limits.Header = 4000 })
	other := startCloud(t, nil)
	tests := []struct {
		name, token, method, path, body string
		headers                         []string
		code                            fault.Code
		status                          int
		outcome                         fault.Outcome
	}{
		{"no token", "", "GET", "/sites", "", nil, fault.AuthenticationFailed, 401, ""},
		{"a mistyped token", made.Token[:len(made.Token)-1] + "!", "GET", "/connection", "", nil, fault.AuthenticationFailed, 401, ""},
		{"another relay's token", other.key, "GET", "/sites", "", nil, fault.AuthenticationFailed, 401, ""},
		{"a connection token for the organisation", made.Token, "GET", "/sites", "", nil, fault.Forbidden, 403, ""},
		{"an organisation key that names no connection", c.key, "GET", "/vendors", "", nil, fault.InvalidRequest, 400, ""},
		{"somebody's connection", c.key, "GET", "/vendors", "", []string{"Gantry-Connection", "con_0"}, fault.NotFound, 404, ""},
		{"no such path", c.key, "GET", "/a/b/c/d/e/f", "", nil, fault.NotFound, 404, ""},
		{"an unclean path", c.key, "GET", "/sites//x", "", nil, fault.NotFound, 404, ""},
		{"no such method", c.key, "PUT", "/sites", "{}", nil, fault.MethodNotAllowed, 405, ""},
		{"no such site", c.key, "GET", "/sites/site_0", "", nil, fault.NotFound, 404, ""},
		{"unknown parameter", c.key, "GET", "/sites?colour=red", "", nil, fault.InvalidRequest, 400, ""},
		{"bad cursor", c.key, "GET", "/sites?cursor=%21", "", nil, fault.InvalidRequest, 400, ""},
		{"unknown member", c.key, "POST", "/sites", `{"name":"a","colour":"red"}`, nil, fault.InvalidRequest, 400, ""},
		{"a list for a document", c.key, "POST", "/sites", `[]`, nil, fault.InvalidRequest, 400, ""},
		{"half a document", c.key, "POST", "/sites", `{"name":`, nil, fault.InvalidRequest, 400, ""},
		{"a body that is no JSON", c.key, "POST", "/sites", `name=a`, []string{"Content-Type", "text/plain"}, fault.UnsupportedMediaType, 415, ""},
		{"a secret among the settings", c.key, "POST", "/connections", `{"site":"` + "SITE" + `","system":"press","name":"n","settings":{"password":"x"}}`, nil, fault.InvalidRequest, 400, ""},
		{"a large body", made.Token, "POST", "/vendors", `{"a":"` + strings.Repeat("x", 1000) + `"}`, nil, fault.PayloadTooLarge, 413, fault.NotSent},
		{"a large header", made.Token, "GET", "/vendors", "", []string{"X-Large", strings.Repeat("x", 5000)}, fault.PayloadTooLarge, 413, ""},
		{"a long key", made.Token, "POST", "/vendors", `{}`, []string{"Idempotency-Key", strings.Repeat("k", 256)}, fault.InvalidRequest, 400, fault.NotSent},
		{"a body on a read", made.Token, "GET", "/vendors", `{}`, nil, fault.InvalidRequest, 400, ""},
	}
	site := must[struct{ Data []struct{ ID string } }](t, 200, c.call(c.key, "GET", "/sites", "")).Data[0].ID
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := c.call(test.token, test.method, test.path, strings.Replace(test.body, "SITE", site, 1), test.headers...)
			e := a.problem(t)
			if e.Code != test.code || a.status != test.status || e.Outcome != test.outcome {
				t.Errorf("%s %d outcome %q, want %s %d %q: %s", e.Code, a.status, e.Outcome, test.code, test.status, test.outcome, a.body)
			}
			if e.RequestID == "" || e.RequestID != a.header.Get("Request-Id") || e.Advice == "" {
				t.Errorf("no request id or advice: %s", a.body)
			}
			if a.status == 405 && a.header.Get("Allow") == "" {
				t.Error("405 without Allow")
			}
		})
	}
}

// TestAgentFaults shows what becomes of an agent's failures, and of its lies.
func TestAgentFaults(t *testing.T) {
	c, p, made := road(t, func(r *configs.Relay) { r.Limits.CallTimeout = 400 * time.Millisecond })
	tests := []struct {
		name  string
		serve http.HandlerFunc
		code  fault.Code
		hop   fault.Hop
		out   fault.Outcome
	}{
		{"a fault of the system", problem(fault.New(fault.RecordLocked, "locked").Ended(fault.Rejected)), fault.RecordLocked, fault.HopSystem, fault.Rejected},
		{"a policy's no", problem(fault.New(fault.PolicyDenied, "no").Ended(fault.NotSent)), fault.PolicyDenied, fault.HopPolicy, fault.NotSent},
		{"a claim to be the relay", problem(fault.New(fault.RateLimitExceeded, "x")), fault.Internal, fault.HopAgent, fault.Unknown},
		{"a code that is ours", problem(fault.New(fault.TokenRevoked, "x")), fault.Internal, fault.HopAgent, fault.Unknown},
		{"no problem document", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, fault.Internal, fault.HopAgent, fault.Unknown},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "http://evil/", http.StatusFound) }, fault.Internal, fault.HopAgent, fault.Unknown},
		{"a page", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<html>")
		}, fault.Internal, fault.HopAgent, fault.Unknown},
		{"a cut answer", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, fault.TunnelLost, fault.HopTunnel, fault.Unknown},
		{"silence", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, fault.SystemTimeout, fault.HopTunnel, fault.Unknown},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p.answers(test.serve)
			e := c.call(made.Token, "POST", "/vendors", `{}`).problem(t)
			if e.Code != test.code || e.Hop != test.hop || e.Outcome != test.out {
				t.Errorf("write: %s at %s, outcome %q; want %s at %s, %q", e.Code, e.Hop, e.Outcome, test.code, test.hop, test.out)
			}
			if e.ConnectionID != made.Connection.ID || e.AgentID != p.id || e.Entity != "vendors" || e.Operation != "create" {
				t.Errorf("not complete: %+v", e)
			}
			if e := c.call(made.Token, "GET", "/vendors", "").problem(t); e.Code != test.code || e.Outcome != "" {
				t.Errorf("read: %s, outcome %q", e.Code, e.Outcome)
			}
		})
	}
}

func problem(e *fault.Error) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { e.Write(w) }
}

// TestLoginThatFails leaves nothing behind, and no secret anywhere.
func TestLoginThatFails(t *testing.T) {
	dir := t.TempDir()
	c := startCloud(t, func(r *configs.Relay) { r.DataDir = dir })
	p := c.enrol()
	if e := c.call(c.key, "POST", "/connections", fmt.Sprintf(`{"site":%q,"system":"none","name":"n"}`, p.site)).problem(t); e.Code != fault.NotFound {
		t.Errorf("unknown system: %v", e)
	}
	c.connect(p)
	p.answers(problem(fault.New(fault.CredentialsExpired, "The system refuses the login.")))
	body := fmt.Sprintf(`{"site":%q,"system":"press","name":"n","settings":{"host":"db"},"credentials":{"password":%q}}`, p.site, canary)
	e := c.call(c.key, "POST", "/connections", body).problem(t)
	if e.Code != fault.CredentialsExpired || e.Hop != fault.HopSystem || e.ConnectionID != "" {
		t.Errorf("refused login: %+v", e)
	}
	p.answers(problem(fault.New(fault.PolicyDenied, "The plant's policy does not allow it.")))
	typo := fmt.Sprintf(`{"site":%q,"system":"press","name":"n","settings":{"host":%q},"credentials":{"password":"x"}}`, p.site, canary)
	if e := c.call(c.key, "POST", "/connections", typo).problem(t); e.Code != fault.PolicyDenied || e.Outcome != fault.NotSent {
		t.Errorf("a policy's refusal: %+v", e)
	}
	if l := c.call(c.key, "GET", "/connections", ""); !strings.Contains(l.body, `"data":[]`) {
		t.Errorf("something was kept: %s", l.body)
	}
	if credits := must[map[string]any](t, 200, c.call(c.key, "GET", "/credits", "")); credits["used"] != 0.0 {
		t.Errorf("credits %v", credits)
	}
	p.serve.Store(nil)
	for range 2 {
		c.link(p)
	}
	if e := c.call(c.key, "POST", "/connections", body).problem(t); e.Code != fault.NoCredits {
		t.Errorf("third connection of tier 4 in a pool of 10: %v", e)
	}
	c.stop()
	if strings.Contains(c.logs.String(), canary) {
		t.Error("the log holds a password")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		if raw, err := os.ReadFile(file); err == nil && strings.Contains(string(raw), canary) {
			t.Errorf("%s holds a password", file)
		}
	}
}

func TestEnrolmentIsOnce(t *testing.T) {
	c := startCloud(t, nil)
	site := must[siteMade](t, 201, c.call(c.key, "POST", "/sites", `{"name":"s"}`))
	if _, err := c.enrolWith(site.Token); err != nil {
		t.Fatal(err)
	}
	_, err := c.enrolWith(site.Token)
	if !fault.Is(err, fault.AuthenticationFailed) || !strings.Contains(err.Error(), "used already") {
		t.Errorf("second use: %v", err)
	}
}

func TestIdentity(t *testing.T) {
	c := startCloud(t, nil)
	p := c.enrol()
	c.connect(p)
	refused := func(code string, err error) {
		t.Helper()
		if r, ok := errors.AsType[*tunnel.Refused](err); !ok || r.Code != code {
			t.Errorf("%v, want %s", err, code)
		}
	}
	clone := &plant{t: t, id: p.id, site: p.site, pin: p.pin, url: p.url, key: p.key, cert: p.cert, machine: "machine-2"}
	_, err := clone.dial("instance-9", tunnel.LaneCalls)
	refused(tunnel.CodeIdentityInUse, err)

	newer, err := p.dial("instance-2", tunnel.LaneCalls)
	if err != nil {
		t.Fatal(err)
	}
	defer newer.Close("the test ends")
	c.until("the older instance is replaced", func() bool { return strings.Contains(c.logs.String(), "replaced by a newer instance") })

	if a := c.call(c.key, "DELETE", "/sites/"+p.site+"/agents/"+p.id, ""); a.status != 204 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	select {
	case <-newer.Done():
	case <-time.After(5 * time.Second):
		t.Error("a revoked agent's session lives")
	}
	_, err = p.dial("instance-3", tunnel.LaneCalls)
	refused(tunnel.CodeRevoked, err)
}

func TestOffline(t *testing.T) {
	c := startCloud(t, nil)
	p := c.enrol()
	s, err := p.dial("one", tunnel.LaneBulk) // calls share it
	if err != nil {
		t.Fatal(err)
	}
	c.until("connected", func() bool {
		return strings.Contains(c.call(c.key, "GET", "/systems?site="+p.site, "").body, `"press"`)
	})
	made := c.link(p)
	s.Close("gone")
	c.until("the relay knows", func() bool {
		return strings.Contains(c.call(c.key, "GET", "/connections/"+made.Connection.ID, "").body, `"agent_offline"`)
	})
	e := c.call(made.Token, "POST", "/vendors", `{}`).problem(t)
	if e.Code != fault.AgentOffline || e.Outcome != fault.NotSent || e.Hop != fault.HopTunnel || !e.Retryable {
		t.Errorf("%+v", e)
	}
}

// rows serves n rows, or rows without end where n is negative, and then the end line.
func rows(n int, ended *atomic.Bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		defer ended.Store(true)
		w.Header().Set("Content-Type", wire.NDJSON)
		for i := 0; i != n && r.Context().Err() == nil; i++ {
			_, _ = fmt.Fprintf(w, "{\"id\":\"%d\",\"text\":%q}\n", i, strings.Repeat("x", i%3000))
			if n < 0 {
				_ = http.NewResponseController(w).Flush()
				time.Sleep(time.Millisecond)
			}
		}
		_, _ = fmt.Fprintf(w, "{\"end\":{\"count\":%d}}\n", n)
	}
}

func (c *cloud) openStream(ctx context.Context, token string) *http.Response {
	c.t.Helper()
	response, err := http.DefaultClient.Do(c.request(ctx, token, "GET", "/api/v1/vendors", "", "Accept", "application/x-ndjson"))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

func TestStreams(t *testing.T) {
	c, p, made := road(t, func(r *configs.Relay) {
		r.Limits.StreamIdle = 2 * time.Second
		r.Limits.FirstRow = 2 * time.Second
	})
	var ended atomic.Bool
	read := func(t *testing.T) (lines []string) {
		scanner := bufio.NewScanner(c.openStream(t.Context(), made.Token).Body)
		scanner.Buffer(nil, 1<<20)
		for scanner.Scan() {
			lines = append(lines, scanner.Text())
			if !json.Valid(scanner.Bytes()) {
				t.Fatalf("line %d is no JSON: %.80s", len(lines), scanner.Text())
			}
		}
		if err := scanner.Err(); err != nil {
			t.Fatal(err)
		}
		return lines
	}
	t.Run("whole", func(t *testing.T) {
		p.answers(rows(20_000, &ended))
		lines := read(t)
		if len(lines) != 20_001 || lines[20_000] != `{"end":{"count":20000}}` {
			t.Errorf("%d lines, the last %s", len(lines), lines[len(lines)-1])
		}
	})
	broken := func(name string, serve http.HandlerFunc, whole int, code string) {
		t.Run(name, func(t *testing.T) {
			p.answers(serve)
			lines := read(t)
			last := lines[len(lines)-1]
			if len(lines) != whole+1 || !strings.HasPrefix(last, `{"error":{`) || !strings.Contains(last, `"code":"`+code+`"`) || !strings.Contains(last, `"request_id":"`) {
				t.Errorf("%d lines, the last %s", len(lines), last)
			}
		})
	}
	head := func(w http.ResponseWriter, text string) {
		w.Header().Set("Content-Type", wire.NDJSON)
		_, _ = io.WriteString(w, text)
		_ = http.NewResponseController(w).Flush()
	}
	broken("cut within a line", func(w http.ResponseWriter, _ *http.Request) {
		head(w, "{\"id\":\"1\"}\n{\"id\":")
		panic(http.ErrAbortHandler)
	}, 1, "TUNNEL_LOST")
	broken("no end line", func(w http.ResponseWriter, _ *http.Request) { head(w, "{\"id\":\"1\"}\n") }, 1, "INTERNAL")
	broken("the agent's own error line", func(w http.ResponseWriter, _ *http.Request) {
		line, _ := json.Marshal(map[string]any{"error": fault.New(fault.SystemUnreachable, "gone")})
		head(w, "{\"id\":\"1\"}\n"+string(line)+"\n")
	}, 1, "SYSTEM_UNREACHABLE")
	broken("idle source", func(w http.ResponseWriter, r *http.Request) {
		head(w, "{\"id\":\"1\"}\n")
		<-r.Context().Done()
	}, 1, "SYSTEM_TIMEOUT")
	t.Run("a row is passed on while the source pauses", func(t *testing.T) {
		p.answers(func(w http.ResponseWriter, r *http.Request) {
			head(w, "{\"id\":\"1\"}\n")
			<-r.Context().Done()
		})
		line, err := bufio.NewReader(c.openStream(t.Context(), made.Token).Body).ReadString('\n')
		if err != nil || line != "{\"id\":\"1\"}\n" {
			t.Errorf("%q %v", line, err)
		}
	})
	t.Run("no first row", func(t *testing.T) {
		p.answers(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		a := c.call(made.Token, "GET", "/vendors", "", "Accept", "application/x-ndjson")
		if e := a.problem(t); e.Code != fault.SystemTimeout || e.Hop != fault.HopSystem {
			t.Errorf("%v", e)
		}
	})
	t.Run("a caller that leaves ends the agent's call", func(t *testing.T) {
		ended.Store(false)
		p.answers(rows(-1, &ended))
		ctx, cancel := context.WithCancel(t.Context())
		_, _ = c.openStream(ctx, made.Token).Body.Read(make([]byte, 10))
		cancel()
		c.until("the agent's call ends", ended.Load)
	})
	t.Run("disconnect cuts", func(t *testing.T) {
		ended.Store(false)
		p.answers(rows(-1, &ended))
		response := c.openStream(t.Context(), made.Token)
		_, _ = response.Body.Read(make([]byte, 10))
		start := time.Now()
		c.call(c.key, "POST", "/connections/"+made.Connection.ID+"/disconnect", "")
		rest, err := io.ReadAll(response.Body)
		if took := time.Since(start); err != nil || took > 5*time.Second || !strings.Contains(string(rest), `"CONNECTION_DISCONNECTED"`) {
			t.Errorf("after %s: %v, the end: %.300s", took, err, rest[max(0, len(rest)-300):])
		}
		c.until("the agent's call ends", ended.Load)
	})
}

// TestStalledReader shows that a caller that reads nothing is let go, and the agent's call with it.
func TestStalledReader(t *testing.T) {
	c, p, made := road(t, func(r *configs.Relay) { r.Limits.ClientStall = 200 * time.Millisecond })
	var ended atomic.Bool
	p.answers(func(w http.ResponseWriter, r *http.Request) {
		defer ended.Store(true)
		w.Header().Set("Content-Type", wire.NDJSON)
		line := `{"id":"` + strings.Repeat("x", 1000) + "\"}\n"
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, line); err != nil {
				return
			}
		}
	})
	c.openStream(t.Context(), made.Token) // and never read
	c.until("the agent's call ends", ended.Load)
}

// TestHalfRequestDoesNotBlockTheStop shows that a body that never comes is cut when the time to drain is over.
func TestHalfRequestDoesNotBlockTheStop(t *testing.T) {
	c := startCloud(t, func(r *configs.Relay) { r.DrainTimeout = 300 * time.Millisecond })
	conn, err := net.Dial("tcp", c.relay.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = fmt.Fprintf(conn, "POST /api/v1/sites HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{", c.key)
	time.Sleep(20 * time.Millisecond)
	start := time.Now()
	c.stop()
	if took := time.Since(start); took > 8*time.Second {
		t.Errorf("the stop took %s", took)
	}
}

func TestOverload(t *testing.T) {
	c, p, made := road(t, func(r *configs.Relay) { r.Limits.CallsPerConnection = 1 })
	begun, release := make(chan struct{}), make(chan struct{})
	p.answers(func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-release
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "{}")
	})
	var first sync.WaitGroup
	first.Go(func() { c.call(made.Token, "GET", "/vendors", "") })
	<-begun
	a := c.call(made.Token, "POST", "/vendors", "{}")
	if e := a.problem(t); e.Code != fault.Overloaded || e.Outcome != fault.NotSent || a.header.Get("Retry-After") == "" {
		t.Errorf("%+v", e)
	}
	close(release)
	first.Wait()
}

// TestStopLosesNoCall stops the relay while calls run: every one that was taken is answered.
func TestStopLosesNoCall(t *testing.T) {
	before := runtime.NumGoroutine()
	c, p, made := road(t, nil)
	var begun sync.WaitGroup
	begun.Add(8)
	p.answers(func(w http.ResponseWriter, _ *http.Request) {
		begun.Done()
		time.Sleep(300 * time.Millisecond)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "{}")
	})
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() {
			if a := c.call(made.Token, "POST", "/vendors", "{}"); a.status != 200 {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	begun.Wait()
	c.stop()
	calls.Wait()
	http.DefaultClient.CloseIdleConnections()
	c.until("no goroutine is left behind", func() bool { return runtime.NumGoroutine() <= before })
}

// TestRenewal signs anew for the same key, and for no other.
func TestRenewal(t *testing.T) {
	c := startCloud(t, nil)
	p := c.enrol()
	s, err := p.dial("one", tunnel.LaneCalls)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close("the test ends")
	renew := func(key *ecdsa.PrivateKey) reply {
		csr, err := pki.NewCSR(key)
		if err != nil {
			t.Fatal(err)
		}
		body, err := json.Marshal(wire.Renewal{CSR: csr})
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), "POST", "http://relay"+wire.PathRenew, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		response, err := s.RoundTripper().RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		content, _ := io.ReadAll(response.Body)
		return reply{response.StatusCode, response.Header, string(content)}
	}
	renewed := must[wire.Renewed](t, 200, renew(p.key))
	if cert, err := x509.ParseCertificate(renewed.Certificate); err != nil || cert.Subject.CommonName != p.id {
		t.Errorf("%v %v", cert, err)
	}
	other, err := pki.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	if e := renew(other).problem(t); e.Code != fault.Forbidden {
		t.Errorf("another key: %v", e)
	}
}

// TestExpiredMayOnlyRenew lets an agent with an expired certificate in, and sends it no calls.
func TestExpiredMayOnlyRenew(t *testing.T) {
	c := startCloud(t, func(r *configs.Relay) { r.CertificateLife = time.Second })
	p := c.enrol()
	cert, err := x509.ParseCertificate(p.cert)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(cert.NotAfter) + 100*time.Millisecond)
	s, err := p.dial("one", tunnel.LaneCalls)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close("the test ends")
	c.until("the session is there", func() bool { return strings.Contains(c.logs.String(), "expired=true") })
	site := c.call(c.key, "GET", "/sites/"+p.site, "").body
	if !strings.Contains(site, `"state":"offline"`) {
		t.Errorf("shown as connected: %s", site)
	}
}

// TestLargeAnswer passes on what does not fit into the buffer, and breaks the caller's connection where the agent's breaks.
func TestLargeAnswer(t *testing.T) {
	c, p, made := road(t, nil)
	whole := `"` + strings.Repeat("x", 3<<20) + `"`
	p.answers(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, whole)
	})
	if a := c.call(made.Token, "GET", "/vendors", ""); a.body != whole {
		t.Errorf("%d bytes, want %d", len(a.body), len(whole))
	}
	p.answers(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, whole)
		panic(http.ErrAbortHandler)
	})
	response, err := http.DefaultClient.Do(c.request(t.Context(), made.Token, "GET", "/api/v1/vendors", ""))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.ReadAll(response.Body); err == nil {
		t.Error("a cut answer ends like a whole one")
	}
	c.until("the failure is logged", func() bool { return strings.Contains(c.logs.String(), "code=TUNNEL_LOST") })
}

func TestProbesAndMetrics(t *testing.T) {
	c, _, _ := road(t, nil)
	for path, want := range map[string]int{"/livez": 204, "/readyz": 204, "/nowhere": 404, "/tunnel": 400} {
		response, err := http.Get(c.url + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("GET %s: %d, want %d", path, response.StatusCode, want)
		}
	}
	response, err := http.Get("http://" + c.relay.MetricsAddr() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, _ := io.ReadAll(response.Body)
	for _, want := range []string{`gantry_calls_total{code="OK",hop="",operation="connections.create"} 1`, "gantry_sessions 2", "gantry_store_up 1", "gantry_tunnel_sent_bytes_total"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("metrics lack %s", want)
		}
	}
}

// BenchmarkUnary counts what one relayed call costs, both ends of the tunnel and the caller included.
func BenchmarkUnary(b *testing.B) {
	c, p, made := road(b, nil)
	p.answers(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"1"}`)
	})
	b.ReportAllocs()
	for b.Loop() {
		if a := c.call(made.Token, "GET", "/vendors/1", ""); a.status != 200 {
			b.Fatal(a.body)
		}
	}
}
