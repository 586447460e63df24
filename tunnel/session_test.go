package tunnel_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gantry/tunnel"
)

func TestBothEndsCall(t *testing.T) {
	h := newHouse(t, echo("relay"), nil)
	agent, relay := h.connect(t, h.dialer(t, echo("agent")), tunnel.LaneCalls)
	if code, got := call(t, relay, "POST", "/v1/x", "down"); code != 200 || got != "agent POST /v1/x down" {
		t.Errorf("relay calls agent: %d %q", code, got)
	}
	if code, got := call(t, agent, "GET", "/v1/y", ""); code != 200 || got != "relay GET /v1/y " {
		t.Errorf("agent calls relay: %d %q", code, got)
	}
	if id := relay.Peer().AgentID; id != "agt_1" {
		t.Errorf("the relay knows the agent as %q", id)
	}
	if id := agent.Peer().AgentID; id != "agt_1" {
		t.Errorf("the agent knows itself as %q", id)
	}
	if took, err := relay.Ping(t.Context()); err != nil || took <= 0 {
		t.Errorf("ping: %v, %v", took, err)
	}
	if c := relay.Counters(); c.StreamsOpened != 1 || c.StreamsAccepted != 1 || c.BytesIn == 0 || c.BytesOut == 0 {
		t.Errorf("counters: %+v", c)
	}
}

func TestManyCallsAtOnce(t *testing.T) {
	h := newHouse(t, echo("relay"), nil)
	for _, lane := range []tunnel.Lane{tunnel.LaneCalls, tunnel.LaneBulk} {
		t.Run(string(lane), func(t *testing.T) {
			_, relay := h.connect(t, h.dialer(t, echo("agent")), lane)
			body := strings.Repeat("x", 20_000)
			var calls sync.WaitGroup
			for range 250 { // more than either lane has streams
				calls.Go(func() {
					if _, got := call(t, relay, "POST", "/", body); got != "agent POST / "+body {
						t.Error("another body came back")
					}
				})
			}
			calls.Wait()
			if n := relay.InFlight(); n != 0 {
				t.Errorf("%d calls under way when all are done", n)
			}
		})
	}
}

// TestHangUp: a caller that goes away ends the handler's context, and frees one that is stuck in writing.
func TestHangUp(t *testing.T) {
	tests := []struct {
		name string
		lane tunnel.Lane
	}{{"calls", tunnel.LaneCalls}, {"bulk", tunnel.LaneBulk}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cancelled, freed := make(chan struct{}), make(chan struct{})
			agentHandler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				context.AfterFunc(r.Context(), func() { close(cancelled) })
				rows := make([]byte, 64<<10)
				for {
					if _, err := w.Write(rows); err != nil {
						close(freed)
						return
					}
				}
			})
			h := newHouse(t, echo("relay"), nil)
			_, relay := h.connect(t, h.dialer(t, agentHandler), tt.lane)
			ctx, cancel := context.WithCancel(t.Context())
			r, _ := http.NewRequestWithContext(ctx, "GET", "http://peer/", nil)
			resp, err := relay.RoundTripper().RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(resp.Body, make([]byte, 1000)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(50 * time.Millisecond) // let the handler fill the window
			begun := time.Now()
			cancel()
			defer resp.Body.Close()
			await(t, cancelled, "the handler's context did not end")
			await(t, freed, "the handler's write did not end")
			if took := time.Since(begun); took > 5*time.Second {
				t.Errorf("took %s", took)
			}
			if _, err := io.Copy(io.Discard, resp.Body); !errors.Is(err, context.Canceled) {
				t.Errorf("the caller reads %v", err)
			}
		})
	}
}

func TestDrain(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-release
		_, _ = io.WriteString(w, "done")
	})
	h := newHouse(t, echo("relay"), nil)
	agent, relay := h.connect(t, h.dialer(t, slow), tunnel.LaneCalls)
	answer := make(chan string, 1)
	go func() {
		_, body := call(t, relay, "GET", "/", "")
		answer <- body
	}()
	await(t, entered, "the call did not arrive")

	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := relay.Drain(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("drain with a call under way: %v", err)
	}
	if !relay.Draining() {
		t.Error("not draining")
	}
	r, _ := http.NewRequestWithContext(t.Context(), "GET", "http://peer/", nil)
	if _, err := relay.RoundTripper().RoundTrip(r); !errors.Is(err, tunnel.ErrNotSent) {
		t.Errorf("a call on a draining session: %v", err)
	}
	if code, _ := call(t, agent, "GET", "/", ""); code != 200 {
		t.Errorf("the peer's call on a draining session: %d", code)
	}
	close(release)
	if err := relay.Drain(t.Context()); err != nil {
		t.Errorf("drain: %v", err)
	}
	if got := <-answer; got != "done" {
		t.Errorf("the call under way got %q", got)
	}
}

// TestFinish has the peer announce its stop while calls to it are on their way: what answers only after Finish lets no call
// meet the end of the session. Finish runs inside a call of the peer's, for which it must not wait.
func TestFinish(t *testing.T) {
	var relay atomic.Pointer[tunnel.Session]
	h := newHouse(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := relay.Load().Finish(r.Context()); err != nil {
			t.Errorf("finish: %v", err)
		}
	}), nil)
	d := h.dialer(t, echo("agent"))
	for range 30 {
		agent, end := h.connect(t, d, tunnel.LaneCalls)
		relay.Store(end)
		var callers sync.WaitGroup
		for range 8 {
			callers.Go(func() {
				for {
					r, _ := http.NewRequestWithContext(t.Context(), "GET", "http://peer/", nil)
					resp, err := end.RoundTripper().RoundTrip(r)
					if errors.Is(err, tunnel.ErrNotSent) {
						return
					}
					if err == nil {
						_, err = io.Copy(io.Discard, resp.Body)
						_ = resp.Body.Close()
					}
					if err != nil {
						t.Errorf("a call was lost: %v", err)
						return
					}
				}
			})
		}
		time.Sleep(2 * time.Millisecond) // any moment in the middle of the calls will do
		if code, _ := call(t, agent, "POST", "/stop", ""); code != 200 {
			t.Fatalf("the announcement: %d", code)
		}
		if err := agent.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		agent.Close("drained")
		callers.Wait()
	}
}

func TestShutdownLosesNoCall(t *testing.T) {
	entered := make(chan struct{}, 1)
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		time.Sleep(100 * time.Millisecond)
		_, _ = io.WriteString(w, "done")
	})
	h := newHouse(t, echo("relay"), nil)
	d := h.dialer(t, slow)
	agent, relay := h.connect(t, d, tunnel.LaneCalls)
	answer := make(chan string, 1)
	go func() {
		_, body := call(t, relay, "GET", "/", "")
		answer <- body
	}()
	<-entered
	if err := h.acceptor.Shutdown(t.Context()); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if got := <-answer; got != "done" {
		t.Errorf("the call under way got %q", got)
	}
	await(t, agent.Done(), "the agent's end did not learn of it")
	closed, ok := errors.AsType[*tunnel.ClosedError](agent.Err())
	if !ok || !closed.ByPeer || closed.Reason != "the relay is stopping" {
		t.Errorf("the agent's end says %v", agent.Err())
	}
	if refused, ok := errors.AsType[*tunnel.Refused](dialFails(t, d)); !ok || refused.Code != tunnel.CodeDraining || refused.Permanent {
		t.Errorf("dialling a stopping relay: %v", refused)
	}
}

// TestCut: a session that ends under a call says what became of it.
func TestCut(t *testing.T) {
	entered := make(chan struct{}, 1)
	stuck := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		<-r.Context().Done()
	})
	h := newHouse(t, echo("relay"), nil)
	agent, relay := h.connect(t, h.dialer(t, stuck), tunnel.LaneCalls)
	failed := make(chan error, 1)
	go func() {
		r, _ := http.NewRequestWithContext(t.Context(), "POST", "http://peer/", strings.NewReader("{}"))
		_, err := relay.RoundTripper().RoundTrip(r)
		failed <- err
	}()
	<-entered
	agent.Close("the agent is stopping")
	if err := <-failed; !errors.Is(err, tunnel.ErrLost) || errors.Is(err, tunnel.ErrNotSent) {
		t.Errorf("a call under way: %v", err)
	}
	await(t, relay.Done(), "the relay's end did not learn of it")
	if closed, ok := errors.AsType[*tunnel.ClosedError](relay.Err()); !ok || closed.Reason != "the agent is stopping" {
		t.Errorf("the relay's end says %v", relay.Err())
	}
	r, _ := http.NewRequestWithContext(t.Context(), "POST", "http://peer/", strings.NewReader("{}"))
	if _, err := relay.RoundTripper().RoundTrip(r); !errors.Is(err, tunnel.ErrNotSent) {
		t.Errorf("a call afterwards: %v", err)
	}
	if _, err := relay.Ping(t.Context()); !errors.Is(err, tunnel.ErrLost) {
		t.Errorf("a ping afterwards: %v", err)
	}
	relay.Close("again") // closing twice does no harm
}

// TestWaitForPlace: a call that waits for a place ends with its context, and was not sent.
func TestWaitForPlace(t *testing.T) {
	entered := make(chan struct{}, 64)
	stuck := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		<-r.Context().Done()
	})
	h := newHouse(t, echo("relay"), nil)
	_, relay := h.connect(t, h.dialer(t, stuck), tunnel.LaneBulk)
	full, cancel := context.WithCancel(t.Context())
	var calls sync.WaitGroup
	for range 16 {
		calls.Go(func() {
			r, _ := http.NewRequestWithContext(full, "GET", "http://peer/", nil)
			_, _ = relay.RoundTripper().RoundTrip(r) // ends with full
		})
	}
	for range 16 {
		<-entered
	}
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	r, _ := http.NewRequestWithContext(ctx, "GET", "http://peer/", nil)
	if _, err := relay.RoundTripper().RoundTrip(r); !errors.Is(err, tunnel.ErrNotSent) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a call without a place: %v", err)
	}
	cancel()
	calls.Wait()
}

func TestHandlerKnowsItsSession(t *testing.T) {
	got := make(chan *tunnel.Session, 1)
	h := newHouse(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- tunnel.SessionOf(r.Context()) }), nil)
	agent, relay := h.connect(t, h.dialer(t, echo("agent")), tunnel.LaneCalls)
	call(t, agent, "GET", "/", "")
	if s := <-got; s != relay {
		t.Errorf("the handler was told of %v", s)
	}
}

func await(t testing.TB, done <-chan struct{}, complaint string) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal(complaint)
	}
}

func dialFails(t testing.TB, d *tunnel.Dialer) error {
	t.Helper()
	s, err := d.Dial(t.Context(), hello(tunnel.LaneCalls))
	if err == nil {
		s.Close("the test is over")
		t.Fatal("was let in")
	}
	return err
}
