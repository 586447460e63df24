package web_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gantry/connectors"
	"gantry/connectors/web"
	"gantry/tunnel/fault"
)

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

func client(t *testing.T, o web.Options) *web.Client {
	t.Helper()
	if o.Dial == nil {
		o.Dial = dial
	}
	c, err := web.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// failed gives the Failure of an exchange that must fail.
func failed(t *testing.T, err error) *connectors.Failure {
	t.Helper()
	f, ok := errors.AsType[*connectors.Failure](err)
	if !ok {
		t.Fatalf("got %v, expected a Failure", err)
	}
	return f
}

var effect = web.Request{Method: "POST", URL: "orders", Body: []byte(`{"a":1}`), Effect: true}

func TestExchange(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s", r.Method, r.URL, r.Header.Get("Authorization"), body)
	})
	c := client(t, web.Options{Address: server.URL + "/api"})
	r := effect
	r.Header = http.Header{"Authorization": {"Bearer x"}}
	got, err := c.Do(t.Context(), r)
	if err != nil || got.Status != 200 || string(got.Body) != `POST /api/orders Bearer x {"a":1}` {
		t.Errorf("%+v %q %v", got, got.Body, err)
	}
}

// TestMisbehaviour tells what a server that does not play by the rules leads to.
func TestMisbehaviour(t *testing.T) {
	hang := func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() }
	cut := func(w http.ResponseWriter, _ *http.Request) {
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = conn.Close()
		}
	}
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc
		kind    connectors.Kind
		timeout time.Duration
	}{
		{"never answers", hang, connectors.TimedOut, 200 * time.Millisecond},
		{"cuts after the request", cut, connectors.Lost, 0},
		{"stops within the body", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("half"))
		}, connectors.Lost, 0},
		{"body too large", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(make([]byte, 1<<20))
		}, connectors.Lost, 0},
		{"body unpacks too large", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(make([]byte, 8<<20))
			_ = z.Close()
		}, connectors.Lost, 0},
		{"headers too large", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 1<<20))
		}, connectors.Lost, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := serve(t, test.handler)
			c := client(t, web.Options{Address: server.URL, Timeout: test.timeout, MaxBody: 64 << 10})
			_, err := c.Do(t.Context(), effect)
			if f := failed(t, err); f.Kind != test.kind || !f.Sent {
				t.Errorf("kind %s, sent %t: %v", f.Kind, f.Sent, f)
			}
			c.Close() // so that the server need not wait for us
		})
	}
}

func TestNotSent(t *testing.T) {
	refusal := fault.New(fault.PolicyDenied, "no")
	for _, test := range []struct {
		name string
		dial connectors.DialFunc
	}{
		{"policy", func(context.Context, string, string) (net.Conn, error) { return nil, refusal }},
		{"no route", func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no route") }},
	} {
		c := client(t, web.Options{Address: "https://plant.invalid", Dial: test.dial})
		_, err := c.Do(t.Context(), effect)
		if test.name == "policy" {
			if !fault.Is(err, fault.PolicyDenied) {
				t.Errorf("got %v, expected the policy's refusal", err)
			}
			continue
		}
		if f := failed(t, err); f.Kind != connectors.Unreachable || f.Sent {
			t.Errorf("%s: %+v", test.name, f)
		}
	}
}

func TestCancel(t *testing.T) {
	came := make(chan struct{}, 2)
	server := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		came <- struct{}{}
		<-r.Context().Done()
	})
	c := client(t, web.Options{Address: server.URL})
	for _, hasEffect := range []bool{true, false} {
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-came; cancel() }()
		r := effect
		r.Effect = hasEffect
		_, err := c.Do(ctx, r)
		f, isFailure := errors.AsType[*connectors.Failure](err)
		if !errors.Is(err, context.Canceled) || isFailure != hasEffect || isFailure && !f.Sent {
			t.Errorf("effect %t: %v", hasEffect, err)
		}
	}
}

func TestRedirectsStay(t *testing.T) {
	foreign := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the foreign server was called, with %q", r.Header.Get("Authorization"))
	})
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/home":
			http.Redirect(w, r, "/final", http.StatusFound)
		case "/away":
			http.Redirect(w, r, foreign.URL, http.StatusTemporaryRedirect)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		default:
			fmt.Fprint(w, r.Header.Get("Authorization"))
		}
	})
	c := client(t, web.Options{Address: server.URL})
	login := http.Header{"Authorization": {"Bearer x"}}
	for path, want := range map[string]int{"home": 200, "away": 307, "round": 302} {
		got, err := c.Do(t.Context(), web.Request{URL: path, Header: login})
		if err != nil || got.Status != want {
			t.Errorf("%s: %+v, %v; expected %d", path, got, err, want)
		}
	}
	got, err := c.Do(t.Context(), web.Request{Method: "POST", URL: "home", Header: login, Effect: true})
	if err != nil || got.Status != http.StatusFound || got.Refusal().Source["location"] != "/final" {
		t.Errorf("an effect followed a redirect: %+v, %v", got, err)
	}
	if _, err := c.Do(t.Context(), web.Request{URL: foreign.URL}); failed(t, err).Kind != connectors.Misused {
		t.Errorf("got %v", err)
	}
}

func TestResolve(t *testing.T) {
	c := client(t, web.Options{Address: "https://erp.plant.local/api/"})
	for _, test := range []struct {
		link, want string
		rebase     bool
	}{
		{"orders?page=2", "https://erp.plant.local/api/orders?page=2", false},
		{"https://ERP.plant.local:443/api/x#y", "https://ERP.plant.local:443/api/x", false},
		{"https://inside.plant.local:8443/api/x?skip=5", "", false},
		{"https://inside.plant.local:8443/api/x?skip=5", "https://erp.plant.local/api/x?skip=5", true},
		{"//evil.example/x", "", false},
		{"https://user:pass@erp.plant.local/x", "", true},
		{"file:///etc/passwd", "", true},
		{"http://erp.plant.local/x", "", false},
	} {
		got, err := c.Resolve(test.link, test.rebase)
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s: %q, %v", test.link, got, err)
		}
	}
}

func TestAddress(t *testing.T) {
	for _, address := range []string{"", "erp.plant.local", "ftp://x/", "https://user:pw@x/", "https://x/?a=b", "https:///x"} {
		if _, err := web.New(web.Options{Address: address, Dial: dial}); err == nil {
			t.Errorf("%q was taken", address)
		}
	}
}

func TestTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	if _, err := client(t, web.Options{Address: server.URL}).Do(t.Context(), effect); failed(t, err).Kind != connectors.Insecure ||
		!strings.Contains(failed(t, err).Message, "certificate") {
		t.Errorf("an unknown authority: %v", err)
	}
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	if _, err := client(t, web.Options{Address: server.URL, CA: ca}).Do(t.Context(), effect); err != nil {
		t.Errorf("with the authority: %v", err)
	}
	if _, err := web.New(web.Options{Address: server.URL, CA: "none", Dial: dial}); err == nil {
		t.Error("a CA that is none was taken")
	}
}

func TestLogHasNoSecrets(t *testing.T) {
	var log bytes.Buffer
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "s3cret-answer") })
	c := client(t, web.Options{Address: server.URL, Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	_, err := c.Do(t.Context(), web.Request{Method: "POST", URL: "x?key=s3cret-query", Body: []byte("s3cret-body"), Header: http.Header{"Authorization": {"s3cret-header"}}})
	if err != nil || log.Len() == 0 || strings.Contains(log.String(), "s3cret") {
		t.Errorf("%v: %s", err, log.String())
	}
}

func TestRefusal(t *testing.T) {
	for _, test := range []struct {
		status  int
		body    string
		message string
		sent    bool
	}{
		{401, "<!doctype html>\n<title>401 Unauthorized</title><p>x", "401 Unauthorized", false},
		{500, "<?xml version='1.0'?><x/>", "Internal Server Error", false},
		{409, ` {"message": "taken"} `, `{"message": "taken"}`, false},
		{504, "", "Gateway Timeout", true},
		{400, strings.Repeat("ä", 4000), strings.Repeat("ä", 1024) + "…", false},
	} {
		r := web.Response{Status: test.status, Header: http.Header{"Retry-After": {"7"}}, Body: []byte(test.body)}
		if f := r.Refusal(); f.Message != test.message || f.Sent != test.sent || f.After != 7*time.Second {
			t.Errorf("%d: %+v", test.status, f)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "5": 5 * time.Second, "-5": 0, "99999999999": 0, "86400": time.Hour, "soon": 0,
		"Sun, 01 Mar 2026 06:01:00 GMT": time.Minute, "Sun, 01 Mar 2026 05:01:00 GMT": 0, "Sun, 01 Mar 2036 06:01:00 GMT": time.Hour,
	} {
		if got := web.RetryAfter(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("%q: %s, expected %s", value, got, want)
		}
	}
}
