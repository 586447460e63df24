package agent

import (
	"os"
	"path/filepath"
	"testing"

	"gantry/tunnel"
	"gantry/tunnel/check"
)

// status gives each check's status.
func statuses(r check.Report) map[string]check.Status {
	all := map[string]check.Status{}
	for _, result := range r.Results {
		all[result.Check] = result.Status
	}
	return all
}

// TestDiagnose: an agent goes its own way, running or not, and is found well; the sessions of one that runs stay.
func TestDiagnose(t *testing.T) {
	p := newPlant(t)
	p.agent.opts.ConfigFile = filepath.Join(t.TempDir(), "agent.yaml")
	fatal(t, os.WriteFile(p.agent.opts.ConfigFile, []byte("state_dir: "+p.agent.config.StateDir+"\n"), 0o600))
	before := p.relay.live()
	report := p.agent.Examine(t.Context(), false, nil)
	if got := statuses(report); report.Status == check.Failed || got["network.session"] != check.Passed || got["config.identity"] != check.Passed {
		t.Errorf("running: %+v", report)
	}
	if now := p.relay.live(); len(now) != 2 || now[0] != before[0] || now[1] != before[1] {
		t.Error("the diagnosis touched the running sessions")
	}
	p.stop()
	stopped := func() check.Report {
		road := StoredRoad(t.Context(), p.agent.config, p.agent.opts, "the test")
		return check.Run(t.Context(), road.Checks(), check.Options{})
	}
	if got := statuses(stopped()); got["relay.accepted"] != check.Passed || got["network.session"] != check.Passed {
		t.Errorf("stopped: %v", got)
	}
	p.relay.mu.Lock()
	p.relay.refusal = &tunnel.Refused{Code: tunnel.CodeRevoked, Message: "It was removed."}
	p.relay.mu.Unlock()
	report = stopped()
	if got := statuses(report); got["relay.accepted"] != check.Failed || got["network.session"] != check.Skipped || got["network.proof"] != check.Passed {
		t.Errorf("revoked: %v", got)
	}
	fatal(t, os.Remove(filepath.Join(p.agent.config.StateDir, "vault.key")))
	if got := statuses(stopped()); got["relay.accepted"] != check.Skipped || got["network.proof"] != check.Passed {
		t.Errorf("without the key: %v", got)
	}
}
