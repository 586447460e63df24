package tunnel_test

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
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"gantry/tunnel"
	"gantry/tunnel/pki"
)

// reasonOf probes and gives why that failed.
func reasonOf(t *testing.T, d *tunnel.Dialer) (tunnel.Reason, *tunnel.DialError) {
	t.Helper()
	_, err := d.Probe(t.Context())
	failed, ok := errors.AsType[*tunnel.DialError](err)
	if !ok {
		t.Fatalf("the probe ended with %v", err)
	}
	return failed.Reason(), failed
}

func TestReasonsOfSockets(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the numbers are those of Unix")
	}
	for want, err := range map[tunnel.Reason]error{
		tunnel.ReasonRefused:   syscall.ECONNREFUSED,
		tunnel.ReasonTimeout:   syscall.ETIMEDOUT,
		tunnel.ReasonCut:       syscall.ECONNRESET,
		tunnel.ReasonNoRoute:   syscall.EHOSTUNREACH,
		tunnel.ReasonForbidden: syscall.EPERM,
		tunnel.ReasonUnknown:   syscall.ENOMEM,
		tunnel.ReasonNoName:    &net.DNSError{IsNotFound: true},
		tunnel.ReasonNoAnswer:  &net.DNSError{IsTimeout: true},
	} {
		d := &tunnel.Dialer{URL: "wss://relay.example.com", Connect: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}
		}}
		if got, failed := reasonOf(t, d); got != want {
			t.Errorf("%v: %s, want %s", failed, got, want)
		}
	}
}

func TestReasonsOfAnswers(t *testing.T) {
	h := newHouse(t, echo("relay"), nil)
	relay, err := url.Parse(h.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	stripping := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(relay)
		r.Out.Header.Del("Upgrade")
		r.Out.Header.Del("Connection")
	}}
	answer := func(status int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "<html>words of a stranger")
		}
	}
	for _, tt := range []struct {
		name   string
		server http.HandlerFunc
		want   tunnel.Reason
	}{
		{"a proxy takes the upgrade off", stripping.ServeHTTP, tunnel.ReasonNoUpgrade},
		{"a portal", answer(302, "Location", "http://login.plant/"), tunnel.ReasonRedirected},
		{"a portal of RFC 6585", answer(511), tunnel.ReasonRedirected},
		{"a load balancer without a relay", answer(502), tunnel.ReasonGateway},
		{"another 503", answer(503), tunnel.ReasonGateway},
		{"a block page", answer(403, "Server", "WebFilter/9"), tunnel.ReasonForeign},
		{"a page", answer(200), tunnel.ReasonForeign},
		{"nothing at this path", answer(404), tunnel.ReasonNoSuchRelay},
	} {
		d := &tunnel.Dialer{URL: "ws://" + startServer(t, tt.server)}
		got, failed := reasonOf(t, d)
		if got != tt.want || failed.Stage != tunnel.StageWebSocket {
			t.Errorf("%s: %s, want %s: %v", tt.name, got, tt.want, failed)
		}
		if tt.name == "a portal" && failed.Target != "http://login.plant/" || tt.name == "a block page" && failed.Server != "WebFilter/9" {
			t.Errorf("%s: target %q, server %q", tt.name, failed.Target, failed.Server)
		}
	}
}

func TestReasonsOfProxies(t *testing.T) {
	for status, want := range map[string]tunnel.Reason{
		"403 Forbidden": tunnel.ReasonProxyNo, "407 Proxy Authentication Required": tunnel.ReasonProxyAuth,
		"502 Bad Gateway": tunnel.ReasonProxyFar, "504 Gateway Timeout": tunnel.ReasonProxyFar, "500 Unable to connect": tunnel.ReasonProxyFar,
		"400 Bad Request": tunnel.ReasonNotProxy, "": tunnel.ReasonNotProxy,
	} {
		at := startRaw(t, func(c net.Conn) {
			if status == "" {
				_, _ = io.WriteString(c, "SSH-2.0-OpenSSH_9.2\r\n")
				return
			}
			_, _ = c.Read(make([]byte, 1024))
			_, _ = io.WriteString(c, "HTTP/1.1 "+status+"\r\nContent-Length: 0\r\n\r\n")
		})
		d := &tunnel.Dialer{URL: "wss://relay.example.com", Proxy: func(*url.URL) (*url.URL, error) { return &url.URL{Scheme: "http", Host: at}, nil }}
		if got, failed := reasonOf(t, d); got != want || !failed.Proxy || failed.Address != at {
			t.Errorf("%q: %s, want %s: %v", status, got, want, failed)
		}
	}
	for name, proxy := range map[string]func(*url.URL) (*url.URL, error){
		"unreadable": func(*url.URL) (*url.URL, error) { return nil, errors.New("http://user:pass word@") },
		"socks":      func(*url.URL) (*url.URL, error) { return url.Parse("socks5://proxy:1080") },
	} {
		if got, failed := reasonOf(t, &tunnel.Dialer{URL: "wss://relay.example.com", Proxy: proxy}); got != tunnel.ReasonSetting {
			t.Errorf("%s: %s: %v", name, got, failed)
		}
	}
}

func TestReasonsOfTLS(t *testing.T) {
	plain := startServer(t, func(http.ResponseWriter, *http.Request) {})
	cut := startRaw(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 1024)) })
	strict := startTLS(t, certificate(t, "localhost", -time.Hour, time.Hour), func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS10 })
	for _, tt := range []struct {
		name, at string
		issuer   *tls.Certificate
		want     tunnel.Reason
	}{
		{"no TLS", plain, nil, tunnel.ReasonNotTLS},
		{"cut", cut, nil, tunnel.ReasonCut},
		{"an old TLS", strict, nil, tunnel.ReasonTLSRefused},
		{"untrusted", "", nil, tunnel.ReasonUntrusted},
		{"expired", "", certificate(t, "localhost", -2*time.Hour, -time.Hour), tunnel.ReasonExpired},
		{"not yet", "", certificate(t, "localhost", time.Hour, 2*time.Hour), tunnel.ReasonNotYet},
		{"another name", "", certificate(t, "blocked.plant", -time.Hour, time.Hour), tunnel.ReasonWrongName},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := &tunnel.Dialer{URL: "wss://" + tt.at, Roots: x509.NewCertPool()}
			if tt.at == "" {
				shown := tt.issuer
				if shown == nil {
					shown = certificate(t, "localhost", -time.Hour, time.Hour)
				} else {
					d.Roots.AddCert(shown.Leaf)
				}
				d.URL = "wss://localhost:" + port(t, startTLS(t, shown, nil))
			}
			got, failed := reasonOf(t, d)
			if got != tt.want || failed.Stage != tunnel.StageTLS {
				t.Errorf("%s, want %s: %v", got, tt.want, failed)
			}
			if tt.at == "" && (failed.Certificate == nil || !strings.Contains(failed.Issuer, "Some Inspector")) {
				t.Errorf("the certificate is not told: %+v", failed)
			}
		})
	}
}

func TestReasonOfAnotherRelay(t *testing.T) {
	h := newHouse(t, echo("relay"), nil)
	if got, failed := reasonOf(t, &tunnel.Dialer{URL: h.server.URL, Pin: newAuthority(t).Pin()}); got != tunnel.ReasonWrongRelay {
		t.Errorf("%s: %v", got, failed)
	}
}

func TestProbe(t *testing.T) {
	h := newHouse(t, echo("relay"), func(a *tunnel.Acceptor) {
		a.Enrol = http.NotFoundHandler()
	})
	https := httptest.NewUnstartedServer(h.acceptor)
	https.StartTLS()
	defer https.Close()
	roots := x509.NewCertPool()
	roots.AddCert(https.Certificate())
	running, _ := h.connect(t, h.dialer(t, echo("agent")), tunnel.LaneCalls)
	for name, pin := range map[string]pki.Pin{"pinned": h.authority.Pin(), "any relay": {}} {
		p := &proxy{target: https.Listener.Addr().String()}
		at := startRaw(t, p.serve)
		d := &tunnel.Dialer{URL: https.URL, Roots: roots, Pin: pin, Proxy: func(*url.URL) (*url.URL, error) {
			return &url.URL{Scheme: "http", Host: at, User: url.UserPassword("plant", "s3cret")}, nil
		}}
		steps, err := d.Probe(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var stages []tunnel.Stage
		for _, s := range steps {
			stages = append(stages, s.Stage)
		}
		want := []tunnel.Stage{tunnel.StageTCP, tunnel.StageProxy, tunnel.StageTLS, tunnel.StageWebSocket, tunnel.StageInnerTLS}
		if !slices.Equal(stages, want) || !steps[0].Proxy || steps[0].Remote.String() != at || steps[2].TLS == nil {
			t.Errorf("%s: %+v", name, steps)
		}
		if date, err := http.ParseTime(steps[3].Header.Get("Date")); err != nil || time.Since(date) > time.Minute {
			t.Errorf("%s: the relay's clock is not told: %v", name, steps[3].Header)
		}
	}
	if _, err := running.Ping(t.Context()); err != nil {
		t.Errorf("the running session was touched: %v", err)
	}
	unpinned := h.dialer(t, echo("agent"))
	unpinned.Pin = pki.Pin{}
	if err := dialFails(t, unpinned); !errors.Is(err, pki.ErrPin) {
		t.Errorf("a session without a pin: %v", err)
	}
}

// TestAProbeTellsWhereItWas: the end of its context does not hide the stage.
func TestAProbeTellsWhereItWas(t *testing.T) {
	mute := startRaw(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := (&tunnel.Dialer{URL: "ws://" + mute}).Probe(ctx)
	if failed, ok := errors.AsType[*tunnel.DialError](err); !ok || failed.Stage != tunnel.StageWebSocket || failed.Reason() != tunnel.ReasonTimeout {
		t.Errorf("probe: %v", err)
	}
}

// certificate makes one that signs itself, and tells of its issuer.
func certificate(t *testing.T, name string, from, to time.Duration) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name, Organization: []string{"Some Inspector"}}, DNSNames: []string{name},
		NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(to), IsCA: true, BasicConstraintsValid: true,
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

func startTLS(t *testing.T, shown *tls.Certificate, change func(*tls.Config)) (address string) {
	t.Helper()
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = &tls.Config{Certificates: []tls.Certificate{*shown}}
	if change != nil {
		change(s.TLS)
	}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func port(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return port
}
