package calls

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"gantry/agent/health"
	"gantry/agent/journal"
	"gantry/agent/policy"
	"gantry/agent/state"
	"gantry/agent/vault"
	"gantry/configs"
	"gantry/connectors"
	"gantry/connectors/definition"
	"gantry/connectors/engine"
	"gantry/connectors/seal"
	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// fakeEngine does what a test tells it.
type fakeEngine struct {
	mu     sync.Mutex
	writes []engine.Write
	check  func() error
	write  func(ctx context.Context, w engine.Write) (engine.Result, error)
	settle func(w engine.Write) (engine.Result, bool, error)
	stream func(ctx context.Context, line func([]byte) error) (int, error)
	list   func() error

	capabilities wire.Capabilities
	checks       int
	hidden       []string // of the last list
	closed       bool
}

func (f *fakeEngine) Check(context.Context) (connectors.SystemInfo, error) {
	f.checks++
	if f.check != nil {
		return connectors.SystemInfo{}, f.check()
	}
	return connectors.SystemInfo{Version: "9"}, nil
}

func (f *fakeEngine) Capabilities() wire.Capabilities { return f.capabilities }

func (f *fakeEngine) List(_ context.Context, _ string, q engine.Query) (engine.Page, error) {
	f.hidden = q.Hidden
	if f.list != nil {
		if err := f.list(); err != nil {
			return engine.Page{}, err
		}
	}
	return engine.Page{Data: []engine.Record{{ID: "1", JSON: []byte(`{"id":"1","name":"a","_actions":["close"]}`)}}}, nil
}

func (f *fakeEngine) Stream(ctx context.Context, _ string, _ engine.Query, line func([]byte) error) (int, error) {
	return f.stream(ctx, line)
}

func (f *fakeEngine) Get(_ context.Context, _, id string, _ engine.Query) (engine.Record, error) {
	if id == "panic" {
		panic("a driver's bug")
	}
	return engine.Record{ID: id, ETag: "3", JSON: fmt.Appendf(nil, `{"id":%q}`, id)}, nil
}

func (f *fakeEngine) Write(ctx context.Context, w engine.Write) (engine.Result, error) {
	f.mu.Lock()
	f.writes = append(f.writes, w)
	n := len(f.writes)
	f.mu.Unlock()
	if f.write != nil {
		return f.write(ctx, w)
	}
	return engine.Result{Status: 201, Record: engine.Record{ID: fmt.Sprint(n), ETag: "1", JSON: fmt.Appendf(nil, `{"id":"%d"}`, n)}}, nil
}

func (f *fakeEngine) Settle(_ context.Context, w engine.Write) (engine.Result, bool, error) {
	return f.settle(w)
}

func (f *fakeEngine) Pass(context.Context, connectors.Passage) (connectors.Passed, error) {
	return connectors.Passed{}, errors.New("no test passes anything here")
}

func (f *fakeEngine) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	return nil
}

func (f *fakeEngine) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.writes)
}

const plantYAML = `apiVersion: connector/v1
metadata: {id: plant, version: 1.0.0, product: Plant, categories: [cmms], tier: 1, proved: shape}
driver: sql
dialect: sqlite
login:
  required: [host, password]
  properties:
    host: {type: string}
    password: {type: string, writeOnly: true}
entities:
  items:
    key: [id]
    operations: {list: {sql: "SELECT id FROM items"}}
    fields: {number: {from: id}}
`

// bench is a handler over a fake engine, with its state on disk.
type bench struct {
	t       *testing.T
	dir     string
	engine  *fakeEngine
	handler *Handler
	live    policy.Live
	logins  []Login
	key     seal.PrivateKey
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir(), engine: &fakeEngine{}}
	var err error
	if b.key, err = seal.NewKey(); err != nil {
		t.Fatal(err)
	}
	b.allow(configs.Policy{Writes: true})
	b.start()
	b.open(http.StatusOK)
	return b
}

func (b *bench) allow(p configs.Policy) {
	b.t.Helper()
	if err := b.live.Replace(p, policy.Own{}); err != nil {
		b.t.Fatal(err)
	}
}

func (e *fakeEngine) Discover(context.Context, string) (wire.DiscoveredEntity, error) {
	return wire.DiscoveredEntity{}, nil
}

// start makes a handler over the state on disk, as a started agent does.
func (b *bench) start() {
	b.t.Helper()
	t := b.t
	db, err := state.Open(t.Context(), b.dir)
	fatal(t, err)
	t.Cleanup(func() { _ = db.Close() })
	v, err := vault.Open(b.dir)
	fatal(t, err)
	j, err := journal.New(t.Context(), db.SQL())
	fatal(t, err)
	set, err := definition.Load(fstest.MapFS{"plant.yaml": {Data: []byte(plantYAML)}, "bad.yaml": {Data: []byte("metadata: {id: bad}")}})
	if set == nil {
		t.Fatal(err)
	}
	b.handler = New(Options{
		Health: health.New(slog.New(slog.DiscardHandler)),
		Agent:  "agt_1", Instance: "i", Organisation: "org_1", Site: "sit_1", State: db, Vault: v, Journal: j, Policy: &b.live,
		SealingKey: b.key, Definitions: func() *definition.Set { return set }, Logger: slog.New(slog.DiscardHandler),
		Open: func(_ context.Context, l Login) (Engine, error) {
			b.logins = append(b.logins, l)
			return b.engine, nil
		},
	})
	t.Cleanup(b.handler.Close)
}

func fatal(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const con = "/v1/connections/con_1"

func (b *bench) open(want int) *httptest.ResponseRecorder {
	b.t.Helper()
	body := `{"organisation":"org_1","site":"sit_1","system":"plant","name":"erp","settings":{"host":"db"},"credentials":{"password":"canary-7f3a"}}`
	w := b.call("PUT", con, body, nil)
	if w.Code != want {
		b.t.Fatalf("open: %d %s", w.Code, w.Body)
	}
	return w
}

func (b *bench) call(method, path, body string, header map[string]string) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.callCtx(b.t.Context(), method, path, body, header)
}

func (b *bench) callCtx(ctx context.Context, method, path, body string, header map[string]string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	for name, value := range header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	return w
}

func problem(t *testing.T, w *httptest.ResponseRecorder) *fault.Error {
	t.Helper()
	if got := w.Header().Get("Content-Type"); got != fault.ContentType {
		t.Fatalf("%d %s: %s", w.Code, got, w.Body)
	}
	f, err := fault.Decode(w.Body)
	fatal(t, err)
	return f
}

func key(k string) map[string]string { return map[string]string{wire.HeaderIdempotencyKey: k} }

func TestReplay(t *testing.T) {
	b := newBench(t)
	first := b.call("POST", con+"/records/items", `{"number":"1","name":"x"}`, key("k"))
	second := b.call("POST", con+"/records/items", `{"name":"x", "number":"1"}`, key("k"))
	if first.Code != 201 || second.Code != 201 || first.Body.String() != second.Body.String() || b.engine.count() != 1 {
		t.Fatalf("%d %s, then %d %s; %d effects", first.Code, first.Body, second.Code, second.Body, b.engine.count())
	}
	if first.Header().Get(wire.HeaderReplayed) != "" || second.Header().Get(wire.HeaderReplayed) != "true" {
		t.Error("the replay does not say so, or the first does")
	}
	for _, name := range []string{wire.HeaderETag, wire.HeaderRecordID} {
		if first.Header().Get(name) == "" || first.Header().Get(name) != second.Header().Get(name) {
			t.Errorf("%s: %q, then %q", name, first.Header().Get(name), second.Header().Get(name))
		}
	}
	if f := problem(t, b.call("POST", con+"/records/items", `{"number":"2"}`, key("k"))); f.Code != fault.IdempotencyKeyReused {
		t.Errorf("another body: %s", f.Code)
	}
	b.call("POST", con+"/records/items", `{}`, nil)
	b.call("POST", con+"/records/items", `{}`, nil)
	if b.engine.count() != 3 {
		t.Error("writes without a key must each run")
	}
}

// TestOutcomes tells what each outcome of a first try makes of the second under its key.
func TestOutcomes(t *testing.T) {
	for _, tt := range []struct {
		name    string
		first   error
		runs    int // of two tries
		settled bool
		want    int // status of the second
	}{
		{"not sent runs again", fault.New(fault.SystemUnreachable, "x").Ended(fault.NotSent), 2, false, 201},
		{"rejected is replayed", fault.New(fault.RecordLocked, "x").Ended(fault.Rejected), 1, false, 409},
		{"unknown that happened is settled", fault.New(fault.SystemTimeout, "x").Ended(fault.Unknown), 1, true, 200},
		{"unknown that did not happen runs again", fault.New(fault.SystemTimeout, "x").Ended(fault.Unknown), 2, false, 201},
		{"no word of the outcome is unknown", fault.New(fault.SystemError, "x"), 1, true, 200},
		{"a foreign error is unknown", errors.New("boom"), 1, true, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			runs := 0
			b.engine.write = func(context.Context, engine.Write) (engine.Result, error) {
				if runs++; runs == 1 {
					return engine.Result{}, tt.first
				}
				return engine.Result{Status: 201, Record: engine.Record{ID: "1", JSON: []byte(`{}`)}}, nil
			}
			b.engine.settle = func(engine.Write) (engine.Result, bool, error) {
				return engine.Result{Status: 200, Record: engine.Record{ID: "1", JSON: []byte(`{}`)}}, tt.settled, nil
			}
			f := problem(t, b.call("POST", con+"/records/items", `{}`, key("k")))
			if f.Outcome == "" || f.Entity != "items" || f.Operation != "create" || f.AgentID != "agt_1" || f.ConnectionID != "con_1" {
				t.Errorf("the first fault is incomplete: %+v", f)
			}
			second := b.call("POST", con+"/records/items", `{}`, key("k"))
			if second.Code != tt.want || runs != tt.runs {
				t.Errorf("second: %d %s after %d runs; want %d after %d", second.Code, second.Body, runs, tt.want, tt.runs)
			}
		})
	}
}

// TestPanicIsOneFailedCall on a read, and on a write, whose outcome is then unknown.
func TestPanicIsOneFailedCall(t *testing.T) {
	b := newBench(t)
	if f := problem(t, b.call("GET", con+"/records/items/panic", "", nil)); f.Code != fault.Internal || f.Hop != fault.HopAgent {
		t.Errorf("read: %+v", f)
	}
	b.engine.write = func(context.Context, engine.Write) (engine.Result, error) { panic("a driver's bug") }
	if f := problem(t, b.call("POST", con+"/records/items", "{}", key("k"))); f.Code != fault.Internal || f.Outcome != fault.Unknown {
		t.Errorf("write: %+v", f)
	}
	if w := b.call("GET", con+"/records/items/1", "", nil); w.Code != 200 {
		t.Errorf("the next call: %d", w.Code)
	}
}

// TestCallerLeavesDuringTheEffect: it ends and is journaled all the same; one who leaves before costs nothing.
func TestCallerLeavesDuringTheEffect(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	b.engine.write = func(effect context.Context, _ engine.Write) (engine.Result, error) {
		cancel()
		if effect.Err() != nil {
			t.Error("the effect was cut")
		}
		if _, bounded := effect.Deadline(); !bounded {
			t.Error("the effect has no bound")
		}
		return engine.Result{Status: 201, Record: engine.Record{ID: "1", JSON: []byte(`{}`)}}, nil
	}
	b.callCtx(ctx, "POST", con+"/records/items", "{}", key("k"))
	if w := b.call("POST", con+"/records/items", "{}", key("k")); w.Header().Get(wire.HeaderReplayed) != "true" || b.engine.count() != 1 {
		t.Errorf("replayed %q, %d effects", w.Header().Get(wire.HeaderReplayed), b.engine.count())
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	b.callCtx(gone, "POST", con+"/records/items", "{}", key("k2"))
	if b.engine.count() != 1 {
		t.Error("a write ran for a caller who had left before")
	}
}

// TestCrashIsSettledByTheNextAgent kills the agent between started and done, by never letting the first handler end.
func TestCrashIsSettledByTheNextAgent(t *testing.T) {
	b := newBench(t)
	stuck, began := make(chan struct{}), make(chan struct{})
	var old sync.WaitGroup
	b.engine.write = func(context.Context, engine.Write) (engine.Result, error) {
		close(began)
		<-stuck
		return engine.Result{}, errors.New("killed")
	}
	before := b.handler
	old.Go(func() {
		r := httptest.NewRequest("POST", con+"/records/items", strings.NewReader("{}"))
		r.Header.Set(wire.HeaderIdempotencyKey, "k")
		before.ServeHTTP(httptest.NewRecorder(), r)
	})
	<-began
	b.start() // the new process
	settles := 0
	b.engine.settle = func(w engine.Write) (engine.Result, bool, error) {
		settles++
		return engine.Result{}, false, fault.New(fault.Conflict, "cannot be told").Ended(fault.Unknown)
	}
	if f := problem(t, b.call("POST", con+"/records/items", "{}", key("k"))); f.Outcome != fault.Unknown || settles != 1 {
		t.Errorf("%+v after %d settles", f, settles)
	}
	if b.engine.count() != 1 {
		t.Errorf("%d effects", b.engine.count())
	}
	close(stuck)
	old.Wait()
}

// TestWhatWasRefusedWasNotSent writes on a connection that the agent does not hold.
func TestWhatWasRefusedWasNotSent(t *testing.T) {
	b := newBench(t)
	f := problem(t, b.call("POST", "/v1/connections/con_9/records/items", "{}", key("k")))
	if f.Code != fault.NotFound || f.Outcome != fault.NotSent || b.engine.count() != 0 {
		t.Errorf("%+v", f)
	}
}

func TestPolicyIsTheLastWord(t *testing.T) {
	b := newBench(t)
	b.allow(configs.Policy{Rules: configs.Rules{DenyFields: []string{"items.price", "*.lines.price", "items._actions"}}})
	f := problem(t, b.call("POST", con+"/records/items", "{}", key("k")))
	if f.Code != fault.PolicyDenied || f.Outcome != fault.NotSent || !strings.Contains(f.Advice, "gantry-agent policy allow writes") {
		t.Errorf("write: %+v", f)
	}
	list := b.call("GET", con+"/records/items", "", nil)
	if strings.Contains(list.Body.String(), "_actions") || !strings.Contains(list.Body.String(), `"name":"a"`) {
		t.Errorf("list: %s", list.Body)
	}
	if diff := cmp.Diff([]string{"price", "lines.price", "_actions", "remote_data"}, b.engine.hidden); diff != "" {
		t.Errorf("what the engine is to hide (-want +got):\n%s", diff)
	}
	for _, query := range []string{"?price=9.50", "?fields=name,price", "?include=remote_data"} {
		if f := problem(t, b.call("GET", con+"/records/items"+query, "", nil)); f.Code != fault.PolicyDenied {
			t.Errorf("%s: %+v", query, f)
		}
	}
	b.allow(configs.Policy{Writes: true, Rules: configs.Rules{DenyFields: []string{"items.lines.price"}}})
	if f := problem(t, b.call("POST", con+"/records/items", `{"lines":[{"price":"1"}]}`, nil)); f.Code != fault.PolicyDenied {
		t.Errorf("denied field in a body: %+v", f)
	}
	b.allow(configs.Policy{Writes: true, Rules: configs.Rules{Rate: "1/h"}})
	b.call("GET", con+"/records/items/1", "", nil)
	limited := b.call("GET", con+"/records/items/1", "", nil)
	if f := problem(t, limited); f.Code != fault.RateLimitExceeded || f.RetryAfter <= 0 || f.Hop != fault.HopPolicy {
		t.Errorf("rate: %+v", f)
	}
	if b.engine.count() != 0 {
		t.Error("something refused was run")
	}
}

func TestOpenKeepsOnlyWhatWorks(t *testing.T) {
	b := newBench(t)
	b.engine.check = func() error { return fault.New(fault.CredentialsExpired, "wrong password") }
	if f := problem(t, b.call("PUT", "/v1/connections/con_2", `{"organisation":"org_1","site":"sit_1","system":"plant","name":"b","settings":{"host":"db"},"credentials":{"password":"x"}}`, nil)); f.Code != fault.CredentialsExpired {
		t.Errorf("%+v", f)
	}
	if f := problem(t, b.call("GET", "/v1/connections/con_2/records/items", "", nil)); f.Code != fault.NotFound {
		t.Errorf("a login that failed was kept: %+v", f)
	}
	bad := b.call("PUT", "/v1/connections/con_2", `{"organisation":"org_1","site":"sit_1","system":"bad","name":"b"}`, nil)
	if f := problem(t, bad); f.Code != fault.Internal || f.Hop != fault.HopAgent || !strings.HasSuffix(f.Advice, ": gantry-agent connectors list") {
		t.Errorf("a faulty definition: %+v", f)
	}
	if catalogue := b.call("GET", "/v1/catalogue", "", nil); !strings.Contains(catalogue.Body.String(), `"plant"`) || strings.Contains(catalogue.Body.String(), `"bad"`) {
		t.Errorf("what is published: %s", catalogue.Body)
	}
	for name, body := range map[string]string{
		"missing member": `{"organisation":"org_1","site":"sit_1","system":"plant","settings":{},"credentials":{"password":"canary-7f3a"}}`,
		"unknown system": `{"organisation":"org_1","site":"sit_1","system":"other","settings":{},"credentials":{"password":"canary-7f3a"}}`,
		"another site":   `{"organisation":"org_1","site":"sit_2","system":"plant","settings":{},"credentials":{"password":"canary-7f3a"}}`,
	} {
		w := b.call("PUT", "/v1/connections/con_3", body, nil)
		if w.Code < 400 || strings.Contains(w.Body.String(), "canary") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

func TestSealedLogin(t *testing.T) {
	b := newBench(t)
	place := seal.Place{Organisation: "org_1", Site: "sit_1", System: "plant", Settings: json.RawMessage(`{"host":"db"}`)}
	sealed, err := seal.Seal(b.key.Public(), place, []byte(`{"password":"sealed-secret"}`))
	fatal(t, err)
	raw, err := json.Marshal(sealed)
	fatal(t, err)
	put := func(host string) *httptest.ResponseRecorder {
		return b.call("PUT", "/v1/connections/con_2", fmt.Sprintf(`{"organisation":"org_1","site":"sit_1","system":"plant","name":"b","settings":{"host":%q},"sealed_credentials":%s}`, host, raw), nil)
	}
	if f := problem(t, put("evil")); f.Code != fault.ValidationFailed || f.Fields[0].Name != "sealed_credentials" {
		t.Errorf("moved to another host: %+v", f)
	}
	if w := put("db"); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if got := string(b.logins[len(b.logins)-1].Credentials); got != `{"password":"sealed-secret"}` {
		t.Errorf("opened with %s", got)
	}
}

func TestRestartOpensLazilyAndReconcileErases(t *testing.T) {
	b := newBench(t)
	b.start()
	before := len(b.logins)
	if w := b.call("GET", con+"/records/items/1", "", nil); w.Code != 200 || len(b.logins) != before+1 {
		t.Fatalf("%d, %d logins", w.Code, len(b.logins)-before)
	}
	if string(b.logins[before].Credentials) != `{"password":"canary-7f3a"}` {
		t.Error("the kept login is another one")
	}
	if w := b.call("POST", wire.PathReconcile, `{"connections":["con_1"]}`, nil); w.Code != 204 {
		t.Fatal(w.Code)
	}
	if w := b.call("GET", con+"/records/items/1", "", nil); w.Code != 200 {
		t.Error("reconcile erased a connection that the relay has")
	}
	b.call("POST", wire.PathReconcile, `{"connections":[]}`, nil)
	if f := problem(t, b.call("GET", con+"/records/items/1", "", nil)); f.Code != fault.NotFound || !b.engine.closed {
		t.Errorf("%+v, closed %v", f, b.engine.closed)
	}
}

func TestStream(t *testing.T) {
	ndjson := map[string]string{"Accept": wire.NDJSON}
	line := []byte(`{"id":"1","price":"2"}`)
	for _, tt := range []struct {
		name string
		src  func(ctx context.Context, emit func([]byte) error) (int, error)
		want string
	}{
		{"whole", func(_ context.Context, emit func([]byte) error) (int, error) {
			return 2, errors.Join(emit(line), emit(line))
		},
			"{\"id\":\"1\",\"price\":\"2\"}\n{\"id\":\"1\",\"price\":\"2\"}\n{\"end\":{\"count\":2}}\n"},
		{"empty", func(context.Context, func([]byte) error) (int, error) { return 0, nil }, "{\"end\":{\"count\":0}}\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			b.engine.stream = tt.src
			w := b.call("GET", con+"/records/items", "", ndjson)
			if w.Body.String() != tt.want || w.Header().Get("Content-Type") != wire.NDJSON {
				t.Errorf("%s %q", w.Header().Get("Content-Type"), w.Body)
			}
		})
	}
	t.Run("fails before the first line", func(t *testing.T) {
		b := newBench(t)
		b.engine.stream = func(context.Context, func([]byte) error) (int, error) {
			return 0, fault.New(fault.PermissionDenied, "no")
		}
		if f := problem(t, b.call("GET", con+"/records/items", "", ndjson)); f.Code != fault.PermissionDenied {
			t.Errorf("%+v", f)
		}
	})
	t.Run("panics after the first line", func(t *testing.T) {
		b := newBench(t)
		b.engine.stream = func(_ context.Context, emit func([]byte) error) (int, error) {
			_ = emit(line)
			time.Sleep(20 * time.Millisecond)
			panic("a driver's bug")
		}
		w := b.call("GET", con+"/records/items", "", ndjson)
		lines := strings.Split(strings.TrimSpace(w.Body.String()), "\n")
		if len(lines) != 2 || !strings.HasPrefix(lines[1], `{"error":{`) || !strings.Contains(lines[1], `"INTERNAL"`) || w.Code != 200 {
			t.Errorf("%d %q", w.Code, lines)
		}
	})
}

// TestStreamOverHTTP has a reader that sees lines while the source pauses, and whose leaving ends the source.
func TestStreamOverHTTP(t *testing.T) {
	b := newBench(t)
	ended := make(chan error, 1)
	b.engine.stream = func(ctx context.Context, emit func([]byte) error) (int, error) {
		_ = emit([]byte(`{"id":"1"}`))
		<-ctx.Done() // pauses until the reader is gone
		ended <- ctx.Err()
		return 1, ctx.Err()
	}
	server := httptest.NewServer(b.handler)
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+con+"/records/items", nil)
	fatal(t, err)
	r.Header.Set("Accept", wire.NDJSON)
	response, err := server.Client().Do(r)
	fatal(t, err)
	defer response.Body.Close()
	first := make([]byte, 11)
	if _, err := io.ReadFull(response.Body, first); err != nil || string(first) != "{\"id\":\"1\"}\n" {
		t.Fatalf("%q, %v", first, err)
	}
	cancel()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("the source runs on without a reader")
	}
}

// TestSlowReaderHoldsTheSource bounds what a stream keeps for a reader that does not read.
func TestSlowReaderHoldsTheSource(t *testing.T) {
	l := newLines()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	line := make([]byte, 1000)
	var added int
	done := make(chan struct{})
	go func() {
		defer close(done)
		for l.add(ctx, line) == nil {
			added++
		}
	}()
	for {
		select {
		case <-l.enough:
			time.Sleep(10 * time.Millisecond)
			cancel()
			<-done
			if added > streamFull/1000+1 {
				t.Errorf("%d lines were taken without a reader", added)
			}
			return
		case <-time.After(10 * time.Second):
			t.Fatal("the source does not fill the room")
		}
	}
}

func TestForeignPaths(t *testing.T) {
	b := newBench(t)
	for _, path := range []string{"/", "/v2/ping", "/v1/connections/con_1/records/items/../../x", "/v1//ping"} {
		if f := problem(t, b.call("GET", path, "", nil)); f.Code != fault.NotFound {
			t.Errorf("%s: %+v", path, f)
		}
	}
	if w := b.call("GET", con+"/records/items/"+"a%2Fb~%2E%2E", "", nil); w.Code != 200 || !strings.Contains(w.Body.String(), "a/b~..") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func BenchmarkStream(b *testing.B) {
	line := []byte(`{"id":"4012","number":"PO-4012","title":"Bearings","vendor_id":"17","total":"1290.00","currency":"EUR"}`)
	b.SetBytes(int64(len(line)))
	_, err := pump(b.Context(), discard{http.Header{}}, func(_ context.Context, emit func([]byte) error) error {
		for b.Loop() {
			if err := emit(line); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}
func (d discard) Flush()                      {}
