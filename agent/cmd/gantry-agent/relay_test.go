package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"gantry/tunnel"
	"gantry/tunnel/enrol"
	"gantry/tunnel/fault"
	"gantry/tunnel/pki"
)

// fakeRelay is the other end of the real tunnel. It takes one enrolment, and writes the tokens `token` and `used` (the same),
// `cut` (its beginning) and `gone` (of a relay that does not answer).
func fakeRelay(ts *testscript.TestScript, _ bool, _ []string) {
	authority, err := pki.NewAuthority()
	ts.Check(err)
	acceptor := &tunnel.Acceptor{
		Authority: authority,
		Enrol:     enrol.Handler(enrolOnce(authority)),
		Handler:   func(*tunnel.Session) http.Handler { return http.NotFoundHandler() },
	}
	mux := http.NewServeMux()
	mux.Handle("GET /tunnel", acceptor)
	server := httptest.NewServer(mux)
	ts.Defer(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = acceptor.Shutdown(ctx) // the agent is gone by now, or the test failed already
		server.Close()
	})
	token := enrol.Token{
		Relay: strings.Replace(server.URL, "http", "ws", 1), Pin: authority.Pin(), Secret: make([]byte, enrol.SecretSize), Expires: time.Now().Add(time.Hour),
	}
	text := token.Encode()
	token.Relay = "ws://" + closedPort(ts)
	for name, content := range map[string]string{"token": text, "used": text, "cut": text[:len(text)-20], "gone": token.Encode()} {
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(content+"\n"), 0o600))
	}
}

func enrolOnce(authority *pki.Authority) func(context.Context, enrol.Request, string) (enrol.Response, error) {
	var used atomic.Bool
	return func(_ context.Context, r enrol.Request, _ string) (enrol.Response, error) {
		if used.Swap(true) {
			return enrol.Response{}, fault.New(fault.AuthenticationFailed, "This enrolment token was used already.").Advise("Ask for a new one.")
		}
		certificate, _, err := authority.Sign(r.CSR, "agt_1", time.Hour)
		return enrol.Response{AgentID: "agt_1", SiteID: "site_1", OrganisationID: "org_1", Certificate: certificate, CA: authority.Certificate()}, err
	}
}

func closedPort(ts *testscript.TestScript) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	defer listener.Close() //nolint:errcheck // it never had a caller
	return listener.Addr().String()
}

// eventually repeats a command until it exits with a code: `eventually 0 gantry-agent status`.
func eventually(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := -1
	for range 200 {
		err := ts.Exec(args[1], args[2:]...)
		got = 0
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			got = exit.ExitCode()
		}
		if got == want {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	ts.Fatalf("%v still exits %d, want %d", args[1:], got, want)
}
