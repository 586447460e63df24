package doctor_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"gantry/agent/control"
	"gantry/agent/doctor"
	"gantry/tunnel"
	"gantry/tunnel/check"
	"gantry/tunnel/fault"
	"gantry/tunnel/pki"
)

// relay is a relay's end on loopback, over plain HTTP or HTTPS.
type relay struct {
	*httptest.Server
	authority *pki.Authority
}

// openRelay starts one; around may stand before it, shown is its certificate (nil: plain HTTP).
func openRelay(t *testing.T, shown *tls.Certificate, around func(http.Handler) http.Handler) relay {
	t.Helper()
	authority, err := pki.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	acceptor := &tunnel.Acceptor{Authority: authority, Handler: func(*tunnel.Session) http.Handler { return http.NotFoundHandler() },
		Enrol: http.NotFoundHandler(), Logger: slog.New(slog.DiscardHandler)}
	mux := http.NewServeMux()
	mux.Handle(tunnel.Path, acceptor)
	mux.Handle(tunnel.EchoPath, tunnel.EchoHandler())
	var handler http.Handler = mux
	if around != nil {
		handler = around(handler)
	}
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	if shown == nil {
		server.Start()
	} else {
		server.TLS = &tls.Config{Certificates: []tls.Certificate{*shown}}
		server.StartTLS()
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = acceptor.Shutdown(ctx)
		server.Close()
	})
	return relay{server, authority}
}

func (r relay) dialer() *tunnel.Dialer {
	return &tunnel.Dialer{URL: r.URL, Pin: r.authority.Pin(), Roots: x509.NewCertPool()}
}

// shown makes a certificate that signs itself.
func shown(t *testing.T, issuer string, from, to time.Duration, names ...string) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "relay", Organization: []string{issuer}}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(to), DNSNames: names,
	}
	if len(names) == 0 {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// diagnose runs the road's checks, and sees that whatever is told can be acted on.
func diagnose(t *testing.T, r doctor.Road) check.Report {
	t.Helper()
	if r.Relay == "" && r.Dialer != nil {
		r.Relay = r.Dialer.URL
	}
	if r.Origin == "" {
		r.Origin = "the test"
	}
	if r.NoIdentity == "" {
		r.NoIdentity = "no agent is enrolled here"
	}
	report := check.Run(t.Context(), r.Checks(), check.Options{Program: "gantry-agent"})
	for _, result := range report.Results {
		if strings.ContainsAny(strings.ReplaceAll(result.Cause+result.Fix, "{url:", ""), "{") {
			t.Errorf("%s: a place was not filled: %s %s", result.ID, result.Cause, result.Fix)
		}
	}
	return report
}

// one gives the one finding of a report.
func one(t *testing.T, report check.Report) check.Result {
	t.Helper()
	var found []check.Result
	for _, r := range report.Results {
		if r.Status == check.Failed || r.Status == check.Warned {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		var text strings.Builder
		_ = check.WriteText(&text, report, check.Style{Verbose: true})
		t.Fatalf("%d findings, want one:\n%s", len(found), text.String())
	}
	return found[0]
}

// throughProxy makes the dialer go through a raw proxy that answers CONNECT with a text.
func throughProxy(t *testing.T, d *tunnel.Dialer, user *url.Userinfo, answer string) *tunnel.Dialer {
	at := raw(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 2048))
		_, _ = io.WriteString(c, answer)
	})
	d.Proxy = func(*url.URL) (*url.URL, error) { return &url.URL{Scheme: "http", Host: at, User: user}, nil }
	return d
}

func raw(t *testing.T, serve func(net.Conn)) (address string) {
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
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

func failing(err error) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}
	}
}

// answering stands in the relay's place.
func answering(status int, body string, header ...string) func(http.Handler) http.Handler {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		})
	}
}

// stripping takes the upgrade off.
func stripping(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Upgrade")
		r.Header.Del("Connection")
		next.ServeHTTP(w, r)
	})
}

func TestTheWayWorks(t *testing.T) {
	for _, certificate := range []*tls.Certificate{nil, shown(t, "Some Authority", -time.Hour, time.Hour)} {
		r := openRelay(t, certificate, nil)
		d := r.dialer()
		if certificate != nil {
			d.Roots.AddCert(certificate.Leaf)
		}
		report := diagnose(t, doctor.Road{Dialer: d})
		if report.Status != check.Passed {
			t.Errorf("%s: %+v", r.URL, report)
		}
		for _, result := range report.Results {
			needsAgent := result.Check == "relay.accepted" || result.Check == "network.session"
			if (result.Status == check.Skipped) != needsAgent {
				t.Errorf("%s: %s %s", result.Check, result.Status, result.Cause)
			}
		}
	}
}

// TestOneFinding has every broken network that can be had on loopback. house/networks_prove_test.go has real ones.
func TestOneFinding(t *testing.T) {
	plain := openRelay(t, nil, nil)
	basic := "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x\r\nProxy-Authenticate: NTLM\r\n\r\n"
	for _, tt := range []struct {
		id     string
		dialer func(t *testing.T) *tunnel.Dialer
		check  string
		team   check.Team
		says   string // in cause, fix or evidence
	}{
		{"NET-RELAY-URL", func(*testing.T) *tunnel.Dialer { return &tunnel.Dialer{URL: "ftp://relay"} }, "network.proxy", check.PlantIT, "ftp"},
		{"NET-PROXY-SETTING", func(*testing.T) *tunnel.Dialer {
			return &tunnel.Dialer{URL: "wss://relay.example.com", Proxy: func(*url.URL) (*url.URL, error) { return url.Parse("socks5://p:1") }}
		}, "network.proxy", check.PlantIT, "socks5"},
		{"NET-REFUSED", func(*testing.T) *tunnel.Dialer {
			return &tunnel.Dialer{URL: "ws://127.0.0.1:1", Connect: failing(syscall.ECONNREFUSED)}
		}, "network.tcp", check.Firewall, "127.0.0.1:1"},
		{"NET-TIMEOUT", func(*testing.T) *tunnel.Dialer {
			return &tunnel.Dialer{URL: "ws://127.0.0.1:1", Connect: failing(syscall.ETIMEDOUT)}
		}, "network.tcp", check.Firewall, "no answer"},
		{"NET-RESET", func(*testing.T) *tunnel.Dialer {
			return &tunnel.Dialer{URL: "ws://127.0.0.1:1", Connect: failing(syscall.ECONNRESET)}
		}, "network.tcp", check.Firewall, "reset"},
		{"NET-NO-ROUTE", func(*testing.T) *tunnel.Dialer {
			return &tunnel.Dialer{URL: "ws://127.0.0.1:1", Connect: failing(syscall.ENETUNREACH)}
		}, "network.tcp", check.PlantIT, "gateway"},
		{"NET-FORBIDDEN", func(*testing.T) *tunnel.Dialer {
			return &tunnel.Dialer{URL: "ws://127.0.0.1:1", Connect: failing(syscall.EPERM)}
		}, "network.tcp", check.PlantIT, "gantry-agent"},
		{"NET-PROXY-REFUSED", func(t *testing.T) *tunnel.Dialer {
			d := throughProxy(t, plain.dialer(), nil, "")
			d.Connect = failing(syscall.ECONNREFUSED)
			return d
		}, "network.tcp", check.Proxy, "from the test"},
		{"NET-PROXY-TIMEOUT", func(t *testing.T) *tunnel.Dialer {
			d := throughProxy(t, plain.dialer(), nil, "")
			d.Connect = failing(syscall.EHOSTUNREACH)
			return d
		}, "network.tcp", check.Firewall, "the proxy 127.0.0.1"},
		{"NET-PROXY-TLS", func(t *testing.T) *tunnel.Dialer {
			d := throughProxy(t, plain.dialer(), nil, "HTTP/1.1 400 This is no TLS\r\n\r\n")
			proxy, _ := d.Proxy(nil)
			proxy.Scheme = "https"
			d.Proxy = func(*url.URL) (*url.URL, error) { return proxy, nil }
			return d
		}, "network.connect", check.PlantIT, "http:// in place of https://"},
		{"NET-403", func(t *testing.T) *tunnel.Dialer {
			return throughProxy(t, plain.dialer(), nil, "HTTP/1.1 403 Forbidden\r\nServer: squid/5.7\r\nContent-Length: 7\r\n\r\nblocked")
		}, "network.connect", check.Proxy, "it calls itself squid/5.7"},
		{"NET-407", func(t *testing.T) *tunnel.Dialer { return throughProxy(t, plain.dialer(), nil, basic) }, "network.connect", check.PlantIT, "Basic, NTLM"},
		{"NET-407-LOGIN", func(t *testing.T) *tunnel.Dialer {
			return throughProxy(t, plain.dialer(), url.UserPassword("plant", "s3cret"), basic)
		}, "network.connect", check.PlantIT, "user plant"},
		{"NET-407-SCHEME", func(t *testing.T) *tunnel.Dialer {
			return throughProxy(t, plain.dialer(), nil, "HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\n\r\n")
		}, "network.connect", check.Proxy, "Negotiate"},
		{"NET-502", func(t *testing.T) *tunnel.Dialer {
			return throughProxy(t, plain.dialer(), nil, "HTTP/1.1 502 Bad\r\n\r\n")
		}, "network.connect", check.Proxy, "502"},
		{"NET-NOT-PROXY", func(t *testing.T) *tunnel.Dialer { return throughProxy(t, plain.dialer(), nil, "SSH-2.0-x\r\n") }, "network.connect", check.PlantIT, "from the test"},
		{"NET-PROXY-CUT", func(t *testing.T) *tunnel.Dialer { return throughProxy(t, plain.dialer(), nil, "") }, "network.connect", check.Proxy, "it answers nothing"},
		{"NET-TLS-NONE", func(*testing.T) *tunnel.Dialer {
			return &tunnel.Dialer{URL: strings.Replace(plain.URL, "http:", "wss:", 1)}
		}, "network.tls", check.Firewall, "plain"},
		{"NET-TLS-CUT", func(t *testing.T) *tunnel.Dialer {
			return &tunnel.Dialer{URL: "wss://" + raw(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 1024)) })}
		}, "network.tls", check.Firewall, "SNI"},
		{"NET-TLS-CA", func(t *testing.T) *tunnel.Dialer {
			return openRelay(t, shown(t, "Plant Root", -time.Hour, time.Hour), nil).dialer()
		}, "network.tls", check.PlantIT, "Plant Root"},
		{"NET-TLS-INSPECTED", func(t *testing.T) *tunnel.Dialer {
			return openRelay(t, shown(t, "Zscaler Inc.", -time.Hour, time.Hour), nil).dialer()
		}, "network.tls", check.Proxy, "Zscaler"},
		{"NET-TLS-EXPIRED", func(t *testing.T) *tunnel.Dialer { return trusting(t, -2*time.Hour, -time.Hour) }, "network.tls", check.Cloud, "ended on"},
		{"NET-TLS-NOT-YET", func(t *testing.T) *tunnel.Dialer { return trusting(t, time.Hour, 2*time.Hour) }, "network.tls", check.PlantIT, "clock"},
		{"NET-TLS-NAME", func(t *testing.T) *tunnel.Dialer { return trusting(t, -time.Hour, time.Hour, "portal.plant") }, "network.tls", check.Firewall, "portal.plant"},
		{"NET-UPGRADE", func(t *testing.T) *tunnel.Dialer { return openRelay(t, nil, stripping).dialer() }, "network.websocket", check.Proxy, "Upgrade"},
		{"NET-PORTAL", func(t *testing.T) *tunnel.Dialer {
			return openRelay(t, nil, answering(302, "", "Location", "http://login.plant/")).dialer()
		}, "network.websocket", check.Firewall, "http://login.plant/"},
		{"NET-BLOCKED", func(t *testing.T) *tunnel.Dialer {
			return openRelay(t, nil, answering(200, "<html>Category: unrated")).dialer()
		}, "network.websocket", check.Proxy, "Category: unrated"},
		{"NET-GATEWAY", func(t *testing.T) *tunnel.Dialer { return openRelay(t, nil, answering(502, "")).dialer() }, "network.websocket", check.Cloud, "502"},
		{"NET-NOT-RELAY", func(t *testing.T) *tunnel.Dialer { return openRelay(t, nil, answering(404, "")).dialer() }, "network.websocket", check.PlantIT, "404"},
		{"NET-UPGRADE-CUT", func(t *testing.T) *tunnel.Dialer {
			return &tunnel.Dialer{URL: "ws://" + raw(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 1024)) })}
		}, "network.websocket", check.Proxy, "Upgrade: websocket"},
		{"NET-OTHER-RELAY", func(t *testing.T) *tunnel.Dialer {
			d := plain.dialer()
			d.Pin = openRelay(t, nil, nil).authority.Pin()
			return d
		}, "network.proof", check.Cloud, "authority"},
		{"NET-FRAMES", func(t *testing.T) *tunnel.Dialer { return openRelay(t, nil, swallowing).dialer() }, "network.proof", check.Proxy, "101"},
	} {
		t.Run(tt.id, func(t *testing.T) {
			t.Parallel()
			got := one(t, diagnose(t, doctor.Road{Dialer: tt.dialer(t)}))
			if got.ID != tt.id || got.Check != tt.check || got.For != tt.team || got.Status != check.Failed {
				t.Errorf("%s at %s for %s: %+v", got.ID, got.Check, got.For, got)
			}
			if all := got.Cause + got.Fix + strings.Join(got.Evidence, "\n"); !strings.Contains(all, tt.says) || strings.Contains(all, "s3cret") {
				t.Errorf("it does not say %q: %+v", tt.says, got)
			}
		})
	}
}

// trusting is the dialer of a relay whose certificate would be trusted.
func trusting(t *testing.T, from, to time.Duration, names ...string) *tunnel.Dialer {
	certificate := shown(t, "Some Authority", from, to, names...)
	d := openRelay(t, certificate, nil).dialer()
	d.Roots.AddCert(certificate.Leaf)
	return d
}

// swallowing answers the upgrade, and then passes nothing on.
func swallowing(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inner := httptest.NewServer(next)
		defer inner.Close()
		target, _ := url.Parse(inner.URL)
		cut := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(target) }, ErrorLog: log.New(io.Discard, "", 0),
			ModifyResponse: func(answer *http.Response) error {
				if answer.StatusCode == http.StatusSwitchingProtocols {
					answer.Body = deaf{answer.Body}
				}
				return nil
			}}
		cut.ServeHTTP(w, r)
	})
}

// deaf is a connection of which nothing comes.
type deaf struct{ io.ReadCloser }

func (deaf) Read([]byte) (int, error)    { return 0, io.EOF }
func (deaf) Write(p []byte) (int, error) { return len(p), nil }

func TestInspectionThatIsSurvived(t *testing.T) {
	certificate := shown(t, "Netskope", -time.Hour, time.Hour)
	d := openRelay(t, certificate, nil).dialer()
	d.Roots.AddCert(certificate.Leaf)
	got := one(t, diagnose(t, doctor.Road{Dialer: d}))
	if got.ID != "NET-INSPECTED" || got.Status != check.Warned || !strings.Contains(got.Cause, "Netskope opens") {
		t.Errorf("%+v", got)
	}
}

func TestClock(t *testing.T) {
	for off, want := range map[time.Duration]string{
		-10 * time.Second: "", 40 * time.Second: "HOST-CLOCK", -40 * time.Second: "HOST-CLOCK",
		5 * time.Minute: "HOST-CLOCK-OFF", -5 * time.Minute: "HOST-CLOCK-OFF",
	} {
		r := openRelay(t, nil, func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Date", time.Now().Add(off).UTC().Format(http.TimeFormat))
				next.ServeHTTP(w, r)
			})
		})
		report := diagnose(t, doctor.Road{Dialer: r.dialer()})
		if want == "" {
			if report.Status != check.Passed {
				t.Errorf("%s: %+v", off, one(t, report))
			}
			continue
		}
		got := one(t, report)
		side := map[bool]string{true: "behind", false: "ahead"}[off > 0]
		if got.ID != want || got.Check != "host.clock" || got.Hop != fault.HopAgent || !strings.Contains(got.Cause, side) {
			t.Errorf("%s: %+v", off, got)
		}
	}
}

// asked is a session's end as a road sees it.
type asked struct {
	doctor.Session
	err error
}

func (a asked) Ping(context.Context) (time.Duration, error) { return 42 * time.Millisecond, a.err }
func (asked) Close(string)                                  {}

func TestWhatTheRelaySays(t *testing.T) {
	t.Parallel()
	r := openRelay(t, nil, nil)
	now := time.Now()
	session := func(state, lastError, refusal string) control.Session {
		return control.Session{Lane: "calls", State: state, Since: now.Add(-time.Hour), LastError: lastError, Refusal: refusal, RoundTripMS: 7}
	}
	for _, tt := range []struct {
		id       string
		open     error // of a session of its own; nil with no sessions: it opens
		sessions []control.Session
	}{
		{id: ""},
		{id: "REL-REVOKED", open: &tunnel.Refused{Code: tunnel.CodeRevoked, Message: "It was removed."}},
		{id: "REL-UNKNOWN", open: &tunnel.Refused{Code: tunnel.CodeUnknownAgent}},
		{id: "REL-CERTIFICATE", open: &tunnel.Refused{Code: tunnel.CodeWrongCertificate}},
		{id: "REL-EXPIRED", open: &tunnel.Refused{Code: tunnel.CodeExpiredCertificate}},
		{id: "REL-OTHER-CA", open: &tunnel.Refused{Code: tunnel.CodeWrongCA}},
		{id: "REL-IN-USE", open: &tunnel.Refused{Code: tunnel.CodeIdentityInUse}},
		{id: "REL-REFUSED", open: &tunnel.Refused{Code: "of_the_future"}},
		{id: "REL-NO-SESSION", open: errors.New("it broke")},
		{id: "", sessions: []control.Session{session("connected", "", "")}},
		{id: "NET-NO-SESSION", sessions: []control.Session{session("waiting", "connection refused", "")}},
		{id: "NET-SOME-SESSIONS", sessions: []control.Session{session("connected", "", ""), session("dialing", "", "")}},
		{id: "REL-IN-USE", sessions: []control.Session{session("connected", "", ""), session("refused", "Another machine.", tunnel.CodeIdentityInUse)}},
	} {
		road := doctor.Road{Dialer: r.dialer(), Open: func(context.Context) (doctor.Session, error) { return asked{}, tt.open }}
		if tt.sessions != nil {
			road.Sessions = func(context.Context) ([]control.Session, error) { return tt.sessions, nil }
		}
		report := diagnose(t, road)
		if tt.id == "" {
			if report.Status != check.Passed || report.Count(check.Skipped) > 0 {
				t.Errorf("it should be well: %+v", report)
			}
			continue
		}
		if got := one(t, report); got.ID != tt.id {
			t.Errorf("%v %v: %+v", tt.open, tt.sessions, got)
		}
	}
}

func TestNamesAndSinkholes(t *testing.T) {
	for _, tt := range []struct {
		id      string
		name    string
		answers string // of the DNS server: an address, NXDOMAIN, or nothing
	}{
		{"NET-DNS-NAME", "relay.example.com", "NXDOMAIN"},
		{"NET-DNS-SERVER", "relay.example.com", "SERVFAIL"},
		{"NET-DNS-SINKHOLE", "relay.example.com", "0.0.0.0"},
		{"NET-DNS-SINKHOLE", "relay.example.com", "127.0.0.1"},
		{"NET-DNS-SINKHOLE", "relay.example.com", "146.112.61.106"},
		{"NET-REFUSED", "relay.example.com", "10.1.2.3"},
		{"NET-PROXY-NAME", "proxy.example.com", "NXDOMAIN"},
	} {
		road := doctor.Road{
			Dialer:   &tunnel.Dialer{URL: "wss://" + tt.name, Connect: failing(syscall.ECONNREFUSED)},
			Resolver: resolver(t, tt.answers),
		}
		if tt.id == "NET-PROXY-NAME" {
			road.Dialer.URL = "wss://relay.example.com"
			road.Dialer.Proxy = func(*url.URL) (*url.URL, error) { return url.Parse("http://" + tt.name) }
		}
		got := one(t, diagnose(t, road))
		if got.ID != tt.id || !strings.Contains(got.Cause+got.Fix, tt.name) {
			t.Errorf("%s: %+v", tt.answers, got)
		}
		if tt.name != "relay.example.com" {
			continue
		}
		request, err := road.Request(t.Context())
		if err != nil || request.Host != tt.name || request.Port != "443" || !strings.Contains(request.Text, "CONNECT relay.example.com:443") {
			t.Errorf("request: %+v, %v", request, err)
		}
		for line := range strings.Lines(request.Text) {
			if len(line) > 81 {
				t.Errorf("%d columns: %s", len(line), line)
			}
		}
	}
}

func TestANothingKnownIsNoFailure(t *testing.T) {
	report := diagnose(t, doctor.Road{NoRelay: "this agent is not enrolled"})
	if report.Status != check.Passed || report.Count(check.Skipped) != len(report.Results) {
		t.Errorf("%+v", report)
	}
	for _, c := range (doctor.Road{Deep: true}).Network() {
		if c.Group() != "network" {
			t.Errorf("%s is not about the network", c.Name)
		}
	}
}
