package doctor_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"gantry/agent/control"
	"gantry/agent/doctor"
	"gantry/agent/state"
	"gantry/agent/vault"
	"gantry/tunnel/check"
	"gantry/tunnel/pki"
)

// home is a machine with an agent that is set up and well.
type home struct {
	doctor.Machine
	folder string
	t      *testing.T
}

// newHome enrols an agent with a certificate of the given age and life.
func newHome(t *testing.T, age, life time.Duration) *home {
	t.Helper()
	folder := t.TempDir()
	h := &home{folder: folder, t: t, Machine: doctor.Machine{
		Version: "1.2.3", Executable: filepath.Join(folder, "gantry-agent"), ConfigFile: filepath.Join(folder, "etc", "agent.yaml"), ConfigSet: true,
		StateDir: filepath.Join(folder, "state"), MachineID: "mac_1",
	}}
	h.Machine.Running = func(context.Context) (control.Status, error) { return control.Status{}, control.ErrNotRunning }
	h.Service = func(context.Context) (doctor.Service, error) {
		return doctor.Service{Manager: "systemd", Installed: true, Enabled: true, Running: true, Phase: "active", Account: "nobody-of-this-machine", Binary: h.Executable, Unit: "/etc/systemd/system/gantry-agent.service"}, nil
	}
	must(t, os.Mkdir(filepath.Dir(h.ConfigFile), 0o755), os.Mkdir(h.StateDir, 0o700))
	h.write(h.ConfigFile, "sessions: 3\n", 0o644)
	h.write(h.Executable, "#!/bin/sh\n", 0o755)
	h.enrol(age, life)
	return h
}

func must(t *testing.T, all ...error) {
	t.Helper()
	if err := errors.Join(all...); err != nil {
		t.Fatal(err)
	}
}

func (h *home) write(path, content string, mode os.FileMode) {
	h.t.Helper()
	must(h.t, os.WriteFile(path, []byte(content), mode), os.Chmod(path, mode))
}

func (h *home) enrol(age, life time.Duration) {
	h.t.Helper()
	v, err := vault.Open(h.StateDir)
	must(h.t, err)
	db, err := state.Open(h.t.Context(), h.StateDir)
	must(h.t, err)
	certificate := shown(h.t, "relay", -age, life-age)
	must(h.t, db.SetIdentity(h.t.Context(), state.Identity{Agent: "agt_1", Site: "sit_1", Relay: "wss://relay.example.com", Certificate: certificate.Certificate[0],
		Vault: v.ID(), EnrolledAt: time.Now(), CA: []byte("x"), TLSKeyBox: []byte("x"), SealingKeyBox: []byte("x"), CursorKeyBox: []byte("x")}))
	_, err = db.NoteMachine(h.t.Context(), "mac_1")
	must(h.t, err, db.Close())
}

func (h *home) diagnose() check.Report {
	h.t.Helper()
	report := check.Run(h.t.Context(), h.Checks(), check.Options{Program: "gantry-agent"})
	for _, r := range report.Results {
		if strings.Contains(r.Cause+r.Fix, "{") {
			h.t.Errorf("%s: a place was not filled: %s %s", r.ID, r.Cause, r.Fix)
		}
	}
	return report
}

func (h *home) service(change func(*doctor.Service)) {
	usual := h.Service
	h.Service = func(ctx context.Context) (doctor.Service, error) {
		s, err := usual(ctx)
		change(&s)
		return s, err
	}
}

func (h *home) runs(s control.Status, err error) {
	h.Machine.Running = func(context.Context) (control.Status, error) { return s, err }
}

func (h *home) in(name string) string { return filepath.Join(h.StateDir, name) }

const day = 24 * time.Hour

func TestAMachineThatIsWell(t *testing.T) {
	h := newHome(t, 10*day, 90*day)
	h.runs(control.Status{Version: "1.2.3", State: control.Connected, ConfigFile: h.ConfigFile, Policy: control.Policy{LoadedAt: time.Now().Add(time.Hour)}}, nil)
	report := h.diagnose()
	if report.Status != check.Passed || report.Count(check.Skipped) > 0 {
		t.Errorf("%+v", report)
	}
	for _, r := range report.Results {
		if r.Check == "config.file" && !strings.Contains(strings.Join(r.Evidence, "\n"), "sessions = 3 (line 1)") {
			t.Errorf("the values are not told: %q", r.Evidence)
		}
	}
}

func TestWhatIsWrongWithAMachine(t *testing.T) {
	for _, tt := range []struct {
		id     string
		breaks func(h *home)
		says   string
	}{
		{"HOST-NOT-INSTALLED", func(h *home) { h.service(func(s *doctor.Service) { *s = doctor.Service{Manager: "systemd"} }) }, "install"},
		{"HOST-STOPPED", func(h *home) { h.service(func(s *doctor.Service) { s.Running, s.Phase = false, "inactive" }) }, "inactive"},
		{"HOST-FAILED", func(h *home) {
			h.service(func(s *doctor.Service) { s.Running, s.Phase, s.LastExit = false, "failed", "exit code 78" })
		}, "exit code 78"},
		{"HOST-RESTARTS", func(h *home) { h.service(func(s *doctor.Service) { s.Restarts = 7 }) }, "7 times"},
		{"HOST-NOT-ENABLED", func(h *home) { h.service(func(s *doctor.Service) { s.Enabled = false }) }, "not enabled"},
		{"HOST-ACCOUNT", func(h *home) { h.service(func(s *doctor.Service) { s.Account = "root" }); h.chown() }, "as root"},
		{"HOST-OTHER-PROGRAM", func(h *home) {
			h.write(h.folder+"/other", "#!", 0o755)
			used := h.Executable
			h.service(func(s *doctor.Service) { s.Binary = used })
			h.Executable = h.folder + "/other"
		}, "/other"},
		{"HOST-NO-PROGRAM", func(h *home) { must(h.t, os.Remove(h.Executable)) }, "gantry-agent"},
		{"HOST-OLD-PROCESS", func(h *home) { h.runs(control.Status{Version: "1.0.0"}, nil) }, "1.0.0"},
		{"HOST-SILENT", func(h *home) { h.runs(control.Status{}, context.DeadlineExceeded) }, "no answer"},
		{"HOST-MODES", func(h *home) { must(h.t, os.Chmod(h.in("vault.key"), 0o600), os.Chmod(h.in(state.File), 0o644)) }, "chmod go-rwx " + "{state}/agent.db"},
		{"HOST-DATABASE", func(h *home) { h.write(h.in(state.File), strings.Repeat("no database at all ", 20), 0o600) }, "relink"},
		{"HOST-LEFTOVERS", func(h *home) {
			h.write(h.folder+"/gantry-agent.1.new", "", 0o600)
			old := time.Now().Add(-2 * time.Hour)
			must(h.t, os.Chtimes(h.folder+"/gantry-agent.1.new", old, old))
		}, "gantry-agent.1.new"},
		{"CFG-INVALID", func(h *home) { h.write(h.ConfigFile, "sessons: 3\nlog: {level: loud}\n", 0o644) }, "agent.yaml:1:1: sessons"},
		{"CFG-NOT-LOADED", func(h *home) {
			h.runs(control.Status{Version: "1.2.3", ConfigFile: h.ConfigFile, Policy: control.Policy{LoadedAt: time.Now().Add(-time.Hour)}}, nil)
		}, "changed"},
		{"CFG-FILES", func(h *home) { h.write(h.ConfigFile, "ca_file: nowhere.pem\n", 0o644) }, "ca_file: open"},
		{"CFG-FILES", func(h *home) {
			h.write(h.ConfigFile, "ca_file: ca.pem\n", 0o644)
			h.write(filepath.Dir(h.ConfigFile)+"/ca.pem", "no PEM", 0o644)
		}, "no certificate"},
		{"CFG-NOT-ENROLLED", func(h *home) {
			must(h.t, os.Remove(h.in(state.File)), os.Remove(h.in("vault.key")))
		}, "no identity"},
		{"CFG-VAULT", func(h *home) { must(h.t, os.Remove(h.in("vault.key"))) }, "vault.key"},
		{"CFG-VAULT", func(h *home) { h.write(h.in("vault.key"), strings.Repeat("k", 32), 0o600) }, "was written with"},
		{"CFG-CERTIFICATE-LATE", func(h *home) { h.enrol(80*day, 90*day) }, "in 9 days"},
		{"CFG-CERTIFICATE-ENDED", func(h *home) { h.enrol(100*day, 90*day) }, "ended"},
		{"CFG-CERTIFICATE-DEAD", func(h *home) { h.enrol(91*day+pki.Grace, 90*day) }, "ended"},
		{"CFG-CLONED", func(h *home) { h.MachineID = "mac_2" }, "mac_1"},
		{"CFG-TOKEN", func(h *home) { h.write(filepath.Dir(h.ConfigFile)+"/my token.txt", "get_AAAA\n", 0o600) }, "rm '"},
	} {
		t.Run(tt.id, func(t *testing.T) {
			if runtime.GOOS == "windows" && tt.id == "HOST-MODES" {
				t.Skip("Windows has no modes")
			}
			h := newHome(t, 10*day, 90*day)
			tt.breaks(h)
			got := one(t, h.diagnose())
			says := strings.ReplaceAll(tt.says, "{state}", h.StateDir)
			if all := got.Cause + "\n" + got.Fix + "\n" + strings.Join(got.Evidence, "\n"); got.ID != tt.id || !strings.Contains(all, says) {
				t.Errorf("want %s with %q: %+v", tt.id, says, got)
			}
		})
	}
}

// chown gives the state to the service's account, where the test may: only root's files are root's.
func (h *home) chown() {
	if os.Geteuid() != 0 {
		h.t.Skip("the state belongs to whoever runs the test")
	}
}

// TestLookingChangesNothing: the doctor may run as root beside a service with an account of its own.
func TestLookingChangesNothing(t *testing.T) {
	h := newHome(t, 10*day, 90*day)
	before := listing(t, h.folder)
	h.diagnose()
	if after := listing(t, h.folder); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	empty := t.TempDir()
	h.StateDir = filepath.Join(empty, "none")
	h.diagnose()
	if after := listing(t, empty); after != "" {
		t.Errorf("looking at nothing made\n%s", after)
	}
}

func listing(t *testing.T, folder string) string {
	t.Helper()
	var b strings.Builder
	must(t, filepath.Walk(folder, func(path string, info os.FileInfo, err error) error {
		if err == nil && path != folder {
			b.WriteString(path + " " + info.Mode().String() + "\n")
		}
		return err
	}))
	return b.String()
}
