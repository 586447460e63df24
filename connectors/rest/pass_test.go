package rest_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"gantry/connectors"
	"gantry/tunnel/fault"
)

// pass sends a system's own request.
func pass(t testing.TB, conn connectors.Conn, p connectors.Passage) (connectors.Passed, error) {
	t.Helper()
	p.Form, p.Effect = connectors.OverHTTP, p.Method != http.MethodGet
	return conn.(connectors.Passer).Pass(t.Context(), p)
}

func get(path string) connectors.Passage {
	return connectors.Passage{Method: http.MethodGet, Path: path}
}

func TestPassSendsWhatWasJudged(t *testing.T) {
	var seen *http.Request
	var body string
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		raw := make([]byte, r.ContentLength)
		_, _ = r.Body.Read(raw)
		seen, body = r, string(raw)
		w.Header().Set("ETag", `"8"`)
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte("no coffee"))
	})
	conn := s.plug(t, nil, func(target *connectors.Target) { target.Settings["login"] = "bearer" })
	got, err := pass(t, conn, connectors.Passage{
		Method: "MERGE", Path: "/Parts('4%205')/x;y=1:z", Query: url.Values{"$filter": {"a eq 'b+c'"}, "n": {"1", "2"}},
		Header: http.Header{"If-Match": {`"7"`}, "Accept": {"text/plain"}}, Body: []byte("{}"),
	})
	if err != nil || got.Status != http.StatusTeapot || string(got.Body) != "no coffee" || got.Header.Get("ETag") != `"8"` || !slices.Equal(got.Login, []string{"t0ken"}) {
		t.Errorf("%+v %s, %v", got, got.Body, err)
	}
	if seen.Method != "MERGE" || seen.RequestURI != "/base/Parts('4%205')/x;y=1:z?%24filter=a%20eq%20%27b%2Bc%27&n=1&n=2" || body != "{}" ||
		seen.Header.Get("If-Match") != `"7"` || seen.Header.Get("Accept") != "text/plain" || seen.Header.Get("Authorization") != "Bearer t0ken" {
		t.Errorf("%s %s %v %s", seen.Method, seen.RequestURI, seen.Header, body)
	}
}

func TestPassFollowsNoRedirect(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/base/other", http.StatusFound)
	})
	got, err := pass(t, s.plug(t, nil), get("/parts"))
	if err != nil || got.Status != http.StatusFound || len(s.requests) != 1 {
		t.Errorf("%d after %v, %v", got.Status, s.requests, err)
	}
}

func TestPassBoundsTheAnswer(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(strings.Repeat("x", connectors.MaxPassed+1)))
	})
	conn := s.plug(t, nil)
	if _, err := pass(t, conn, get("/parts")); failure(t, err).Sent {
		t.Error("a read had an effect")
	}
	if _, err := pass(t, conn, connectors.Passage{Method: http.MethodPost, Path: "/parts"}); !failure(t, err).Sent {
		t.Error("a write whose answer was not read had no effect")
	}
}

// TestPassKeepsTheLogin shows that what a path answers is no word on the login: neither is it refused for good, nor had anew.
func TestPassKeepsTheLogin(t *testing.T) {
	valid := ""
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/base/login":
			valid = fmt.Sprintf("token-%d", len(valid))
			_, _ = fmt.Fprintf(w, `{"token":%q}`, valid)
		case r.Header.Get("Authorization") != valid && r.Header.Get("Authorization") != "Bearer t0ken" || r.URL.Path == "/base/secret":
			w.WriteHeader(http.StatusUnauthorized)
		default:
			_, _ = w.Write([]byte("{}"))
		}
	})
	static := s.plug(t, nil, func(target *connectors.Target) { target.Settings["login"] = "bearer" })
	session := s.plug(t, map[string]any{
		"login": map[string]any{"by": "session", "post": "/login", "token": "token"}, "prove": map[string]any{"post": "/refresh"},
	})
	for name, conn := range map[string]connectors.Conn{"static": static, "session": session} {
		for _, path := range []string{"/secret", "/secret", "/parts"} {
			want := map[string]int{"/secret": 401, "/parts": 200}[path]
			if got, err := pass(t, conn, get(path)); err != nil || got.Status != want {
				t.Errorf("%s: %s: %d, %v", name, path, got.Status, err)
			}
		}
	}
	logins := func() (n int) {
		for _, r := range s.requests {
			if r == "POST /base/login" {
				n++
			}
		}
		return n
	}
	if logins() != 1 {
		t.Errorf("%d logins for a path that wants another", logins())
	}
	valid = "nobody has it"
	if got, err := pass(t, session, get("/parts")); err != nil || got.Status != 200 || logins() != 2 {
		t.Errorf("after the session's end: %d, %v, %d logins", got.Status, err, logins())
	}
}

func TestPassRefusesTheLoginItself(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"token":"one"}`)) })
	conn := s.plug(t, map[string]any{
		"login": map[string]any{"by": "session", "post": "/auth/:login_username/login", "token": "token"}, "prove": map[string]any{"post": "/auth/refresh"},
	})
	for _, path := range []string{"/auth/agent/login", "/AUTH/agent/login/", "/auth;x/agent/login;y=1", "/auth/refresh"} {
		_, err := pass(t, conn, get(path))
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Code != fault.PolicyDenied || f.Outcome != fault.NotSent {
			t.Errorf("%s: %v", path, err)
		}
	}
	if len(s.requests) != 0 {
		t.Errorf("sent: %v", s.requests)
	}
}
