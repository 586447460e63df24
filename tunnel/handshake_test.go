package tunnel_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"gantry/tunnel"
	"gantry/tunnel/enrol"
	"gantry/tunnel/fault"
	"gantry/tunnel/pki"
)

func TestRefusals(t *testing.T) {
	h := newHouse(t, echo("relay"), func(a *tunnel.Acceptor) {
		a.Admit = func(_ context.Context, p tunnel.Peer) *tunnel.Refused {
			switch p.AgentID {
			case "agt_gone":
				return &tunnel.Refused{Code: tunnel.CodeRevoked, Message: "The agent was removed.", Permanent: true}
			case "agt_twin":
				return &tunnel.Refused{Code: tunnel.CodeIdentityInUse, Message: "It is connected from " + p.Hello.MachineID + "'s twin."}
			}
			return nil
		}
	})
	server, err := h.authority.Server()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name      string
		cert      tls.Certificate
		code      string
		permanent bool
		message   string
	}{
		{"revoked", identity(t, h.authority, "agt_gone", time.Hour), tunnel.CodeRevoked, true, "The agent was removed."},
		{"another machine", identity(t, h.authority, "agt_twin", time.Hour), tunnel.CodeIdentityInUse, false, "mac_1"},
		{"another relay's agent", identity(t, newAuthority(t), "agt_1", time.Hour), tunnel.CodeWrongCA, true, "Enrol"},
		{"a certificate that is not an agent's", server, tunnel.CodeWrongCertificate, true, "Enrol"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := dialFails(t, h.dialerAs(tt.cert, echo("agent")))
			refused, ok := errors.AsType[*tunnel.Refused](err)
			if !ok || refused.Code != tt.code || refused.Permanent != tt.permanent || !strings.Contains(refused.Message, tt.message) {
				t.Errorf("dial: %v", err)
			}
		})
	}
}

// TestExpired: a certificate that has ended opens a session that tells so.
func TestExpired(t *testing.T) {
	h := newHouse(t, echo("relay"), nil)
	cert := identity(t, h.authority, "agt_1", time.Nanosecond) // ends in the second that it begins in
	agent, relay := h.connect(t, h.dialerAs(cert, echo("agent")), tunnel.LaneCalls)
	for end, s := range map[string]*tunnel.Session{"relay": relay, "agent": agent} { // whose clock may not know
		if !s.Peer().Expired {
			t.Errorf("the %s's end does not tell that the certificate has ended", end)
		}
	}
	young, _ := h.connect(t, h.dialer(t, echo("agent")), tunnel.LaneCalls)
	if young.Peer().Expired {
		t.Error("a certificate that has just begun is said to have ended")
	}
}

func TestNotTheRelay(t *testing.T) {
	h := newHouse(t, echo("relay"), nil)
	d := h.dialer(t, echo("agent"))
	d.Pin = newAuthority(t).Pin()
	err := dialFails(t, d)
	failed, ok := errors.AsType[*tunnel.DialError](err)
	if !ok || failed.Stage != tunnel.StageInnerTLS || !errors.Is(err, pki.ErrPin) {
		t.Errorf("dial: %v", err)
	}
}

func TestNoCertificate(t *testing.T) {
	h := newHouse(t, echo("relay"), nil)
	err := dialFails(t, h.dialerAs(tls.Certificate{}, echo("agent")))
	if failed, ok := errors.AsType[*tunnel.DialError](err); !ok || (failed.Stage != tunnel.StageHello && failed.Stage != tunnel.StageInnerTLS) {
		t.Errorf("dial: %v", err)
	}
}

func TestDialStages(t *testing.T) {
	captive := startServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<html>Please  log in to the\n plant's network"+strings.Repeat("x", 1<<16))
	})
	redirect := startServer(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://portal.example/", http.StatusFound)
	})
	busy := startServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	mute := startRaw(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	tests := []struct {
		name   string
		url    string
		stage  tunnel.Stage
		status int
		answer string
	}{
		{"nobody listens", "ws://" + closed.Addr().String(), tunnel.StageTCP, 0, ""},
		{"no such name", "ws://no-such-host.invalid", tunnel.StageDNS, 0, ""},
		{"not TLS", "wss://" + captive, tunnel.StageTLS, 0, ""},
		{"a captive portal", "ws://" + captive, tunnel.StageWebSocket, 200, "Please log in to the plant's network"},
		{"a redirection", "ws://" + redirect, tunnel.StageWebSocket, http.StatusFound, ""},
		{"somebody else's 503", "ws://" + busy, tunnel.StageWebSocket, 503, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t, echo("relay"), nil)
			d := h.dialer(t, echo("agent"))
			d.URL = tt.url
			failed, ok := errors.AsType[*tunnel.DialError](dialFails(t, d))
			if !ok || failed.Stage != tt.stage || failed.Status != tt.status || !strings.HasPrefix(failed.Answer, tt.answer) || len(failed.Error()) > 700 {
				t.Errorf("dial: %#v", failed)
			}
		})
	}
	t.Run("a server that says nothing", func(t *testing.T) {
		h := newHouse(t, echo("relay"), nil)
		d := h.dialer(t, echo("agent"))
		d.URL = "ws://" + mute
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := d.Dial(ctx, hello(tunnel.LaneCalls)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("dial: %v", err)
		}
	})
}

// TestPlainRequest: what is no upgrade is answered with a problem document.
func TestPlainRequest(t *testing.T) {
	h := newHouse(t, echo("relay"), nil)
	for method, want := range map[string]fault.Code{"GET": fault.InvalidRequest, "POST": fault.MethodNotAllowed} {
		r, _ := http.NewRequestWithContext(t.Context(), method, h.server.URL+tunnel.Path, nil)
		resp, err := h.server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		problem, err := fault.Decode(resp.Body)
		resp.Body.Close()
		if err != nil || problem.Code != want {
			t.Errorf("%s: %v, %v", method, problem, err)
		}
	}
}

func TestEnrol(t *testing.T) {
	var authority *pki.Authority
	h := newHouse(t, echo("relay"), func(a *tunnel.Acceptor) {
		authority = a.Authority
		a.Enrol = enrol.Handler(func(_ context.Context, req enrol.Request, remote string) (enrol.Response, error) {
			if string(req.Secret) != strings.Repeat("s", enrol.SecretSize) {
				return enrol.Response{}, fault.New(fault.AuthenticationFailed, "The token was used already.")
			}
			if host, _, err := net.SplitHostPort(remote); err != nil || host != "127.0.0.1" {
				t.Errorf("remote %q", remote)
			}
			der, _, err := authority.Sign(req.CSR, "agt_new", time.Hour)
			return enrol.Response{AgentID: "agt_new", SiteID: "sit_1", OrganisationID: "org_1", Certificate: der, CA: authority.Certificate()}, err
		})
	})
	token := enrol.Token{Relay: h.server.URL, Pin: h.authority.Pin(), Secret: []byte(strings.Repeat("s", enrol.SecretSize))}
	key, err := pki.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	csr, err := pki.NewCSR(key)
	if err != nil {
		t.Fatal(err)
	}
	d := &tunnel.Dialer{URL: token.Relay, Pin: token.Pin}
	answer, err := enrol.Call(t.Context(), d, token, enrol.Request{CSR: csr, MachineID: "mac_1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := pki.VerifyIssued(answer.Certificate, answer.CA, token.Pin, &key.PublicKey); err != nil {
		t.Error(err)
	}
	_, relay := h.connect(t, h.dialerAs(tls.Certificate{Certificate: [][]byte{answer.Certificate}, PrivateKey: key}, echo("agent")), tunnel.LaneCalls)
	if relay.Peer().AgentID != "agt_new" {
		t.Errorf("the new agent is %q", relay.Peer().AgentID)
	}

	token.Secret = []byte(strings.Repeat("t", enrol.SecretSize))
	if _, err := enrol.Call(t.Context(), d, token, enrol.Request{CSR: csr}); !fault.Is(err, fault.AuthenticationFailed) {
		t.Errorf("a used token: %v", err)
	}
	stranger := newAuthority(t)
	if _, err := enrol.Call(t.Context(), &tunnel.Dialer{URL: token.Relay, Pin: stranger.Pin()}, token, enrol.Request{CSR: csr}); !errors.Is(err, pki.ErrPin) {
		t.Errorf("another relay: %v", err)
	}
}

func startServer(t *testing.T, handler http.HandlerFunc) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: handler}
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(l) }()
	t.Cleanup(func() { s.Close(); <-done })
	return l.Addr().String()
}

// startRaw serves connections with a function, which must end when the connection does.
func startRaw(t *testing.T, serve func(net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); serve(c) }()
		}
	}()
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}
