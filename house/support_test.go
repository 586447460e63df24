package house

import (
	"encoding/json"
	"net/http"
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
