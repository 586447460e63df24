//go:build linux

package installer

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestUnitsAreHardened has systemd judge the units: 1.5 of 10 points of exposure at most.
func TestUnitsAreHardened(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not here")
	}
	if out, err := exec.Command(analyze, "security", "--help").CombinedOutput(); err != nil || !strings.Contains(string(out), "--threshold") {
		t.Skip("this systemd-analyze does not judge offline")
	}
	for name, text := range map[string]string{
		"gantry-agent": AgentUnit, "gantry-relay": RelayUnit, "installed": unitFor("/usr/local/bin/gantry-agent"),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name+".service")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(analyze, "security", "--offline=true", "--threshold=15", "--no-pager", path).CombinedOutput()
			lines := strings.Split(strings.TrimSpace(string(out)), "\n")
			t.Log(lines[len(lines)-1])
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestTheInstalledUnitStartsTheCopy reads the unit that `install` writes.
func TestTheInstalledUnitStartsTheCopy(t *testing.T) {
	unit := unitFor("/usr/local/bin/gantry-agent")
	for _, want := range []string{marker, "\nExecStart=/usr/local/bin/gantry-agent service\n", "\nExecReload=/usr/local/bin/gantry-agent reload\n", "\nStartLimitIntervalSec=0\n", "\nRestart=always\n"} {
		if !strings.Contains(unit, want) {
			t.Errorf("%q is not in it", want)
		}
	}
	if strings.Contains(unit, "/usr/bin/gantry-agent") {
		t.Error("it starts the package's program")
	}
}

func TestParseState(t *testing.T) {
	boot := time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name, text string
		want       State
	}{
		{"running", `Result=success
NRestarts=2
ExecMainCode=0
ExecMainStatus=0
StatusText=Connected to https://relay.example, 2 of 2 sessions
MainPID=126
User=gantry-agent
ExecStart={ path=/usr/bin/gantry-agent ; argv[]=/usr/bin/gantry-agent service ; ignore_errors=no }
LoadState=loaded
ActiveState=active
FragmentPath=/lib/systemd/system/gantry-agent.service
UnitFileState=enabled
StateChangeTimestampMonotonic=90000000
`, State{
			Manager: "systemd", Installed: true, Enabled: true, Running: true, Phase: "active", Since: boot.Add(90 * time.Second), PID: 126, Restarts: 2,
			Account: "gantry-agent", Binary: "/usr/bin/gantry-agent", Unit: "/lib/systemd/system/gantry-agent.service",
			Sentence: "Connected to https://relay.example, 2 of 2 sessions",
		}},
		{"killed", "LoadState=loaded\nActiveState=activating\nResult=signal\nExecMainCode=2\nExecMainStatus=9\nUser=gantry-agent\nMainPID=0\n",
			State{Manager: "systemd", Installed: true, Phase: "activating", Account: "gantry-agent", LastExit: "signal, signal 9"}},
		{"failed", "LoadState=loaded\nActiveState=failed\nResult=exit-code\nExecMainCode=1\nExecMainStatus=203\n",
			State{Manager: "systemd", Installed: true, Phase: "failed", Account: "root", LastExit: "exit-code, exit code 203"}},
		{"none", "LoadState=not-found\nActiveState=inactive\nUnitFileState=\n", State{Manager: "systemd", Phase: "inactive"}},
		{"nonsense", "what\n", State{Manager: "systemd"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, parseState(tt.text, boot)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestAnotherInitIsClearedAway removes what a service left on a machine whose systemd does not run.
func TestAnotherInitIsClearedAway(t *testing.T) {
	dir := t.TempDir()
	spec := AgentSpec()
	spec.Layout.Unit = filepath.Join(dir, "gantry-agent.service")
	link := filepath.Join(dir, "multi-user.target.wants", "gantry-agent.service")
	for _, err := range []error{
		os.WriteFile(spec.Layout.Unit, []byte(unitFor("/usr/local/bin/gantry-agent")), 0o600),
		os.Mkdir(filepath.Dir(link), 0o700), os.Symlink(spec.Layout.Unit, link),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	service := absent{spec}
	if s, err := service.State(t.Context()); err != nil || !s.Installed || s.Packaged || s.Unit != spec.Layout.Unit {
		t.Errorf("got %+v, %v", s, err)
	}
	if err := service.Uninstall(t.Context()); err != nil {
		t.Error(err)
	}
	for _, path := range []string{spec.Layout.Unit, link} {
		if _, err := os.Lstat(path); err == nil {
			t.Errorf("%s is left", path)
		}
	}
}
