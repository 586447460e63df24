package hub_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gantry/connectors/wire"
	"gantry/relay/hub"
	"gantry/relay/hub/hubtest"
	"gantry/relay/store"
	"gantry/tunnel"
	"gantry/tunnel/fault"
	"gantry/tunnel/pki"
)

func TestMemory(t *testing.T) {
	hubtest.RunDirectory(t, func(*testing.T) hub.Directory { return &hub.Memory{} })
}

// session is a session without a tunnel: calls go straight to a handler.
type session struct {
	peer   tunnel.Peer
	serve  http.HandlerFunc // nil: the agent answers as it should
	fail   error            // of every call, until it is nil
	mu     sync.Mutex
	calls  []string
	done   chan struct{}
	health *io.PipeReader // what PathHealth answers; nil: as serve does
	retire chan struct{}
	reason string
}

func newSession(machine, instance string, lane tunnel.Lane) *session {
	return &session{
		peer: tunnel.Peer{AgentID: "agt_1", Certificate: &x509.Certificate{RawSubjectPublicKeyInfo: []byte("key")}, Since: time.Now(),
			Hello: tunnel.Hello{MachineID: machine, InstanceID: instance, Lane: lane}},
		done: make(chan struct{}), retire: make(chan struct{}),
	}
}

func (s *session) RoundTripper() http.RoundTripper { return s }
func (s *session) Peer() tunnel.Peer               { return s.peer }
func (s *session) Drain(context.Context) error     { return nil }
func (s *session) Finish(context.Context) error    { return nil }
func (s *session) Draining() bool                  { return false }
func (s *session) Retired() <-chan struct{}        { return s.retire }
func (s *session) Done() <-chan struct{}           { return s.done }
func (s *session) Err() error                      { return errors.New("closed") }
func (s *session) InFlight() int                   { return 0 }
func (s *session) Counters() (c tunnel.Counters)   { return c }
func (s *session) seen(call string) (times int)    { return strings.Count(s.log(), call) }
func (s *session) log() string                     { s.mu.Lock(); defer s.mu.Unlock(); return strings.Join(s.calls, "\n") }

func (s *session) closed() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason
}

func (s *session) failing(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

func (s *session) Close(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reason == "" {
		s.reason = reason
		close(s.done)
	}
}

func (s *session) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	s.mu.Lock()
	s.calls = append(s.calls, r.Method+" "+r.URL.Path+" "+string(body))
	fail := s.fail
	s.mu.Unlock()
	if fail != nil {
		return nil, fail
	}
	if r.URL.Path == wire.PathHealth && s.health != nil {
		context.AfterFunc(r.Context(), func() { _ = s.health.CloseWithError(r.Context().Err()) })
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {wire.NDJSON}}, Body: s.health}, nil
	}
	w := httptest.NewRecorder()
	if s.serve != nil {
		s.serve(w, r)
	} else if r.URL.Path == wire.PathPing {
		_ = json.NewEncoder(w).Encode(wire.Pong{AgentID: s.peer.AgentID})
	} else {
		_, _ = io.WriteString(w, "{}")
	}
	return w.Result(), r.Context().Err()
}

// register knows one agent.
type register struct {
	hub.Register
	agent store.Agent
	held  []store.Connection
}

func (r *register) Agent(_ context.Context, id string) (store.Agent, error) {
	if id != r.agent.ID {
		return store.Agent{}, store.ErrNotFound
	}
	return r.agent, nil
}
func (r *register) SeenAgent(context.Context, string, time.Time, []byte) error { return nil }
func (r *register) SaveCatalogue(context.Context, string, []byte) error        { return nil }
func (r *register) AgentConnections(context.Context, string) ([]store.Connection, error) {
	return r.held, nil
}

// bubble runs a test on a fake clock with a hub that is closed at its end: goroutines left behind fail it.
func bubble(t *testing.T, test func(t *testing.T, h *hub.Hub, r *register)) {
	synctest.Test(t, func(t *testing.T) {
		key := store.Hash(pki.PinOf(&x509.Certificate{RawSubjectPublicKeyInfo: []byte("key")}))
		r := &register{agent: store.Agent{ID: "agt_1", Key: key}, held: []store.Connection{{ID: "con_1"}}}
		h := hub.New(hub.Options{Register: r, Directory: &hub.Memory{}, Node: "self", Logger: slog.New(slog.DiscardHandler)})
		test(t, h, r)
		h.Close(t.Context())
	})
}

func TestAdmission(t *testing.T) {
	tests := []struct {
		name   string
		change func(r *register, p *tunnel.Peer)
		code   string
	}{
		{"welcome", func(*register, *tunnel.Peer) {}, ""},
		{"unknown", func(_ *register, p *tunnel.Peer) { p.AgentID = "agt_2" }, tunnel.CodeUnknownAgent},
		{"revoked", func(r *register, _ *tunnel.Peer) { r.agent.RevokedAt = time.Now() }, tunnel.CodeRevoked},
		{"another key", func(r *register, _ *tunnel.Peer) { r.agent.Key[0]++ }, tunnel.CodeWrongCertificate},
		{"another machine", func(_ *register, p *tunnel.Peer) { p.Hello.MachineID = "m2" }, tunnel.CodeIdentityInUse},
		{"a newer instance", func(_ *register, p *tunnel.Peer) { p.Hello.InstanceID = "i2" }, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, h *hub.Hub, r *register) {
				h.Join(newSession("m1", "i1", hub.Calls))
				synctest.Wait()
				peer := newSession("m1", "i1", hub.Bulk).peer
				test.change(r, &peer)
				refusal := h.Admit(t.Context(), peer)
				if code := codeOf(refusal); code != test.code {
					t.Errorf("refused with %q, want %q", code, test.code)
				}
			})
		})
	}
}

func codeOf(r *tunnel.Refused) string {
	if r == nil {
		return ""
	}
	return r.Code
}

func TestJoinDecidesAgain(t *testing.T) {
	bubble(t, func(t *testing.T, h *hub.Hub, _ *register) {
		first, older, clone := newSession("m1", "i1", hub.Calls), newSession("m1", "i1", hub.Bulk), newSession("m2", "i9", hub.Calls)
		h.Join(first)
		h.Join(older)
		h.Join(clone) // admitted in the same moment as first
		synctest.Wait()
		if clone.closed() == "" || first.closed() != "" {
			t.Errorf("clone closed %q, first %q", clone.closed(), first.closed())
		}
		h.Join(newSession("m1", "i2", hub.Calls))
		synctest.Wait()
		if first.closed() == "" || older.closed() == "" {
			t.Error("the older instance lives beside the newer")
		}
		h.Revoke("agt_1")
		late := newSession("m1", "i2", hub.Calls)
		h.Join(late)
		synctest.Wait()
		if sessions, _ := h.Sessions(); sessions != 0 || late.closed() == "" {
			t.Errorf("%d sessions after the revocation", sessions)
		}
	})
}

func TestHealthIsProved(t *testing.T) {
	bubble(t, func(t *testing.T, h *hub.Hub, _ *register) {
		s := newSession("m1", "i1", hub.Calls)
		h.Join(s)
		time.Sleep(25 * time.Second)
		if n := s.seen("GET " + wire.PathPing); n != 3 {
			t.Errorf("%d pings in 25 s, want 3", n)
		}
		if s.seen(`POST `+wire.PathReconcile+` {"connections":["con_1"]}`) != 1 || s.seen("GET "+wire.PathCatalogue) != 1 {
			t.Errorf("calls:\n%s", s.log())
		}
		if p := h.Presence("agt_1"); !p.Connected || time.Since(p.LastSeen) > 10*time.Second {
			t.Errorf("%+v", p)
		}
		s.failing(tunnel.ErrNotSent) // busy
		time.Sleep(20 * time.Second)
		if s.closed() != "" {
			t.Error("a busy session was closed")
		}
		time.Sleep(15 * time.Second)
		if h.Presence("agt_1").Connected {
			t.Error("connected without a proof for 30 s")
		}
		s.failing(tunnel.ErrLost)
		time.Sleep(11 * time.Second)
		if s.closed() == "" {
			t.Error("a silent agent's session lives")
		}
	})
}

func TestOpeningWaitsForReconciliation(t *testing.T) {
	bubble(t, func(t *testing.T, h *hub.Hub, _ *register) {
		done, err := h.Opening(t.Context(), "agt_1")
		if err != nil {
			t.Fatal(err)
		}
		s := newSession("m1", "i1", hub.Calls)
		h.Join(s)
		synctest.Wait()
		if s.seen(wire.PathReconcile) != 0 {
			t.Error("reconciled while a connection was opening")
		}
		done()
		synctest.Wait()
		if s.seen(wire.PathReconcile) != 1 {
			t.Error("not reconciled afterwards")
		}
	})
}

func TestLanes(t *testing.T) {
	bubble(t, func(t *testing.T, h *hub.Hub, _ *register) {
		calls, bulk := newSession("m1", "i1", hub.Calls), newSession("m1", "i1", hub.Bulk)
		h.Join(calls)
		h.Join(bulk)
		synctest.Wait()
		do := func(lane hub.Lane, path string) error {
			r, err := http.NewRequestWithContext(t.Context(), "POST", "http://agent"+path, strings.NewReader("body"))
			if err != nil {
				t.Fatal(err)
			}
			_, err = h.Do("agt_1", lane, r)
			return err
		}
		if err := errors.Join(do(hub.Calls, "/small"), do(hub.Bulk, "/large")); err != nil {
			t.Fatal(err)
		}
		if calls.seen("/small") != 1 || bulk.seen("/large") != 1 {
			t.Error("calls went the wrong way")
		}
		calls.failing(tunnel.ErrNotSent)
		if err := do(hub.Calls, "/again"); err != nil || bulk.seen("/again body") != 1 {
			t.Errorf("not tried on the other session: %v", err)
		}
		calls.failing(tunnel.ErrLost)
		if err := do(hub.Calls, "/once"); !fault.Is(err, fault.TunnelLost) || bulk.seen("/once") != 0 {
			t.Errorf("a call that may have arrived was sent twice: %v", err)
		}
		calls.failing(tunnel.ErrNotSent)
		bulk.failing(tunnel.ErrNotSent)
		err := do(hub.Calls, "/never")
		if e, ok := errors.AsType[*fault.Error](err); !ok || e.Code != fault.AgentOffline || e.Outcome != fault.NotSent {
			t.Errorf("%v", err)
		}
	})
}

// TestACallWaitsForAnAgentThatComesBack has an agent say that it stops, and calls it while it is gone.
func TestACallWaitsForAnAgentThatComesBack(t *testing.T) {
	bubble(t, func(t *testing.T, h *hub.Hub, _ *register) {
		call := func() (took time.Duration, budget string, err error) {
			r, err := http.NewRequestWithContext(t.Context(), "POST", "http://agent/work", strings.NewReader("body"))
			if err != nil {
				t.Fatal(err)
			}
			wire.SetBudget(r.Header, 20*time.Second)
			begin := time.Now()
			_, err = h.Do("agt_1", hub.Calls, r)
			return time.Since(begin), r.Header.Get(wire.HeaderBudget), err
		}
		leave := func(s *session) {
			h.Serve(s).ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "POST", wire.PathDrain, nil))
			s.Close("drained")
			synctest.Wait()
		}
		before, after := newSession("m1", "i1", hub.Calls), newSession("m1", "i2", hub.Calls)
		h.Join(before)
		synctest.Wait()
		leave(before)
		var group sync.WaitGroup
		group.Go(func() {
			took, budget, err := call()
			if err != nil || took != 2*time.Second || budget != "18000" || after.seen("/work body") != 1 {
				t.Errorf("it took %s with a budget of %s: %v", took, budget, err)
			}
		})
		time.Sleep(2 * time.Second)
		h.Join(after)
		group.Wait()

		leave(after)
		if took, _, err := call(); !fault.Is(err, fault.AgentOffline) || took != hub.ReturnTime {
			t.Errorf("an agent that stays away: %v after %s", err, took)
		}
		if took, _, err := call(); !fault.Is(err, fault.AgentOffline) || took != 0 {
			t.Errorf("the next call: %v after %s", err, took)
		}

		lost, other := newSession("m1", "i3", hub.Calls), newSession("m1", "i3", hub.Bulk)
		h.Join(lost)
		h.Join(other)
		synctest.Wait()
		leave(other) // one of two: the agent stays
		lost.Close("cut")
		synctest.Wait()
		if took, _, err := call(); !fault.Is(err, fault.AgentOffline) || took != 0 {
			t.Errorf("an agent that said nothing: %v after %s", err, took)
		}
	})
}
