package odata_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"gantry/connectors"
	"gantry/connectors/odata"
)

// service is a server of one test: its answers are functions, by method and path, and what came in is kept.
type service struct {
	*httptest.Server
	dialect string
	routes  map[string]http.HandlerFunc
	admits  func(http.ResponseWriter, *http.Request) bool // nil: everybody; one that says no has answered

	mu   sync.Mutex
	seen []seen
}

// seen is a request that came in. Line has its query unescaped.
type seen struct {
	line   string
	header http.Header
	body   string
}

func newService(t testing.TB, dialect string) *service {
	t.Helper()
	metadata, err := os.ReadFile("testdata/" + dialect + ".xml")
	if err != nil {
		t.Fatal(err)
	}
	s := &service{dialect: dialect, routes: map[string]http.HandlerFunc{}}
	s.answer("GET /svc/$metadata", http.StatusOK, string(metadata))
	s.answer("GET /svc/", http.StatusOK, `{"d":{"EntitySets":[]}}`)
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func (s *service) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	line := r.Method + " " + r.URL.Path
	route := s.routes[line]
	if values := r.URL.Query(); len(values) > 0 {
		var all []string
		for name := range maps.Keys(values) {
			all = append(all, name+"="+values.Get(name))
		}
		line += "?" + strings.Join(sorted(all), "&")
	}
	s.mu.Lock()
	s.seen = append(s.seen, seen{line, r.Header, string(body)})
	s.mu.Unlock()
	if s.admits != nil && !s.admits(w, r) {
		return
	}
	if route == nil {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"error":{"code":"404","message":{"lang":"en","value":"Resource not found"}}}`)
		return
	}
	route(w, r)
}

func (s *service) answer(route string, status int, body string) {
	s.routes[route] = func(w http.ResponseWriter, _ *http.Request) {
		if strings.HasPrefix(body, "<") {
			w.Header().Set("Content-Type", "application/xml")
		} else {
			w.Header().Set("Content-Type", "application/json")
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

// requests are those whose line begins so.
func (s *service) requests(prefix string) []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []seen
	for _, one := range s.seen {
		if strings.HasPrefix(one.line, prefix) {
			out = append(out, one)
		}
	}
	return out
}

func (s *service) target(t testing.TB, protocol map[string]any) connectors.Target {
	t.Helper()
	if protocol == nil {
		protocol = map[string]any{}
	}
	protocol["service"] = "/svc"
	compiled, err := odata.Driver{}.Compile(s.dialect, map[string]any{"protocol": protocol})
	if err != nil {
		t.Fatal(err)
	}
	return connectors.Target{
		Dialect: s.dialect, Protocol: compiled,
		Settings:    map[string]any{"address": s.URL, "login": "basic", "username": "agent"},
		Credentials: map[string]connectors.Secret{"password": connectors.NewSecret("pw")},
	}
}

func (s *service) open(t testing.TB, protocol map[string]any) connectors.Conn {
	t.Helper()
	return openTarget(t, s.target(t, protocol))
}

func openTarget(t testing.TB, target connectors.Target) connectors.Conn {
	t.Helper()
	conn, err := odata.Driver{}.Open(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

var driver odata.Driver

func decode(t testing.TB, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatal(err)
	}
}

// step reads a step of a definition, as JSON.
func step(t testing.TB, dialect, text string) connectors.Statement {
	t.Helper()
	var native map[string]any
	decode(t, text, &native)
	s, err := odata.Driver{}.Compile(dialect, native)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func collect(rows iter.Seq2[connectors.Row, error]) ([]connectors.Row, error) {
	var out []connectors.Row
	for row, err := range rows {
		if err != nil {
			return out, err
		}
		out = append(out, row)
	}
	return out, nil
}

func failure(t testing.TB, err error) *connectors.Failure {
	t.Helper()
	f, ok := errors.AsType[*connectors.Failure](err)
	if !ok {
		t.Fatalf("got %v, expected a Failure", err)
	}
	return f
}

func exec(t testing.TB, conn connectors.Conn, s connectors.Statement, vars connectors.Vars) (connectors.Effect, error) {
	t.Helper()
	tx, err := conn.Begin(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	return tx.Exec(t.Context(), s, vars)
}
