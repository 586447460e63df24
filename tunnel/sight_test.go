package tunnel_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gantry/tunnel"
)

// echoing is a server that gives echoes, over TLS with the certificate or without.
func echoing(t *testing.T, shown *tls.Certificate) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle(tunnel.EchoPath, tunnel.EchoHandler())
	s := httptest.NewUnstartedServer(mux)
	t.Cleanup(s.Close)
	if shown == nil {
		s.Start()
		return s
	}
	s.TLS = &tls.Config{Certificates: []tls.Certificate{*shown}}
	s.StartTLS()
	return s
}

// TestSight: the three ways in which the outer TLS can be seen from both ends.
func TestSight(t *testing.T) {
	shown := certificate(t, "localhost", -time.Hour, time.Hour)
	roots := x509.NewCertPool()
	roots.AddCert(shown.Leaf)
	relay := echoing(t, shown)
	plain := echoing(t, nil)
	between := func(relay *httptest.Server) string {
		at, err := url.Parse(relay.URL)
		if err != nil {
			t.Fatal(err)
		}
		proxy := httputil.NewSingleHostReverseProxy(at)
		proxy.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "localhost"}}
		opens := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Add("Via", "1.1 inspector")
			proxy.ServeHTTP(w, r)
		}))
		opens.TLS = &tls.Config{Certificates: []tls.Certificate{*shown}}
		opens.StartTLS()
		t.Cleanup(opens.Close)
		return opens.Listener.Addr().String()
	}
	for _, tt := range []struct {
		name, url string
		want      tunnel.Outer
		inspected bool
	}{
		{"nobody between", "wss://localhost:" + port(t, relay.Listener.Addr().String()), tunnel.OuterSame, false},
		{"opened between", "wss://localhost:" + port(t, between(relay)), tunnel.OuterOpened, true},
		{"ended before the relay", "wss://localhost:" + port(t, between(plain)), tunnel.OuterEnded, false},
		{"no TLS", "ws://" + plain.Listener.Addr().String(), tunnel.OuterUnneeded, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sight, err := (&tunnel.Dialer{URL: tt.url, Roots: roots}).Look(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_, inspected := sight.Inspected()
			if sight.Outer != tt.want || inspected != tt.inspected {
				t.Errorf("outer %s, want %s; inspected %v", sight.Outer, tt.want, inspected)
			}
			if through := strings.Contains(tt.name, "ed "); through != slices.Contains(sight.Via, "1.1 inspector") {
				t.Errorf("via %q", sight.Via)
			}
			if sight.Echo.Remote == "" || sight.Echo.Headers["User-Agent"][0] != "gantry-agent" {
				t.Errorf("echo %+v", sight.Echo)
			}
		})
	}
}

func TestSightWithoutAnEcho(t *testing.T) {
	for name, answer := range map[string]string{"a page": "<html>", "another document": `{"status":"ok"}`, "not found": ""} {
		at := startServer(t, func(w http.ResponseWriter, _ *http.Request) {
			if answer == "" {
				w.WriteHeader(http.StatusNotFound)
			}
			_, _ = w.Write([]byte(answer))
		})
		if sight, err := (&tunnel.Dialer{URL: "ws://" + at}).Look(t.Context()); !errors.Is(err, tunnel.ErrNoEcho) || sight.Echo != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSightOfAnUntrustedInspector: its certificate names it although the handshake fails.
func TestSightOfAnUntrustedInspector(t *testing.T) {
	at := startTLS(t, certificate(t, "localhost", -time.Hour, time.Hour), nil)
	sight, err := (&tunnel.Dialer{URL: "wss://localhost:" + port(t, at), Roots: x509.NewCertPool()}).Look(t.Context())
	if failed, ok := errors.AsType[*tunnel.DialError](err); !ok || failed.Reason() != tunnel.ReasonUntrusted || len(sight.Chain) != 1 {
		t.Errorf("%v, chain of %d", err, len(sight.Chain))
	}
}

func TestInspectors(t *testing.T) {
	chain := func(names ...pkix.Name) []*x509.Certificate {
		var all []*x509.Certificate
		for _, name := range names {
			all = append(all, &x509.Certificate{Issuer: name, Subject: pkix.Name{CommonName: "relay.zscaler-customer.com"}})
		}
		return all
	}
	for want, name := range map[string]pkix.Name{
		"Zscaler":              {CommonName: "Zscaler Intermediate Root CA (zscalertwo.net)", Organization: []string{"Zscaler Inc."}},
		"Netskope":             {CommonName: "ca.plant.goskope.com"},
		"Palo Alto Networks":   {Organization: []string{"Palo Alto Networks"}},
		"Fortinet":             {CommonName: "FG100ETK18000000", Organization: []string{"Fortinet"}},
		"Symantec (Blue Coat)": {OrganizationalUnit: []string{"Blue Coat ProxySG"}},
		"Kaspersky":            {CommonName: "Kaspersky Anti-Virus Personal Root Certificate"},
		"mitmproxy":            {CommonName: "mitmproxy"},
		"":                     {CommonName: "R11", Organization: []string{"Let's Encrypt"}},
	} {
		if got := tunnel.InspectorOf(chain(name)); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := tunnel.InspectorOf(chain(pkix.Name{CommonName: "Plant issuing CA 3"}, pkix.Name{CommonName: "Sophos SSL CA_C2"})); got != "Sophos" {
		t.Errorf("by the second of the chain: %q", got)
	}
}

// TestEchoIsBounded: no header beyond those of the way comes back, and who asks too often is told so.
func TestEchoIsBounded(t *testing.T) {
	handler := tunnel.EchoHandler()
	ask := func(remote string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, tunnel.EchoPath, nil)
		r.RemoteAddr = remote
		for range 20 {
			r.Header.Add("Via", strings.Repeat("x", 1000))
		}
		r.Header.Set("Cookie", "session=secret")
		r.Header.Set("Authorization", "Bearer secret")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	w := ask("192.0.2.7:1")
	var echo tunnel.Echo
	if err := json.Unmarshal(w.Body.Bytes(), &echo); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(w.Body.String(), "secret") || w.Body.Len() > 4<<10 || len(echo.Headers["Via"]) != 8 || echo.Remote != "192.0.2.7:1" {
		t.Errorf("echo of %d bytes: %+v", w.Body.Len(), echo)
	}
	status := 0
	for range 10 {
		status = ask("192.0.2.7:1").Code
	}
	if status != http.StatusTooManyRequests {
		t.Errorf("the eleventh at once: %d", status)
	}
	if got := ask("192.0.2.8:1").Code; got != http.StatusOK {
		t.Errorf("another address: %d", got)
	}
	if got := ask("[2001:db8::1]:1").Code; got != http.StatusOK {
		t.Errorf("an IPv6 address: %d", got)
	}
	for range 5 {
		status = ask("[2001:db8::2]:1").Code
	}
	if status != http.StatusTooManyRequests {
		t.Errorf("another address of a network that asked: %d", status)
	}
	for i := range 100 {
		status = ask("198.51.100." + strconv.Itoa(i) + ":1").Code
	}
	if status == http.StatusOK {
		t.Error("a hundred addresses at once are all served")
	}
}
