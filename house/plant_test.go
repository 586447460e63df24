package house

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gantry/tunnel/fault"
)

// plant is a whole house of real programs: a relay, a site with one agent, and clients with an organisation's key.
type plant struct {
	t      testing.TB
	folder string
	url    string // of the relay
	admin  *Client
	site   string
	relay  *daemon
	agent  *daemon
	http   *http.Client // what trusts the relay's certificate

	metricsAddress string // of the relay
}

// option changes a plant before it starts.
type option func(*blueprint)

// blueprint is what options change.
type blueprint struct {
	relay string // more lines for relay.yaml
	agent string // more lines for agent.yaml
	https bool
}

func withRelay(yaml string) option { return func(b *blueprint) { b.relay += yaml } }
func withAgent(yaml string) option { return func(b *blueprint) { b.agent += yaml } }

// open builds and starts a plant, and waits until the relay sees the agent.
func open(t testing.TB, options ...option) *plant {
	t.Helper()
	p := openRelay(t, options...)
	p.enrol()
	p.startAgent()
	p.awaitAgent("connected")
	return p
}

// openRelay starts a plant's relay, with an organisation; there is no site yet and no agent.
func openRelay(t testing.TB, options ...option) *plant {
	t.Helper()
	var b blueprint
	for _, o := range options {
		o(&b)
	}
	folder, err := os.MkdirTemp("", "gantry-plant-") // not t.TempDir: a unix socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	p := &plant{t: t, folder: folder, http: http.DefaultClient, metricsAddress: freeAddress(t)}
	address := freeAddress(t)
	p.url = "http://" + address
	if b.https {
		p.url, p.http = "https://"+address, trusting()
	}
	p.http = keepingPromises(t, p.http)
	p.write("relay.yaml", fmt.Sprintf("listen: %s\ndata_dir: %s\nmetrics_listen: %s\nlog: {level: debug}\n%s",
		address, p.path("relay"), p.metricsAddress, b.relay))
	p.write("agent.yaml", fmt.Sprintf("state_dir: %s\nlog: {level: debug}\n%s", p.path("agent"), b.agent))
	t.Cleanup(p.examineLogs)
	p.startRelay()
	p.createOrganisation()
	return p
}

func (p *plant) path(name string) string { return filepath.Join(p.folder, name) }

func (p *plant) write(name, content string) {
	p.t.Helper()
	if err := os.WriteFile(p.path(name), []byte(content), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *plant) startRelay() {
	p.t.Helper()
	p.relay = start(p.t, p.path("relay.log"), program(p.t, "gantry-relay"), []string{"serve", "--config", p.path("relay.yaml")})
	eventually(p.t, 30*time.Second, "the relay answers", func() error {
		answer, err := p.http.Get(p.url + "/livez")
		if err != nil {
			return err
		}
		return answer.Body.Close()
	})
}

func (p *plant) startAgent() {
	p.t.Helper()
	p.agent = start(p.t, p.path("agent.log"), program(p.t, "gantry-agent"), []string{"run", "--config", p.path("agent.yaml")})
}

func (p *plant) createOrganisation() {
	p.t.Helper()
	var organisation struct{ ID string }
	p.relayCommand(&organisation, "orgs", "create", "Example Ltd", "--credits", "50")
	var key struct{ Key, Token string }
	p.relayCommand(&key, "keys", "create", "--org", organisation.ID, "--role", "admin", "--name", "tests")
	p.admin = &Client{URL: p.url, Token: key.Key + key.Token, HTTP: p.http}
}

func (p *plant) relayCommand(into any, args ...string) {
	p.t.Helper()
	out := run(p.t, "gantry-relay", append(args, "--config", p.path("relay.yaml"), "--json")...)
	if err := json.Unmarshal([]byte(out), into); err != nil {
		p.t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

// enrol creates the site and enrols the agent with its one-time token.
func (p *plant) enrol() {
	p.t.Helper()
	var site struct {
		ID    string `json:"id"`
		Token string `json:"enrolment_token"`
	}
	p.must(http.MethodPost, "/sites", map[string]string{"name": "Plant North"}, 201, &site)
	p.site = site.ID
	p.write("token", site.Token)
	run(p.t, "gantry-agent", "enroll", "--token-file", p.path("token"), "--config", p.path("agent.yaml"))
}

// allow changes the plant's policy through the agent's own command line.
func (p *plant) allow(what ...string) {
	p.t.Helper()
	run(p.t, "gantry-agent", append(append([]string{"policy", "allow"}, what...), "--config", p.path("agent.yaml"))...)
}

// must makes a call as the organisation and decodes its answer.
func (p *plant) must(method, path string, body any, status int, into any) {
	p.t.Helper()
	p.expect(p.admin, method, path, body, status, into)
}

func (p *plant) expect(c *Client, method, path string, body any, status int, into any, headers ...Header) Answer {
	p.t.Helper()
	answer, err := c.Do(p.t.Context(), method, path, body, headers...)
	if err != nil {
		p.t.Fatalf("%s %s: %v", method, path, err)
	}
	if answer.Status != status {
		p.t.Fatalf("%s %s: got %d, want %d: %s", method, path, answer.Status, status, answer.Body)
	}
	if into != nil {
		if err := answer.JSON(into); err != nil {
			p.t.Fatal(err)
		}
	}
	return answer
}

// refused makes a call that must fail, and checks code, hop, scope and outcome, and that there is an advice.
func (p *plant) refused(c *Client, method, path string, body any, want fault.Error, headers ...Header) *fault.Error {
	p.t.Helper()
	answer, err := c.Do(p.t.Context(), method, path, body, headers...)
	if err != nil {
		p.t.Fatalf("%s %s: %v", method, path, err)
	}
	got := answer.Problem()
	if got == nil {
		p.t.Fatalf("%s %s: got %d, want %s: %s", method, path, answer.Status, want.Code, answer.Body)
	}
	if got.Code != want.Code || got.Hop != want.Hop || got.Scope != want.Scope || got.Outcome != want.Outcome {
		p.t.Errorf("%s %s: got %s at hop %s, scope %s, outcome %q; want %s, %s, %s, %q\n%s", method, path,
			got.Code, got.Hop, got.Scope, got.Outcome, want.Code, want.Hop, want.Scope, want.Outcome, answer.Body)
	}
	if got.Advice == "" || got.Detail == "" || got.RequestID == "" {
		p.t.Errorf("%s %s: an error without advice, detail or request id: %s", method, path, answer.Body)
	}
	return got
}

// awaitAgent waits until the relay says that the site's agent is in the state.
func (p *plant) awaitAgent(state string) time.Duration {
	p.t.Helper()
	return eventually(p.t, 60*time.Second, "the agent is "+state, func() error {
		got, err := p.agentState()
		if p.agent.ended() && state == "connected" {
			p.t.Fatalf("the agent ended by itself:\n%s", p.tail("agent.log"))
		}
		if err == nil && got != state {
			err = fmt.Errorf("it is %s", got)
		}
		return err
	})
}

// tail is the end of a log.
func (p *plant) tail(name string) string {
	content, err := os.ReadFile(p.path(name))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(content[max(0, len(content)-2000):])
}

func (p *plant) agentState() (string, error) {
	answer, err := p.admin.Do(p.t.Context(), http.MethodGet, "/sites/"+p.site, nil)
	if err != nil {
		return "", err
	}
	var site struct{ Agents []struct{ State string } }
	if err := answer.JSON(&site); err != nil {
		return "", err
	}
	if len(site.Agents) != 1 {
		return "", fmt.Errorf("the site has %d agents", len(site.Agents))
	}
	return site.Agents[0].State, nil
}

// login describes a connection to be made.
type login struct {
	System      string            `json:"system"`
	Site        string            `json:"site"`
	Name        string            `json:"name"`
	Settings    map[string]any    `json:"settings"`
	Credentials map[string]string `json:"credentials"`
}

// connect logs in and gives a client with the connection's own token, and its id.
func (p *plant) connect(l login) (*Client, string) {
	p.t.Helper()
	l.Site = p.site
	var made struct {
		Connection struct{ ID string }
		Token      string
	}
	p.must(http.MethodPost, "/connections", l, 201, &made)
	return &Client{URL: p.url, Token: made.Token, HTTP: p.http}, made.Connection.ID
}

// examineLogs fails a test in whose programs the race detector spoke or something panicked. With GANTRY_LOGS set it shows
// the ends of the logs of a failed test.
func (p *plant) examineLogs() {
	for _, name := range []string{"relay.log", "agent.log"} {
		content, err := os.ReadFile(p.path(name))
		if err != nil {
			continue
		}
		log := string(content)
		if at := strings.Index(log, "WARNING: DATA RACE"); at >= 0 {
			p.t.Errorf("%s: %.4000s", name, log[at:])
		}
		if strings.Contains(log, "panic:") {
			p.t.Errorf("%s: a panic: %.4000s", name, log[strings.Index(log, "panic:"):])
		}
		if p.t.Failed() && os.Getenv("GANTRY_LOGS") != "" {
			p.t.Logf("%s ends:\n%s", name, log[max(0, len(log)-6000):])
		}
	}
}

func portOf(t testing.TB, address string) int {
	t.Helper()
	parsed, err := netip.ParseAddrPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return int(parsed.Port())
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
