package agent

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"gantry/agent/control"
	"gantry/agent/state"
	"gantry/configs"
	"gantry/connectors/definition"
	"gantry/connectors/wire"
	"gantry/tunnel"
	"gantry/tunnel/enrol"
	"gantry/tunnel/fault"
	"gantry/tunnel/pki"
)

// relay is the least relay that an agent can talk to, over a real tunnel on loopback.
type relay struct {
	t         *testing.T
	authority *pki.Authority
	acceptor  *tunnel.Acceptor
	server    *httptest.Server
	secret    []byte
	life      time.Duration // of the certificates that it signs

	mu       sync.Mutex
	used     bool
	refusal  *tunnel.Refused
	sessions []*tunnel.Session
	drains   int
}

func newRelay(t *testing.T) *relay {
	t.Helper()
	authority, err := pki.NewAuthority()
	fatal(t, err)
	r := &relay{t: t, authority: authority, secret: make([]byte, enrol.SecretSize), life: time.Hour}
	_, _ = rand.Read(r.secret)
	r.acceptor = &tunnel.Acceptor{
		Authority: authority, Enrol: enrol.Handler(r.enrol), Logger: slog.New(slog.DiscardHandler),
		Admit: func(context.Context, tunnel.Peer) *tunnel.Refused {
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.refusal
		},
		Handler: r.handler,
		OnSession: func(s *tunnel.Session) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.sessions = append(r.sessions, s)
		},
	}
	r.server = httptest.NewServer(r.acceptor)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = r.acceptor.Shutdown(ctx)
		r.server.Close()
	})
	return r
}

func (r *relay) enrol(_ context.Context, request enrol.Request, _ string) (enrol.Response, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.used || string(request.Secret) != string(r.secret) {
		return enrol.Response{}, fault.New(fault.TokenRevoked, "The enrolment token was used before.")
	}
	r.used = true
	der, _, err := r.authority.Sign(request.CSR, "agt_1", r.life)
	return enrol.Response{AgentID: "agt_1", SiteID: "sit_1", OrganisationID: "org_1", Certificate: der, CA: r.authority.Certificate()}, err
}

func (r *relay) handler(s *tunnel.Session) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+wire.PathRenew, func(w http.ResponseWriter, q *http.Request) {
		var renewal wire.Renewal
		_ = json.NewDecoder(q.Body).Decode(&renewal)
		der, _, err := r.authority.Sign(renewal.CSR, s.Peer().AgentID, time.Hour)
		if err != nil {
			fault.From(err, fault.HopRelay).Write(w)
			return
		}
		_ = json.NewEncoder(w).Encode(wire.Renewed{Certificate: der})
	})
	mux.HandleFunc("POST "+wire.PathDrain, func(w http.ResponseWriter, _ *http.Request) {
		r.mu.Lock()
		r.drains++
		r.mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

func (r *relay) token() string {
	return enrol.Token{Relay: r.server.URL, Pin: r.authority.Pin(), Secret: r.secret, Expires: time.Now().Add(time.Hour)}.Encode()
}

func (r *relay) live() []*tunnel.Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	var live []*tunnel.Session
	for _, s := range r.sessions {
		select {
		case <-s.Done():
		default:
			live = append(live, s)
		}
	}
	return live
}

func fatal(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually polls with a generous ceiling.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func quiet() Options {
	set, _ := definition.Load()
	return Options{
		Version: "test", Definitions: set, Logger: slog.New(slog.DiscardHandler),
		Timings: configs.Timings{ReconnectMin: 10 * time.Millisecond, ReconnectMax: 100 * time.Millisecond},
	}
}

func config(t *testing.T) configs.Agent {
	c := configs.DefaultAgent()
	c.StateDir = t.TempDir()
	return c
}

// run starts an agent; the returned function stops it and waits.
func run(t *testing.T, c configs.Agent) (*Agent, func()) {
	t.Helper()
	return runWith(t, c, quiet())
}

func runWith(t *testing.T, c configs.Agent, opts Options) (*Agent, func()) {
	t.Helper()
	a, err := New(c, opts)
	fatal(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return a, stop
}

func TestEnrolRunStop(t *testing.T) {
	r, c := newRelay(t), config(t)
	before := runtime.NumGoroutine()
	enrolled, err := Enrol(t.Context(), c, r.token(), Enrolment{Options: quiet()})
	fatal(t, err)
	if enrolled.Agent != "agt_1" || enrolled.Site != "sit_1" || enrolled.SealingKey == "" {
		t.Errorf("%+v", enrolled)
	}
	a, stop := run(t, c)
	eventually(t, "both sessions are up", func() bool { return len(r.live()) == 2 })
	lanes := map[tunnel.Lane]int{}
	for _, s := range r.live() {
		lanes[s.Peer().Hello.Lane]++
		var facts wire.Facts
		fatal(t, json.Unmarshal(s.Peer().Hello.Facts, &facts))
		if facts.SealingKey.Fingerprint != enrolled.SealingKey || facts.Version != "test" {
			t.Errorf("facts %+v", facts)
		}
		if pong := ask(t, s, wire.PathPing); !strings.Contains(pong, `"agent_id":"agt_1"`) {
			t.Errorf("pong %s", pong)
		}
	}
	if lanes[tunnel.LaneCalls] != 1 || lanes[tunnel.LaneBulk] != 1 {
		t.Errorf("lanes %v", lanes)
	}
	eventually(t, "the control socket tells it", func() bool {
		status, err := control.NewClient(c.StateDir).Status(t.Context())
		return err == nil && status.State == control.Connected && status.Identity.SealingKey == enrolled.SealingKey && len(status.Sessions) == 2
	})
	if _, err := Enrol(t.Context(), c, r.token(), Enrolment{Options: quiet()}); !errors.Is(err, state.ErrInUse) {
		t.Errorf("enrolment beside a running agent: %v", err)
	}
	stop()
	if status, _ := a.Status(t.Context()); status.State != control.NotEnrolled && status.Identity != nil {
		t.Errorf("after its end: %+v", status)
	}
	eventually(t, "the relay was told and the sessions ended", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.drains == 2
	})
	eventually(t, "no session and no goroutine is left", func() bool {
		return len(r.live()) == 0 && runtime.NumGoroutine() <= before+4 // of the test's server
	})
}

func ask(t *testing.T, s *tunnel.Session, path string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "GET", "http://agent"+path, nil)
	fatal(t, err)
	response, err := s.RoundTripper().RoundTrip(request)
	fatal(t, err)
	return readAll(t, response)
}

func readAll(t *testing.T, response *http.Response) string {
	t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	fatal(t, err)
	return string(body)
}

func TestEnrolRefusals(t *testing.T) {
	r, c := newRelay(t), config(t)
	whole := r.token()
	for _, tt := range []struct {
		name, token string
		want        error
	}{
		{"no token", "hello", enrol.ErrNotToken}, {"cut", whole[:len(whole)-9], enrol.ErrCut},
		{"mistyped", whole[:20] + map[bool]string{true: "B", false: "A"}[whole[20] == 'A'] + whole[21:], enrol.ErrMistyped},
	} {
		if _, err := Enrol(t.Context(), c, tt.token, Enrolment{Options: quiet()}); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	_, err := Enrol(t.Context(), c, whole, Enrolment{Options: quiet()})
	fatal(t, err)
	if _, err := Enrol(t.Context(), c, whole, Enrolment{Options: quiet()}); !errors.Is(err, control.ErrEnrolled) {
		t.Errorf("enrolled already: %v", err)
	}
	if _, err := Enrol(t.Context(), c, whole, Enrolment{Options: quiet(), Force: true}); !fault.Is(err, fault.TokenRevoked) {
		t.Errorf("used: %v", err)
	}
	if a, err := New(config(t), quiet()); err != nil || !errors.Is(a.Run(t.Context()), state.ErrNotEnrolled) {
		t.Error("an agent without identity runs")
	}
}

// TestEndedCertificateIsRenewedFirst has an agent come back after its certificate ended.
func TestEndedCertificateIsRenewedFirst(t *testing.T) {
	r, c := newRelay(t), config(t)
	r.life = time.Second
	enrolled, err := Enrol(t.Context(), c, r.token(), Enrolment{Options: quiet()})
	fatal(t, err)
	time.Sleep(time.Until(enrolled.CertificateExpiresAt) + 50*time.Millisecond)
	a, stop := run(t, c)
	eventually(t, "two sessions with the new certificate", func() bool {
		fresh := 0
		for _, s := range r.live() {
			if !s.Peer().Expired {
				fresh++
			}
		}
		return fresh == 2
	})
	status, err := a.Status(t.Context())
	fatal(t, err)
	if left := time.Until(status.Identity.CertificateExpiresAt); left < 50*time.Minute {
		t.Errorf("the certificate ends in %s", left)
	}
	stop()
	_, stopAgain := run(t, c) // from disk
	eventually(t, "sessions after a restart", func() bool { return len(r.live()) == 2 })
	for _, s := range r.live() {
		if s.Peer().Expired {
			t.Error("the renewed certificate was not kept")
		}
	}
	stopAgain()
}

func TestRefusalIsShown(t *testing.T) {
	r, c := newRelay(t), config(t)
	_, err := Enrol(t.Context(), c, r.token(), Enrolment{Options: quiet()})
	fatal(t, err)
	r.mu.Lock()
	r.refusal = &tunnel.Refused{Code: tunnel.CodeRevoked, Message: "This agent was removed.", Permanent: true}
	r.mu.Unlock()
	a, _ := run(t, c)
	eventually(t, "status tells the refusal", func() bool {
		status, err := a.Status(t.Context())
		return err == nil && status.State == control.Refused && status.Sessions[0].Refusal == tunnel.CodeRevoked &&
			status.Sessions[0].LastError == "This agent was removed."
	})
}

// TestCutSessionComesBack closes a session from the relay's side.
func TestCutSessionComesBack(t *testing.T) {
	r, c := newRelay(t), config(t)
	_, err := Enrol(t.Context(), c, r.token(), Enrolment{Options: quiet()})
	fatal(t, err)
	run(t, c)
	eventually(t, "up", func() bool { return len(r.live()) == 2 })
	old := r.live()
	old[0].Close("test")
	<-old[0].Done()
	eventually(t, "up again", func() bool { return len(r.live()) == 2 })
	request, err := http.NewRequestWithContext(t.Context(), "POST", "http://agent"+wire.PathDrain, nil)
	fatal(t, err)
	drained := r.live()[0]
	response, err := drained.RoundTripper().RoundTrip(request)
	fatal(t, err)
	_ = response.Body.Close()
	eventually(t, "the drained session is replaced and closed", func() bool {
		select {
		case <-drained.Done():
			return len(r.live()) == 2
		default:
			return false
		}
	})
}
