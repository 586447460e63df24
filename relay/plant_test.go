package relay_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gantry/configs"
	"gantry/connectors/wire"
	"gantry/relay"
	"gantry/relay/auth"
	"gantry/relay/store"
	"gantry/tunnel"
	"gantry/tunnel/enrol"
	"gantry/tunnel/fault"
	"gantry/tunnel/pki"
)

// cloud is a running relay with one organisation and its admin key.
type cloud struct {
	t            testing.TB
	relay        *relay.Relay
	url          string
	key          string
	organisation string
	logs         *logbook
	stop         func()
}

// logbook collects a log, to be searched for what must not be there.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func startCloud(t testing.TB, change func(*configs.Relay)) *cloud {
	t.Helper()
	config := configs.DefaultRelay()
	config.Listen, config.MetricsListen, config.DataDir = "127.0.0.1:0", "127.0.0.1:0", t.TempDir()
	config.Limits.RatePerToken, config.Limits.BurstPerToken = 100_000, 100_000
	if change != nil {
		change(&config)
	}
	c := &cloud{t: t, logs: &logbook{}}
	var err error
	c.relay, err = relay.New(config, relay.Options{
		Logger:  slog.New(slog.NewTextHandler(c.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Timings: relay.Timings{PingEvery: 200 * time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.relay.Run(ctx) }()
	c.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(c.stop)
	<-c.relay.Ready()
	c.url = "http://" + c.relay.Addr()
	c.organise()
	return c
}

func (c *cloud) organise() {
	c.t.Helper()
	org, err := c.relay.Store().CreateOrganisation(context.Background(), "Works", 10)
	if err != nil {
		c.t.Fatal(err)
	}
	c.organisation = org.ID
	c.key = c.newKey(store.Admin)
}

func (c *cloud) newKey(role store.Role) string {
	c.t.Helper()
	text, hash := auth.NewToken(auth.OrganisationKey)
	if _, err := c.relay.Store().CreateKey(context.Background(), store.NewKey{OrganisationID: c.organisation, Name: "test", Role: role, Hash: hash}); err != nil {
		c.t.Fatal(err)
	}
	return text
}

// reply is a whole answer.
type reply struct {
	status int
	header http.Header
	body   string
}

// problem decodes the answer as an error of the contract.
func (a reply) problem(t testing.TB) *fault.Error {
	t.Helper()
	if a.header.Get("Content-Type") != fault.ContentType {
		t.Fatalf("content type %q of status %d: %s", a.header.Get("Content-Type"), a.status, a.body)
	}
	e, err := fault.Decode(strings.NewReader(a.body))
	if err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	return e
}

func (c *cloud) request(ctx context.Context, token, method, path, body string, headers ...string) *http.Request {
	c.t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func (c *cloud) call(token, method, path, body string, headers ...string) reply {
	c.t.Helper()
	response, err := http.DefaultClient.Do(c.request(context.Background(), token, method, "/api/v1"+path, body, headers...))
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return reply{response.StatusCode, response.Header, string(content)}
}

// must decodes an answer that has to have the status.
func must[T any](t testing.TB, status int, a reply) T {
	t.Helper()
	var into T
	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), &into); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	return into
}

// plant is an agent without connectors: a real tunnel, with calls served by a handler of the test.
type plant struct {
	t       testing.TB
	id      string
	site    string
	pin     pki.Pin
	url     string
	key     *ecdsa.PrivateKey
	cert    []byte
	machine string
	serve   atomic.Pointer[http.HandlerFunc]
	opened  sync.Map // connection ids that were opened
	told    atomic.Pointer[wire.Reconcile]
	erased  atomic.Pointer[chan bool] // hears of connections that were erased
	health  chan wire.Health          // what the agent tells of its connections
	reset   atomic.Int32              // how often circuits were reset

	sessions []*tunnel.Session
}

type siteMade struct {
	ID    string `json:"id"`
	Token string `json:"enrolment_token"`
}

// enrol makes a site and enrols an agent at it.
func (c *cloud) enrol() *plant {
	c.t.Helper()
	site := must[siteMade](c.t, http.StatusCreated, c.call(c.key, "POST", "/sites", `{"name":"Works 1"}`))
	p, err := c.enrolWith(site.Token)
	if err != nil {
		c.t.Fatal(err)
	}
	return p
}

func (c *cloud) enrolWith(text string) (*plant, error) {
	c.t.Helper()
	token, err := enrol.Parse(text)
	if err != nil {
		c.t.Fatal(err)
	}
	key, err := pki.NewKey()
	if err != nil {
		c.t.Fatal(err)
	}
	csr, err := pki.NewCSR(key)
	if err != nil {
		c.t.Fatal(err)
	}
	dialer := &tunnel.Dialer{URL: token.Relay, Pin: token.Pin}
	made, err := enrol.Call(context.Background(), dialer, token, enrol.Request{
		CSR: csr, MachineID: "machine-1", Facts: json.RawMessage(`{"version":"1.2.3","hostname":"plc-gw","os":"linux","arch":"amd64"}`),
	})
	if err != nil {
		return nil, err
	}
	return &plant{t: c.t, id: made.AgentID, site: made.SiteID, pin: token.Pin, url: token.Relay, key: key, cert: made.Certificate, machine: "machine-1", health: make(chan wire.Health)}, nil
}

// ServeHTTP is the agent's side of package wire, as far as these tests need it.
func (p *plant) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == wire.PathPing:
		p.json(w, wire.Pong{AgentID: p.id, InstanceID: "any"})
	case r.URL.Path == wire.PathCatalogue:
		p.json(w, wire.Catalogue{Systems: []wire.System{{ID: "press", Version: "1", Product: "Press", Tier: 4, Login: loginForm}}})
	case r.URL.Path == wire.PathReconcile:
		var told wire.Reconcile
		if err := json.NewDecoder(r.Body).Decode(&told); err != nil {
			p.t.Error(err)
		}
		p.told.Store(&told)
		w.WriteHeader(http.StatusNoContent)
	case r.URL.Path == wire.PathDrain:
		w.WriteHeader(http.StatusNoContent)
	case r.URL.Path == wire.PathHealth:
		p.tellHealth(w, r)
	case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/circuits/reset"):
		p.reset.Add(1)
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodDelete && strings.Count(r.URL.Path, "/") == 3:
		p.opened.Delete(r.URL.Path)
		if heard := p.erased.Load(); heard != nil {
			*heard <- true
		}
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodPut && p.serve.Load() == nil:
		p.opened.Store(r.URL.Path, true)
		p.json(w, wire.Opened{System: "press", Version: "1"})
	case p.serve.Load() != nil:
		(*p.serve.Load())(w, r)
	default:
		fault.New(fault.NotFound, "nothing").At(fault.HopAgent).Write(w)
	}
}

// tellHealth tells what a test has it tell.
func (p *plant) tellHealth(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", wire.NDJSON)
	control := http.NewResponseController(w)
	for control.Flush() == nil {
		select {
		case health := <-p.health:
			_ = json.NewEncoder(w).Encode(health)
		case <-r.Context().Done():
			return
		}
	}
}

var loginForm = json.RawMessage(`{"type":"object","properties":{"host":{"type":"string"},"password":{"type":"string","writeOnly":true}}}`)

func (p *plant) json(w http.ResponseWriter, document any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(document)
}

// answers sets what calls of connections get.
func (p *plant) answers(serve http.HandlerFunc) { p.serve.Store(&serve) }

// dial opens one session.
func (p *plant) dial(instance string, lane tunnel.Lane) (*tunnel.Session, error) {
	d := &tunnel.Dialer{
		URL: p.url, Pin: p.pin, Handler: p,
		Identity: func() (tls.Certificate, error) {
			return tls.Certificate{Certificate: [][]byte{p.cert}, PrivateKey: p.key}, nil
		},
	}
	return d.Dial(context.Background(), tunnel.Hello{InstanceID: instance, MachineID: p.machine, Lane: lane})
}

// connect opens both lanes and waits until the relay sees the agent and its catalogue.
func (c *cloud) connect(p *plant) {
	c.t.Helper()
	for _, lane := range []tunnel.Lane{tunnel.LaneCalls, tunnel.LaneBulk} {
		s, err := p.dial("instance-1", lane)
		if err != nil {
			c.t.Fatal(err)
		}
		p.sessions = append(p.sessions, s)
		c.t.Cleanup(func() { s.Close("the test ends") })
	}
	c.until("the agent is connected", func() bool {
		return strings.Contains(c.call(c.key, "GET", "/sites/"+p.site, "").body, `"state":"connected"`) &&
			strings.Contains(c.call(c.key, "GET", "/systems?site="+p.site, "").body, `"press"`)
	})
}

func (c *cloud) until(what string, held func() bool) {
	c.t.Helper()
	for deadline := time.Now().Add(15 * time.Second); !held(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Fatalf("not within 15 s: %s\n%s", what, c.logs)
		}
	}
}

type connectionMade struct {
	Connection struct{ ID, State, Agent string } `json:"connection"`
	Token      string                            `json:"token"`
}

const canary = "Kanarienvogel-77"

// link makes a connection through the agent.
func (c *cloud) link(p *plant) connectionMade {
	c.t.Helper()
	return must[connectionMade](c.t, http.StatusCreated, c.call(c.key, "POST", "/connections",
		fmt.Sprintf(`{"site":%q,"system":"press","name":"Press 7","settings":{"host":"db"},"credentials":{"password":%q}}`, p.site, canary)))
}

// road is a whole road: relay, agent, connection.
func road(t testing.TB, change func(*configs.Relay)) (*cloud, *plant, connectionMade) {
	t.Helper()
	c := startCloud(t, change)
	p := c.enrol()
	c.connect(p)
	return c, p, c.link(p)
}
