package support

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"gantry/agent/state"
	"gantry/connectors/wire"
	"gantry/tunnel/check"
	"gantry/tunnel/fault"
)

// bench is a handler over a real state, with a doctor, a bundle and logs that do what a test says.
type bench struct {
	*Handler
	db   *state.DB
	mode atomic.Value

	mu     sync.Mutex
	bundle func(ctx context.Context, w io.Writer) error
}

func newBench(t *testing.T) *bench {
	t.Helper()
	db, err := state.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	b := &bench{db: db}
	b.mode.Store(Ask)
	consent, err := NewConsent(t.Context(), func() Mode { return b.mode.Load().(Mode) }, db)
	if err != nil {
		t.Fatal(err)
	}
	b.Handler = NewHandler(Options{Consent: consent, Doctor: b, Bundle: b, Logs: b, Record: db, Logger: slog.New(slog.DiscardHandler)})
	return b
}

func (b *bench) DiagnoseAgent(_ context.Context, deep bool, tell Tell) check.Report {
	if tell != nil {
		tell(1, 1, check.Result{Check: "host.disk"})
	}
	return check.Report{Program: fmt.Sprint("deep ", deep)}
}

func (b *bench) DiagnoseConnection(_ context.Context, id string, _ Tell) (check.Report, error) {
	if id != "con_1" {
		return check.Report{}, fault.New(fault.NotFound, "no such connection").At(fault.HopAgent)
	}
	return check.Report{Program: id}, nil
}

func (b *bench) WriteBundle(ctx context.Context, w io.Writer) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bundle(ctx, w)
}

func (b *bench) TailLogs(_ context.Context, w io.Writer, lines int, follow bool) error {
	_, err := fmt.Fprintf(w, "%d lines, follow %t\n", lines, follow)
	return err
}

// ask makes a request as the relay does.
func (b *bench) ask(t *testing.T, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set(wire.HeaderRequestID, "req_1")
	r.Header.Set(wire.HeaderActor, "key_1 (help\ndesk), support")
	w := httptest.NewRecorder()
	if !b.Serves(r) {
		t.Fatalf("%s %s is none of the handler's", method, path)
	}
	b.ServeHTTP(w, r)
	return w
}

// TestReportAsItComes asks for the results one by one.
func TestReportAsItComes(t *testing.T) {
	b := newBench(t)
	b.mode.Store(Allow)
	r := httptest.NewRequestWithContext(t.Context(), "POST", wire.PathDiagnose, strings.NewReader(`{"scope":"agent"}`))
	r.Header.Set("Accept", wire.NDJSON)
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	lines := json.NewDecoder(w.Body)
	var step, end check.Line
	if err := errors.Join(lines.Decode(&step), lines.Decode(&end)); err != nil || w.Header().Get("Content-Type") != wire.NDJSON {
		t.Fatalf("%d %v: %v", w.Code, w.Header(), err)
	}
	if step.Step == nil || step.Step.Check != "host.disk" || end.End == nil || end.End.Program != "deep false" {
		t.Errorf("told %+v, then %+v", step, end)
	}
}

func refusal(t *testing.T, w *httptest.ResponseRecorder) *fault.Error {
	t.Helper()
	f, err := fault.Decode(w.Body)
	if err != nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	return f
}

// TestConsent goes through who may do what: the consent, and the one diagnosis that needs none.
func TestConsent(t *testing.T) {
	for _, tt := range []struct {
		mode Mode
		open bool
		want int
	}{{Ask, false, 403}, {Ask, true, 200}, {Allow, false, 200}, {Deny, false, 403}} {
		t.Run(fmt.Sprint(tt.mode, tt.open), func(t *testing.T) {
			b := newBench(t)
			b.mode.Store(tt.mode)
			b.bundle = func(_ context.Context, w io.Writer) error { _, err := io.WriteString(w, "archive"); return err }
			if tt.open {
				if err := b.Consent.Open(t.Context(), time.Hour); err != nil {
					t.Fatal(err)
				}
			}
			for _, run := range [][3]string{
				{"POST", wire.PathDiagnose, `{"scope":"agent"}`}, {"POST", wire.PathBundle, ""}, {"GET", wire.PathLogs + "?lines=7", ""},
			} {
				w := b.ask(t, run[0], run[1], run[2])
				if w.Code != tt.want {
					t.Errorf("%s: %d %s", run[1], w.Code, w.Body)
				}
				if tt.want != 403 {
					continue
				}
				if f := refusal(t, w); f.Code != fault.PolicyDenied || !strings.Contains(f.Advice, "gantry-agent support on") {
					t.Errorf("%s: refused with %s, advice %q", run[1], f.Code, f.Advice)
				}
			}
			if w := b.ask(t, "POST", wire.PathDiagnose, `{"scope":"connection","connection":"con_1"}`); w.Code != 200 {
				t.Errorf("one connection: %d %s", w.Code, w.Body)
			}
		})
	}
}

// TestEveryRunIsKept reads what the plant reads afterwards.
func TestEveryRunIsKept(t *testing.T) {
	b := newBench(t)
	b.ask(t, "POST", wire.PathDiagnose, `{"scope":"connection","connection":"con_1"}`)
	b.ask(t, "POST", wire.PathDiagnose, `{"scope":"connection","connection":"con_2"}`)
	b.ask(t, "POST", wire.PathBundle, "")
	runs, err := b.db.SupportRuns(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range runs {
		got = append(got, strings.Join([]string{r.Action, r.Connection, r.Result, r.Actor, r.RequestID}, "|"))
	}
	const who = "|key_1 (help?desk), support|req_1"
	want := []string{"bundle||POLICY_DENIED" + who, "diagnose|con_2|NOT_FOUND" + who, "diagnose|con_1|OK" + who}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("kept %v, want %v", got, want)
	}
}

// TestConsentLasts survives a restart, and ends by itself.
func TestConsentLasts(t *testing.T) {
	b := newBench(t)
	if err := b.Consent.Open(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	again, err := NewConsent(t.Context(), func() Mode { return Ask }, b.db)
	if err != nil || !again.State().Open {
		t.Errorf("after a restart: %+v, %v", again.State(), err)
	}
	if err := again.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if third, err := NewConsent(t.Context(), func() Mode { return Ask }, b.db); err != nil || third.State().Open {
		t.Errorf("after it was taken back: %v", err)
	}
	for _, span := range []time.Duration{0, -time.Hour, MaxTime + 1} {
		if err := again.Open(t.Context(), span); !fault.Is(err, fault.InvalidRequest) {
			t.Errorf("for %s: %v", span, err)
		}
	}
	b.mode.Store(Deny)
	if err := b.Consent.Open(t.Context(), time.Hour); !fault.Is(err, fault.PolicyDenied) {
		t.Errorf("against the configuration: %v", err)
	}
}

// memory is a consent's memory without a disk.
type memory struct{ until time.Time }

func (m *memory) SupportUntil(context.Context) (time.Time, error) { return m.until, nil }

func (m *memory) SetSupportUntil(_ context.Context, until time.Time) error {
	m.until = until
	return nil
}

// TestRunsEndWithTheConsent takes it back, lets it pass, and has a reload forbid it, each under a run.
func TestRunsEndWithTheConsent(t *testing.T) {
	ends := map[string]func(*Consent, *Mode){
		"its time passes": func(*Consent, *Mode) { time.Sleep(time.Hour) },
		"taken back":      func(c *Consent, _ *Mode) { _ = c.Close(context.Background()) },
		"a reload":        func(c *Consent, m *Mode) { *m = Deny; c.Review() },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mode := Ask
				c, _ := NewConsent(t.Context(), func() Mode { return mode }, &memory{})
				if err := c.Open(t.Context(), time.Hour); err != nil {
					t.Fatal(err)
				}
				ctx, release, err := c.Admit(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer release()
				time.Sleep(59 * time.Minute)
				synctest.Wait()
				if ctx.Err() != nil {
					t.Fatalf("it ended early: %v", context.Cause(ctx))
				}
				end(c, &mode)
				synctest.Wait()
				if !fault.Is(context.Cause(ctx), fault.PolicyDenied) {
					t.Errorf("it ended with %v", context.Cause(ctx))
				}
				if _, _, err := c.Admit(t.Context()); !fault.Is(err, fault.PolicyDenied) {
					t.Errorf("another run: %v", err)
				}
			})
		})
	}
}

// TestABundleIsWholeOrNone fails before and after the first byte.
func TestABundleIsWholeOrNone(t *testing.T) {
	b := newBench(t)
	b.mode.Store(Allow)
	b.bundle = func(context.Context, io.Writer) error { return errors.New("a secret was found") }
	if w := b.ask(t, "POST", wire.PathBundle, ""); w.Code != 500 || refusal(t, w).Hop != fault.HopAgent {
		t.Errorf("before the first byte: %d", w.Code)
	}
	b.bundle = func(_ context.Context, w io.Writer) error {
		_, _ = io.WriteString(w, "half")
		return errors.New("the disk is gone")
	}
	defer func() {
		if reason := recover(); reason != http.ErrAbortHandler {
			t.Errorf("a cut answer ends with %v", reason)
		}
	}()
	b.ask(t, "POST", wire.PathBundle, "")
}

// TestPace counts runs that come too often, and those that meet one under way.
func TestPace(t *testing.T) {
	b := newBench(t)
	b.mode.Store(Allow)
	codes := map[int]int{}
	for range 6 {
		codes[b.ask(t, "POST", wire.PathDiagnose, `{"scope":"agent"}`).Code]++
		codes[b.ask(t, "POST", wire.PathDiagnose, `{"scope":"connection","connection":"con_1"}`).Code]++
	}
	if codes[200] != 6 || codes[429] != 6 {
		t.Errorf("answers %v, want three of each and then 429", codes)
	}
	if w := b.ask(t, "POST", wire.PathDiagnose, `{"scope":"connection","connection":"con_9"}`); w.Code != 404 {
		t.Errorf("another connection has a pace of its own: %d", w.Code)
	}
	p := newPace(time.Hour, 2, 1)
	leave, err := p.enter()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.enter(); !fault.Is(err, fault.Overloaded) {
		t.Errorf("a second at once: %v", err)
	}
	leave()
	if _, err := p.enter(); err != nil {
		t.Errorf("after the first: %v", err)
	}
}
