package house

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"gantry/tunnel/check"
	"gantry/tunnel/fault"
)

// TestSupportByConsent runs an agent's doctor from the relay's machine and over the API: refused until somebody at the plant
// lets support in, over a restart of the agent, until it is taken back. Both sides then tell who asked for what.
func TestSupportByConsent(t *testing.T) {
	p := open(t)
	var agents struct {
		Data []struct{ ID, State string }
	}
	p.relayCommand(&agents, "agents", "list")
	if len(agents.Data) != 1 || agents.Data[0].State != "connected" {
		t.Fatalf("agents: %+v", agents)
	}
	id := agents.Data[0].ID
	path := "/sites/" + p.site + "/agents/" + id
	refused := fault.Error{Code: fault.PolicyDenied, Hop: fault.HopPolicy, Scope: fault.ScopeSite}
	for method, what := range map[string]string{http.MethodPost: "/diagnose", http.MethodGet: "/logs"} {
		if f := p.refused(p.admin, method, path+what, nil, refused); !strings.Contains(f.Advice, "gantry-agent support on") {
			t.Errorf("%s: advice %q", what, f.Advice)
		}
	}
	run(t, "gantry-agent", "support", "on", "--for", "1h", "--config", p.path("agent.yaml"))
	p.agent.stop()
	p.startAgent()
	p.awaitAgent("connected")

	// What the doctor finds wrong with this machine is not the test's concern: that it looked is.
	out, err := exec.Command(program(t, "gantry-relay"), "agents", "diagnose", id, "--config", p.path("relay.yaml"), "--json").Output()
	var report check.Report
	if errJSON := json.Unmarshal(out, &report); errJSON != nil || report.Program != "gantry-agent" || len(report.Results) < 10 {
		t.Fatalf("the report: %v, %v\n%s", err, errJSON, out)
	}
	run(t, "gantry-agent", "support", "off", "--config", p.path("agent.yaml"))
	p.refused(p.admin, http.MethodPost, path+"/bundle", nil, refused)

	var audit struct {
		Data []struct {
			Action, Result string
			Actor          struct{ Role string }
		}
	}
	p.relayCommand(&audit, "audit", "tail")
	var said strings.Builder
	for _, e := range audit.Data {
		said.WriteString(e.Action + "=" + e.Result + " by " + e.Actor.Role + "\n")
	}
	for _, want := range []string{"agents.diagnose=POLICY_DENIED by admin", "agents.diagnose=OK by operator", "agents.bundle=POLICY_DENIED by admin"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("the audit lacks %q:\n%s", want, said.String())
		}
	}
	status := run(t, "gantry-agent", "support", "status", "--config", p.path("agent.yaml"))
	for _, want := range []string{"may not look at this agent now", "gantry-relay, operator", "POLICY_DENIED"} {
		if !strings.Contains(status, want) {
			t.Errorf("the agent's own record lacks %q:\n%s", want, status)
		}
	}
}

// TestSupportFromAfar fetches an agent's log and bundle through the relay. It looks at the connections too, as the doctor
// does of an agent that does not run.
func TestSupportFromAfar(t *testing.T) {
	t.Parallel()
	d := openDemoPlant(t)
	d.allow("path", d.login.Settings["path"].(string))
	d.client, d.id = d.connect(d.login)
	d.agent.stop()
	d.write("agent.yaml", strings.Replace(d.tail("agent.yaml"), "{level: debug}", "{level: debug, file: "+d.path("log/agent.log")+"}", 1))
	if err := os.Mkdir(d.path("log"), 0o700); err != nil {
		t.Fatal(err)
	}
	d.startAgent()
	d.awaitAgent("connected")
	run(t, "gantry-agent", "support", "on", "--config", d.path("agent.yaml"))
	f := d.refused(d.client, http.MethodGet, "/vendors/none", nil, fault.Error{Code: fault.NotFound, Hop: fault.HopSystem, Scope: fault.ScopeRecord})

	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	log := run(t, "gantry-relay", "agents", "logs", host, "-n", "50", "--config", d.path("relay.yaml"))
	if !strings.Contains(log, f.RequestID) {
		t.Errorf("the log lacks the call %s:\n%s", f.RequestID, log)
	}
	file := d.path("bundle.zip")
	if out := run(t, "gantry-relay", "agents", "bundle", host, file, "--config", d.path("relay.yaml")); strings.TrimSpace(out) != file {
		t.Errorf("the answer is %q", out)
	}
	bundle, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer bundle.Close() //nolint:errcheck // it was only read
	inside, err := bundle.Open("report.json")
	if err != nil {
		t.Fatal(err)
	}
	d.looksAtConnection(inside, check.Passed)

	d.agent.stop()
	if err := os.Remove(d.login.Settings["path"].(string)); err != nil {
		t.Fatal(err)
	}
	out, _ := exec.Command(program(t, "gantry-agent"), "doctor", "--json", "--config", d.path("agent.yaml")).Output()
	d.looksAtConnection(bytes.NewReader(out), check.Failed)
}

// looksAtConnection wants a report whose checks of the connection end so.
func (d *demoPlant) looksAtConnection(document io.Reader, status check.Status) {
	d.t.Helper()
	var report check.Report
	if err := json.NewDecoder(document).Decode(&report); err != nil {
		d.t.Fatal(err)
	}
	for _, r := range report.Results {
		if r.Connection == d.id && r.Status == status {
			return
		}
	}
	d.t.Errorf("no check of the connection is %q: %+v", status, report.Results)
}
