package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"gantry/agent/bundle"
	"gantry/agent/control"
	"gantry/agent/doctor"
	"gantry/agent/journal"
	"gantry/configs"
	"gantry/configs/cli/clitest"
	"gantry/connectors/demoplant"
	"gantry/connectors/wire"
	"gantry/tunnel/check"
	"gantry/tunnel/fault"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"gantry-agent": func() { clitest.Main(Main, commandTree(), documents) }})
}

// TestScripts runs the command line as people do: testdata/script has one file for each command.
func TestScripts(t *testing.T) {
	seen, everyDocument := clitest.Watch(t)
	t.Run("scripts", func(t *testing.T) { runScripts(t, seen) })
	if flag.Lookup("test.run").Value.String() == "" {
		everyDocument(documents)
	}
}

func runScripts(t *testing.T, seen string) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv(clitest.SeenVariable, seen)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":      exits,
			"eventually": eventually,
			"service":    service,
			"relay":      fakeRelay,
			"plant":      demoPlant,
		},
		RequireExplicitExec: true,
	})
}

// exits runs a command and checks its exit code: `exits 78 gantry-agent run`. Its output can be looked at afterwards.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%v exits %d, want %d", args[1:], got, want)
	}
}

// demoPlant makes the demo's database in a new folder, with a login for it and a configuration that allows it: `plant FOLDER`.
func demoPlant(ts *testscript.TestScript, _ bool, args []string) {
	folder := ts.MkAbs(args[0])
	file := filepath.Join(folder, "plant.db")
	ts.Check(os.Mkdir(folder, 0o700))
	ts.Check(demoplant.Create(context.Background(), file))
	ts.Check(os.WriteFile(filepath.Join(folder, "login.yaml"), []byte("path: "+file+"\n"), 0o600))
	ts.Check(os.WriteFile(filepath.Join(folder, "agent.yaml"), []byte("state_dir: "+ts.MkAbs("agent-state")+"\npolicy:\n  paths: ["+file+"]\n"), 0o600))
}

// service is a running agent as far as the command line sees one: `service STATE-DIR STATE`. It reloads FILE from
// `service STATE-DIR STATE FILE`.
func service(ts *testscript.TestScript, _ bool, args []string) {
	source := &fakeService{state: control.State(args[1])}
	if len(args) > 2 {
		source.file = ts.MkAbs(args[2])
	}
	dir := ts.MkAbs(args[0])
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- control.Serve(ctx, dir, source, slog.New(slog.DiscardHandler)) }()
	ts.Defer(func() {
		cancel()
		ts.Check(<-done)
	})
	for range 500 {
		if _, err := control.NewClient(dir).Status(ctx); err == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("the service does not answer")
}

// fakeService is the agent behind the control channel.
type fakeService struct {
	state control.State
	file  string
}

func (f *fakeService) Status(ctx context.Context) (control.Status, error) {
	now := time.Now()
	s := control.Status{
		State: f.state, Version: "1.2.3", StartedAt: now.Add(-3*time.Hour - time.Minute), StateDir: "/var/lib/gantry-agent", ConfigFile: "/etc/gantry-agent/agent.yaml",
		Identity: &control.Identity{Agent: "agt_7", Site: "site_3", CertificateExpiresAt: time.Date(2099, 1, 2, 0, 0, 0, 0, time.UTC), SealingKey: "ab12 cd34"},
		Relay:    control.Relay{URL: "wss://relay.example.com", Proxy: "proxy:3128", ProxyOrigin: "configuration"},
		Sessions: []control.Session{
			{Lane: "calls", State: "connected", Since: now.Add(-90*time.Minute - time.Second), RoundTripMS: 21.3},
			{Lane: "bulk", State: "waiting", NextTryAt: now.Add(90*time.Second + 500*time.Millisecond), LastError: "connection refused"},
		},
		Policy: control.Policy{Targets: 2, Paths: 1, Writes: true},
	}
	if f.state == control.Connecting {
		s.UnresolvedWrites = 2
	}
	if f.state == control.Refused {
		s.Sessions = []control.Session{{Lane: "calls", State: "refused", Refusal: "revoked", LastError: "This agent was revoked."}}
	}
	s.Connections, _ = f.Connections(ctx)
	return s, nil
}

func (f *fakeService) Connections(context.Context) ([]control.Connection, error) {
	return []control.Connection{
		{ID: "con_1", Name: "erp", System: "demo-plant", State: "open"},
		{ID: "con_2", Name: "wms", System: "adventureworks", State: "failing", LastError: "CREDENTIALS_EXPIRED"},
		{ID: "con_3", Name: "mes", System: "press", State: "failing", LastError: "SYSTEM_UNREACHABLE", Circuit: "open", Held: "circuit", HeldUntil: time.Now().Add(5*time.Minute + 30*time.Second)},
		{ID: "con_4", Name: "lab", System: "press", State: "open", Operations: []control.Operation{
			{Entity: "items", Operation: "list", State: "denied", LastError: "PERMISSION_DENIED"}, {Entity: "vendors", Operation: "get", State: "failing", LastError: "SYSTEM_TIMEOUT"},
		}},
	}, nil
}

func (f *fakeService) Discover(ctx context.Context, idOrName, entity string) (control.Discovered, error) {
	c, err := f.ResetCircuits(ctx, idOrName)
	return control.Discovered{Connection: c.ID, System: c.System, Entities: map[string]wire.DiscoveredEntity{
		"items": {OverlayCapability: wire.OverlayCapability{Verdict: wire.Verdict{Allowed: true}, Writable: []string{"update"}}, Records: 20, Columns: []wire.DiscoveredColumn{
			{Name: "Shelf Life", NativeType: "INTEGER", Native: "integer", Types: []string{"integer", "decimal"}, Title: "Days on the shelf", Filled: 7},
			{Name: "GATE", NativeType: "TEXT", Native: "string", Types: []string{"string"}, ReadOnly: true, CustomField: "gate"},
			{Name: "PHOTO", NativeType: "BLOB", Filled: 20},
		}},
		"vendors": {OverlayCapability: wire.OverlayCapability{Verdict: wire.Verdict{DeniedBy: wire.ByDefinition, Reason: "An overlay has no place here."}}, Columns: []wire.DiscoveredColumn{}},
	}}, err
}

func (f *fakeService) ResetCircuits(ctx context.Context, idOrName string) (control.Connection, error) {
	all, err := f.Connections(ctx)
	for _, c := range all {
		if c.ID == idOrName || c.Name == idOrName {
			c.Circuit, c.Held, c.HeldUntil = "", "", time.Time{}
			return c, err
		}
	}
	return control.Connection{}, fault.New(fault.NotFound, "The agent holds no connection %q.", idOrName).Advise("See: gantry-agent connections list")
}

func (f *fakeService) Writes(context.Context) ([]control.Write, error) {
	return []control.Write{{ID: "wrt_1", Connection: "con_1", Entity: "purchase-orders", Operation: "approve", RecordID: "7", Key: "k-1", Since: time.Date(2026, 3, 1, 6, 30, 0, 0, time.UTC)}}, nil
}

func (f *fakeService) ResolveWrite(_ context.Context, id string, _ bool) (control.Write, error) {
	if id != "wrt_1" {
		return control.Write{}, journal.ErrNoWrite
	}
	return control.Write{ID: id, Entity: "purchase-orders", Operation: "approve", RecordID: "7"}, nil
}

func (f *fakeService) Enrol(context.Context, string, bool) (control.Enrolled, error) {
	return control.Enrolled{}, control.ErrEnrolled
}

func (f *fakeService) CheckConnections(_ context.Context, idOrName string) (check.Report, error) {
	if idOrName == "none" {
		return check.Report{}, fault.New(fault.NotFound, "The agent holds no connection.").Advise("See: gantry-agent connections list")
	}
	failed := func(context.Context) check.Outcome {
		return check.Fail("CON-LOCKED", "the account is locked").With("user", "gantry")
	}
	return check.Run(context.Background(), []check.Check{{Name: "connections.con_1.login", Title: "erp: Login", Run: failed}}, check.Options{Program: "gantry-agent"}), nil
}

func (f *fakeService) Support(context.Context) (control.Support, error) {
	return control.Support{Schema: control.Schema, Mode: "ask", Runs: []control.SupportRun{{Action: "diagnose", Actor: "key_1 (helpdesk), support", Result: "POLICY_DENIED"}}}, nil
}

func (f *fakeService) LetSupportIn(_ context.Context, span time.Duration) (control.Support, error) {
	return control.Support{Schema: control.Schema, Mode: "ask", Open: span > 0, Until: time.Now().Add(span + time.Minute), Runs: []control.SupportRun{}}, nil
}

func (f *fakeService) Unenrol(context.Context) error { return nil }

func (f *fakeService) Bundle(ctx context.Context, w io.Writer, asked control.BundleRequest) error {
	var c bundle.Contents
	if err := json.Unmarshal(asked.Contents, &c); err != nil {
		return err
	}
	status, _ := f.Status(ctx)
	c.Status = &status
	return bundle.Write(ctx, w, c, bundle.Options{Version: "1.2.3", By: "service", Anonymize: asked.Anonymize})
}

func (f *fakeService) Diagnose(context.Context, bool) (check.Report, error) {
	road := doctor.Road{NoRelay: "the fake service looked"}
	return check.Run(context.Background(), road.Checks(), check.Options{}), nil
}

func (f *fakeService) Reload(context.Context) (control.Reloaded, error) {
	if f.file == "" {
		return control.Reloaded{}, errors.New("no file")
	}
	_, err := configs.LoadAgent(f.file)
	return control.Reloaded{Applied: err == nil}, err
}
