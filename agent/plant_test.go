package agent

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gantry/connectors"
	"gantry/connectors/catalogue"
	"gantry/connectors/definition"
	"gantry/connectors/demoplant"
	sqldriver "gantry/connectors/sql"
	"gantry/connectors/wire"
	"gantry/tunnel"
	"gantry/tunnel/fault"
)

// plant is an enrolled agent with the demo plant's database, called over a tunnel.
type plant struct {
	t     *testing.T
	relay *relay
	agent *Agent
	path  string
	stop  func()
	start func()
}

func newPlant(t *testing.T) *plant {
	t.Helper()
	p := &plant{t: t, relay: newRelay(t), path: filepath.Join(t.TempDir(), "plant.db")}
	fatal(t, demoplant.Create(t.Context(), p.path))
	c := config(t)
	c.Policy.Paths, c.Policy.Writes = []string{filepath.Dir(p.path)}, true
	opts := quiet()
	var err error
	opts.Definitions, err = definition.Load(catalogue.FS)
	fatal(t, err)
	opts.Drivers = []connectors.Driver{sqldriver.Driver{}}
	_, err = Enrol(t.Context(), c, p.relay.token(), Enrolment{Options: opts})
	fatal(t, err)
	p.start = func() {
		t.Helper()
		p.agent, p.stop = runWith(t, c, opts)
		eventually(t, "up", func() bool { return len(p.relay.live()) == 2 })
	}
	p.start()
	return p
}

func (p *plant) session() *tunnel.Session { return p.relay.live()[0] }

// call gives status, header and body of one call over the tunnel.
func (p *plant) call(method, path, body string, header map[string]string) (*http.Response, string) {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), method, "http://agent"+path, strings.NewReader(body))
	fatal(p.t, err)
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := p.session().RoundTripper().RoundTrip(request)
	fatal(p.t, err)
	return response, readAll(p.t, response)
}

func (p *plant) connect(path string) (*http.Response, string) {
	settings, err := json.Marshal(map[string]string{"path": path})
	fatal(p.t, err)
	return p.call("PUT", wire.ConnectionPath("con_1"), fmt.Sprintf(`{"organisation":"org_1","site":"sit_1","system":"demo-plant","name":"plant","settings":%s,"credentials":{}}`, settings), nil)
}

func TestDemoPlantOverTheTunnel(t *testing.T) {
	p := newPlant(t)
	if response, body := p.connect("/etc/plant.db"); response.StatusCode != 403 || !strings.Contains(body, "gantry-agent policy allow path") {
		t.Fatalf("a path outside of the policy: %d %s", response.StatusCode, body)
	}
	if response, body := p.connect(p.path); response.StatusCode != 200 {
		t.Fatalf("open: %d %s", response.StatusCode, body)
	}
	items := wire.RecordPath("con_1", "items", "", "")
	if response, body := p.call("GET", items+"?limit=2", "", nil); response.StatusCode != 200 || !strings.Contains(body, `"has_more":true`) {
		t.Fatalf("list: %d %s", response.StatusCode, body)
	}
	_, stream := p.call("GET", items, "", map[string]string{"Accept": wire.NDJSON})
	lines := strings.Split(strings.TrimSpace(stream), "\n")
	if want := fmt.Sprintf(`{"end":{"count":%d}}`, len(lines)-1); lines[len(lines)-1] != want || len(lines) < 100 {
		t.Errorf("%d lines, the last is %s", len(lines), lines[len(lines)-1])
	}
	p.createOnceAcrossRestart()
}

// createOnceAcrossRestart sends one write before and after a restart of the agent.
func (p *plant) createOnceAcrossRestart() {
	t := p.t
	requests := wire.RecordPath("con_1", "service-requests", "", "")
	key := map[string]string{wire.HeaderIdempotencyKey: "k-1"}
	const body = `{"title":"Pump leaks","priority":"high"}`
	first, created := p.call("POST", requests, body, key)
	if first.StatusCode != 201 {
		t.Fatalf("create: %d %s", first.StatusCode, created)
	}
	p.stop()
	p.start()
	again, replayed := p.call("POST", requests, body, key)
	if again.StatusCode != 201 || replayed != created || again.Header.Get(wire.HeaderReplayed) != "true" {
		t.Errorf("after a restart: %d %s", again.StatusCode, replayed)
	}
	other, problem := p.call("POST", requests, `{"title":"Another"}`, key)
	f, err := fault.Decode(strings.NewReader(problem))
	fatal(t, err)
	if other.StatusCode != 422 || f.Code != fault.IdempotencyKeyReused {
		t.Errorf("another body: %+v", f)
	}
	id := first.Header.Get(wire.HeaderRecordID)
	if response, body := p.call("GET", wire.RecordPath("con_1", "service-requests", id, ""), "", nil); response.StatusCode != 200 || !strings.Contains(body, "Pump leaks") {
		t.Errorf("read back %s: %d %s", id, response.StatusCode, body)
	}
	if response, body := p.call("GET", wire.ConnectionPath("con_1")+"/capabilities", "", nil); response.StatusCode != 200 || !strings.Contains(body, `"service-requests"`) {
		t.Errorf("capabilities: %d %s", response.StatusCode, body)
	}
}

// TestReloadClosesWhatIsNoLongerAllowed takes a folder out of the policy while a login to a file in it is open.
func TestReloadClosesWhatIsNoLongerAllowed(t *testing.T) {
	p := newPlant(t)
	if response, body := p.connect(p.path); response.StatusCode != 200 {
		t.Fatalf("open: %d %s", response.StatusCode, body)
	}
	file := filepath.Join(t.TempDir(), "agent.yaml")
	write := func(content string) {
		t.Helper()
		fatal(t, os.WriteFile(file, []byte(content), 0o600))
	}
	p.agent.opts.ConfigFile = file
	write("policy: {path: [/x]}\n")
	if _, err := p.agent.Reload(t.Context()); err == nil {
		t.Fatal("a faulty configuration was taken")
	}
	items := wire.RecordPath("con_1", "items", "", "")
	if response, body := p.call("GET", items, "", nil); response.StatusCode != 200 {
		t.Errorf("with the former configuration: %d %s", response.StatusCode, body)
	}
	write("policy: {paths: []}\n")
	if reloaded, err := p.agent.Reload(t.Context()); err != nil || !reloaded.Applied {
		t.Fatalf("%+v, %v", reloaded, err)
	}
	if response, body := p.call("GET", items, "", nil); response.StatusCode != 403 {
		t.Errorf("after the folder was taken out: %d %s", response.StatusCode, body)
	}
}
