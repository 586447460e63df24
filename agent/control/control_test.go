package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gantry/configs"
	"gantry/tunnel"
	"gantry/tunnel/check"
	"gantry/tunnel/enrol"
	"gantry/tunnel/fault"
)

// fake is an agent that answers what it is told to.
type fake struct {
	status Status
	err    error
}

func (f *fake) Status(context.Context) (Status, error) { return f.status, f.err }

func (f *fake) Connections(context.Context) ([]Connection, error) {
	return f.status.Connections, f.err
}

func (f *fake) Writes(context.Context) ([]Write, error) { return []Write{{ID: "wrt_1"}}, f.err }

func (f *fake) ResolveWrite(_ context.Context, id string, happened bool) (Write, error) {
	if !happened {
		return Write{}, errors.New("no such write")
	}
	return Write{ID: id}, f.err
}

func (f *fake) Diagnose(_ context.Context, deep bool) (check.Report, error) {
	return check.Report{Schema: check.Schema, Status: map[bool]check.Status{true: check.Warned, false: check.Passed}[deep]}, f.err
}

func (f *fake) CheckConnections(_ context.Context, idOrName string) (check.Report, error) {
	if idOrName == "none" {
		return check.Report{}, fault.New(fault.NotFound, "There is no such connection.").Advise("See the list.")
	}
	return check.Report{Program: idOrName}, f.err
}

func (f *fake) Discover(_ context.Context, idOrName, entity string) (Discovered, error) {
	return Discovered{Connection: idOrName, System: entity}, f.err
}

func (f *fake) ResetCircuits(_ context.Context, idOrName string) (Connection, error) {
	return Connection{ID: "con_1", Name: idOrName}, f.err
}

func (f *fake) Support(context.Context) (Support, error) { return Support{Mode: "ask"}, f.err }

func (f *fake) LetSupportIn(_ context.Context, span time.Duration) (Support, error) {
	return Support{Mode: "ask", Open: span == time.Hour}, f.err
}

func (f *fake) Bundle(_ context.Context, w io.Writer, asked BundleRequest) error {
	if f.err == nil {
		_, _ = w.Write(asked.Contents)
	}
	return f.err
}

func (f *fake) Reload(context.Context) (Reloaded, error) { return Reloaded{Applied: true}, f.err }

func (f *fake) Enrol(_ context.Context, token string, force bool) (Enrolled, error) {
	return Enrolled{Agent: token, Site: strconv.FormatBool(force)}, f.err
}

func (f *fake) Unenrol(context.Context) error { return f.err }

// folder is a short one: a socket's path has room for about a hundred bytes.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ctl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// serving runs Serve until the test ends, and waits for the socket.
func serving(t *testing.T, dir string, source Source) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, dir, source, slog.New(slog.DiscardHandler)) }()
	for range 500 {
		if answers(t, dir) {
			return func() {
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the channel did not open")
	return nil
}

// answers reports whether an agent answers soon. Wine lets a pipe's first caller wait for ever.
func answers(t *testing.T, dir string) bool {
	_, err := soon(t, NewClient(dir))
	return err == nil || !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, ErrNotRunning)
}

func soon(t *testing.T, c *Client) (Status, error) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	return c.Status(ctx)
}

func TestAskTheRunningAgent(t *testing.T) {
	dir := folder(t)
	want := Status{
		Schema: Schema, State: Degraded, Version: "1", StartedAt: time.Unix(1700000000, 0).UTC(), Identity: &Identity{Agent: "agt_1"},
		Sessions: []Session{{Lane: "calls", State: "connected", RoundTripMS: 1.5}}, Connections: []Connection{{ID: "con_1", Name: "erp"}},
	}
	source := &fake{status: want}
	serving(t, folder(t), source)() // go-winio keeps one goroutine from its first pipe on
	before := runtime.NumGoroutine()
	stop := serving(t, dir, source)
	client := NewClient(dir)

	got, err := client.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	if all, err := client.Connections(t.Context()); err != nil || cmp.Diff(want.Connections, all) != "" {
		t.Errorf("connections: %v, %v", all, err)
	}
	if all, err := client.Writes(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("writes: %v, %v", all, err)
	}
	if c, err := client.ResetCircuits(t.Context(), "a b"); err != nil || c.Name != "a b" {
		t.Errorf("reset: %+v, %v", c, err)
	}
	if w, err := client.ResolveWrite(t.Context(), "a/b", true); err != nil || w.ID != "a/b" {
		t.Errorf("resolve: %v, %v", w, err)
	}
	if _, err := client.ResolveWrite(t.Context(), "x", false); err == nil || !strings.Contains(err.Error(), "no such write") {
		t.Errorf("resolve: %v", err)
	}
	if archive, err := client.Bundle(t.Context(), BundleRequest{Contents: []byte(`{"a":1}`)}); err != nil || string(archive) != `{"a":1}` {
		t.Errorf("bundle: %s, %v", archive, err)
	}
	if report, err := client.Diagnose(t.Context(), true); err != nil || report.Status != check.Warned {
		t.Errorf("diagnose: %v, %v", report, err)
	}
	if reloaded, err := client.Reload(t.Context()); err != nil || !reloaded.Applied {
		t.Errorf("reload: %v, %v", reloaded, err)
	}
	if enrolled, err := client.Enrol(t.Context(), "get_1", true); err != nil || enrolled.Agent != "get_1" || enrolled.Site != "true" {
		t.Errorf("enrol: %v, %v", enrolled, err)
	}
	if err := client.Unenrol(t.Context()); err != nil {
		t.Errorf("unenrol: %v", err)
	}

	stop()
	if _, err := client.Status(t.Context()); !errors.Is(err, ErrNotRunning) {
		t.Errorf("after the end: %v, want ErrNotRunning", err)
	}
	for range 200 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

func TestAFaultyConfigurationIsToldWithItsProblems(t *testing.T) {
	dir := folder(t)
	problems := &configs.Problems{List: []configs.Problem{{File: "agent.yaml", Line: 3, Column: 1, Path: "polcy", What: "unknown key"}}}
	defer serving(t, dir, &fake{err: problems})()
	_, err := NewClient(dir).Reload(t.Context())
	got, ok := errors.AsType[*configs.Problems](err)
	if !ok || cmp.Diff(problems, got) != "" {
		t.Errorf("got %v", err)
	}
}

// TestErrorsArriveAsTheyWere asks an agent that fails in each way that the command line tells apart.
func TestErrorsArriveAsTheyWere(t *testing.T) {
	dir := folder(t)
	source := &fake{}
	defer serving(t, dir, source)()
	for name, err := range map[string]error{
		"enrolled":    fmt.Errorf("%w, as agt_1", ErrEnrolled),
		"cut":         enrol.ErrCut,
		"refused":     &tunnel.Refused{Code: "revoked", Message: "This agent was revoked.", Permanent: true},
		"unreachable": &tunnel.DialError{Stage: tunnel.StageProxy, Address: "proxy:3128", Proxy: true, Status: 407, Schemes: []string{"NTLM"}, Err: errors.New("no")},
		"fault":       fault.New(fault.AuthenticationFailed, "This token was used already.").Advise("Ask for a new one."),
		"other":       errors.New("disk full"),
	} {
		t.Run(name, func(t *testing.T) {
			source.err = err
			_, got := NewClient(dir).Enrol(t.Context(), "get_1", false)
			if diff := cmp.Diff(refuse(err), refuse(got)); diff != "" && name != "other" {
				t.Errorf("(-sent +arrived):\n%s", diff)
			}
			if got == nil || !strings.Contains(got.Error(), err.Error()) {
				t.Errorf("got %v, want %v", got, err)
			}
		})
	}
}

func TestEverybodyMayAskForTheStatusAlone(t *testing.T) {
	dir := folder(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- ServeStatus(ctx, dir, &fake{status: Status{State: Connected}}, slog.New(slog.DiscardHandler))
	}()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	client := NewStatusClient(dir)
	var s Status
	for range 500 {
		var err error
		if s, err = soon(t, client); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if s.State != Connected {
		t.Errorf("got %v", s)
	}
	if _, err := client.Reload(t.Context()); err == nil {
		t.Error("everybody may reload")
	}
	if _, err := client.Enrol(t.Context(), "get_1", true); err == nil {
		t.Error("everybody may enrol")
	}
}

// TestSupportAndChecks asks for what people on the host do about support, and for a look at connections.
func TestSupportAndChecks(t *testing.T) {
	dir := folder(t)
	defer serving(t, dir, &fake{})()
	client := NewClient(dir)
	if s, err := client.LetSupportIn(t.Context(), time.Hour); err != nil || !s.Open {
		t.Errorf("let in: %+v, %v", s, err)
	}
	if s, err := client.Support(t.Context()); err != nil || s.Mode != "ask" {
		t.Errorf("support: %+v, %v", s, err)
	}
	if found, err := client.Discover(t.Context(), "erp & more", "items"); err != nil || found.Connection != "erp & more" || found.System != "items" {
		t.Errorf("%+v %v", found, err)
	}
	if r, err := client.CheckConnections(t.Context(), "erp & more"); err != nil || r.Program != "erp & more" {
		t.Errorf("checked: %+v, %v", r, err)
	}
	_, err := client.CheckConnections(t.Context(), "none")
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != fault.NotFound || f.Advice != "See the list." {
		t.Errorf("a fault arrives as %v", err)
	}
}
