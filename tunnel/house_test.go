package tunnel_test

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"gantry/tunnel"
	"gantry/tunnel/pki"
)

// house is a relay's end on loopback, and what an agent needs to come to it.
type house struct {
	authority *pki.Authority
	acceptor  *tunnel.Acceptor
	server    *httptest.Server
	sessions  chan *tunnel.Session
}

// newHouse starts a relay; change may alter the acceptor before its first use.
func newHouse(t testing.TB, handler http.Handler, change func(*tunnel.Acceptor)) *house {
	t.Helper()
	noLeaks(t)
	h := &house{authority: newAuthority(t), sessions: make(chan *tunnel.Session, 64)}
	h.acceptor = &tunnel.Acceptor{
		Authority: h.authority,
		Handler:   func(*tunnel.Session) http.Handler { return handler },
		OnSession: func(s *tunnel.Session) { h.sessions <- s },
		Logger:    slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(h.acceptor)
	}
	h.server = httptest.NewUnstartedServer(h.acceptor)
	h.server.Listener = tunnel.Listen(h.server.Listener)
	h.server.Start()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		_ = h.acceptor.Shutdown(ctx) // what a test left under way is cut
		h.server.Close()
	})
	return h
}

func newAuthority(t testing.TB) *pki.Authority {
	t.Helper()
	a, err := pki.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// identity makes an agent's certificate.
func identity(t testing.TB, a *pki.Authority, id string, life time.Duration) tls.Certificate {
	t.Helper()
	key, err := pki.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	csr, err := pki.NewCSR(key)
	if err != nil {
		t.Fatal(err)
	}
	der, _, err := a.Sign(csr, id, life)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (h *house) dialer(t testing.TB, handler http.Handler) *tunnel.Dialer {
	t.Helper()
	return h.dialerAs(identity(t, h.authority, "agt_1", time.Hour), handler)
}

func (h *house) dialerAs(cert tls.Certificate, handler http.Handler) *tunnel.Dialer {
	return &tunnel.Dialer{
		URL: h.server.URL, Pin: h.authority.Pin(), Handler: handler,
		Identity: func() (tls.Certificate, error) { return cert, nil },
	}
}

func hello(lane tunnel.Lane) tunnel.Hello {
	return tunnel.Hello{InstanceID: "ins_1", MachineID: "mac_1", Lane: lane}
}

// connect makes a session and gives both its ends.
func (h *house) connect(t testing.TB, d *tunnel.Dialer, lane tunnel.Lane) (agent, relay *tunnel.Session) {
	t.Helper()
	agent, err := d.Dial(t.Context(), hello(lane))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { agent.Close("the test is over") })
	select {
	case relay = <-h.sessions:
	case <-time.After(5 * time.Second):
		t.Fatal("the relay's end did not come up")
	}
	return agent, relay
}

// call does one call over a session and gives the answer's body.
func call(t testing.TB, s *tunnel.Session, method, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://peer"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.RoundTripper().RoundTrip(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return resp.StatusCode, string(raw)
}

// echo answers with what it was sent.
func echo(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		_, _ = io.WriteString(w, name+" "+r.Method+" "+r.URL.Path+" "+string(body))
	})
}

// noLeaks checks, at the very end of the test, that no goroutine of it is left.
func noLeaks(t testing.TB) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		deadline := time.Now().Add(10 * time.Second)
		for runtime.NumGoroutine() > before {
			if time.Now().After(deadline) {
				buf := make([]byte, 1<<20)
				t.Errorf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
				return
			}
			http.DefaultClient.CloseIdleConnections()
			time.Sleep(10 * time.Millisecond)
		}
	})
}

// relayAddr is the relay's host and port.
func (h *house) address() string { return h.server.Listener.Addr().(*net.TCPAddr).String() }
