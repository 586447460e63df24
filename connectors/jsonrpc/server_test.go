package jsonrpc_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"gantry/connectors"
	"gantry/connectors/jsonrpc"

	"github.com/google/go-cmp/cmp"
)

// server plays the protocol's bad days: what a real one does only when it is ill. What a healthy one does is tested
// against a real one.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	logins int
	calls  []string                                                    // methods, in their order
	answer func(method string, params []any) (status int, body string) // of calls with a login
	login  func() (status int, body string)                            // nil: it is taken
	groups string                                                      // of the user, as JSON
}

func newServer(t *testing.T, answer func(method string, params []any) (int, string)) *server {
	s := &server{answer: answer}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var call struct {
		Method string
		Params []any
	}
	_ = json.NewDecoder(r.Body).Decode(&call)
	status, body := 200, `{"id":1,"result":null}`
	switch {
	case call.Method == "common.db.login":
		s.logins++
		if body = fmt.Sprintf(`{"id":1,"result":[7,"session-%d"]}`, s.logins); s.login != nil {
			status, body = s.login()
		}
	case call.Method == "model.res.user.get_preferences":
		if body = `{"id":1,"result":{"company":1}}`; s.groups != "" {
			body = `{"id":1,"result":{"company":1,"groups":` + s.groups + `}}`
		}
	case call.Method != "common.db.logout":
		s.calls = append(s.calls, call.Method)
		status, body = s.answer(call.Method, call.Params)
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}

func (s *server) open(t *testing.T) connectors.Conn {
	t.Helper()
	conn, err := jsonrpc.Driver{}.Open(t.Context(), connectors.Target{
		Dialect:     "tryton",
		Settings:    map[string]any{"address": s.URL, "database": "erp", "username": "agent"},
		Credentials: map[string]connectors.Secret{"password": connectors.NewSecret("s3cret")},
		Limits:      connectors.Limits{PageSize: 2},
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func compile(t testing.TB, native map[string]any) connectors.Statement {
	t.Helper()
	s, err := jsonrpc.Driver{}.Compile("tryton", native)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var parts = map[string]any{"model": "part", "columns": map[string]any{"id": "id", "price": "price as decimal"}}

func ids(t *testing.T, conn connectors.Conn) ([]any, error) {
	t.Helper()
	var out []any
	for row, err := range conn.Read(t.Context(), connectors.Read{Statement: compile(t, parts), OrderBy: []string{"id"}}) {
		if err != nil {
			return out, err
		}
		out = append(out, row["id"])
	}
	return out, nil
}

func exec(t *testing.T, conn connectors.Conn) (connectors.Effect, error) {
	t.Helper()
	tx, err := conn.Begin(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	return tx.Exec(t.Context(), compile(t, map[string]any{
		"method": "model.part.create", "params": []any{[]any{map[string]any{"name": ":name"}}}, "result": map[string]any{"id": "0"},
	}), connectors.Vars{"name": "x"})
}

const unauthorized = "<!doctype html>\n<title>401 Unauthorized</title><p>The server could not verify…"

func TestSessionEndsWithinAStream(t *testing.T) {
	pages := []string{`[{"id":1,"price":null},{"id":2,"price":null}]`, "", `[{"id":3,"price":null}]`}
	s := newServer(t, func(string, []any) (int, string) {
		page := pages[0]
		if pages = pages[1:]; page == "" {
			return 401, unauthorized
		}
		return 200, `{"id":1,"result":` + page + `}`
	})
	got, err := ids(t, s.open(t))
	if diff := cmp.Diff([]any{int64(1), int64(2), int64(3)}, got); err != nil || diff != "" || s.logins != 2 {
		t.Errorf("%v after %d logins: %s", err, s.logins, diff)
	}
}

func TestSessionIsRenewedOnce(t *testing.T) {
	s := newServer(t, func(string, []any) (int, string) { return 401, unauthorized })
	_, err := exec(t, s.open(t))
	f, ok := errors.AsType[*connectors.Failure](err)
	if !ok || f.Kind != connectors.Answered || f.Message != "401 Unauthorized" || f.Sent || s.logins != 2 || len(s.calls) != 2 {
		t.Errorf("%+v after %d logins and %d calls", err, s.logins, len(s.calls))
	}
}

func TestRefusedLoginIsTriedOnce(t *testing.T) {
	for _, status := range []int{401, 429} {
		s := newServer(t, nil)
		s.login = func() (int, string) { return status, unauthorized }
		conn := s.open(t)
		for range 10 {
			_, err := conn.Check(t.Context())
			f, ok := errors.AsType[*connectors.Failure](err)
			if !ok || f.Source["http"] != int64(status) || (f.After > 0) != (status == 429) {
				t.Errorf("%d: %+v", status, err)
			}
			if ok && strings.Contains(fmt.Sprintf("%+v %v", f, f.Source), "s3cret") {
				t.Errorf("the failure shows the password: %+v", f)
			}
		}
		if s.logins != 1 {
			t.Errorf("%d: %d logins", status, s.logins)
		}
	}
}

// TestAnswersOfAnEffect tells what an answer says about whether something happened.
func TestAnswersOfAnEffect(t *testing.T) {
	long := strings.Repeat(`File \"trytond/x.py\", line 1\n`, 1000)
	for _, test := range []struct {
		name, body, message string
		status              int
		kind                connectors.Kind // "": none
		source              map[string]any
	}{
		{"a key", `{"id":1,"result":[5]}`, "", 200, "", nil},
		{"a user's fault", `{"id":1,"error":["UserError",["The party is blocked.","See its notes.",null]]}`, "The party is blocked. See its notes.", 200, connectors.Answered, map[string]any{"error": "UserError"}},
		{"a warning", `{"id":1,"error":["UserWarning",["w_5","Really?",""]]}`, "Really?", 200, connectors.Answered, map[string]any{"error": "UserWarning", "warning": "w_5"}},
		{"somebody else", `{"id":1,"error":["ConcurrencyException","Records were modified"]}`, "Records were modified", 200, connectors.Answered, map[string]any{"error": "ConcurrencyException"}},
		{"a traceback of 28 KB", `{"id":1,"error":["'nofield'\nmore","` + long + `"]}`, "'nofield'", 200, connectors.Answered, map[string]any{"error": ""}},
		{"forbidden", "<!doctype html><title>403 Forbidden</title>", "403 Forbidden", 403, connectors.Answered, map[string]any{"http": int64(403)}},
		{"no JSON", "<html>", "", 200, connectors.Lost, nil},
		{"neither result nor error", `{"id":1}`, "", 200, connectors.Lost, nil},
		{"a bomb", strings.Repeat("[", 1<<20), "", 200, connectors.Lost, nil},
		{"a result that is none", `{"id":1,"result":[[1]]}`, "", 200, connectors.Lost, nil},
		{"a machine between", "", "Gateway Timeout", 504, connectors.TimedOut, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t, func(method string, _ []any) (int, string) {
				if strings.HasSuffix(method, "get_access") {
					return 200, `{"id":1,"result":{"part":{"read":1,"write":1,"create":0,"delete":1}}}`
				}
				return test.status, test.body
			})
			effect, err := exec(t, s.open(t))
			if test.kind == "" {
				if err != nil || effect.Row["id"] != int64(5) {
					t.Errorf("%+v, %v", effect, err)
				}
				return
			}
			f, ok := errors.AsType[*connectors.Failure](err)
			if !ok || f.Kind != test.kind || f.Sent != (test.kind != connectors.Answered) || test.message != "" && f.Message != test.message || len(f.Message) > 3000 {
				t.Fatalf("%+v", err)
			}
			for name, want := range test.source {
				if f.Source[name] != want {
					t.Errorf("source %s: %v, expected %v", name, f.Source[name], want)
				}
			}
			if denied := f.Source["denied"]; denied != (f.Source["error"] == "UserError") {
				t.Errorf("denied: %v", denied)
			}
		})
	}
}

// TestButtons: one that is given to groups is theirs; any other is whose who may write the model.
func TestButtons(t *testing.T) {
	s := newServer(t, func(method string, _ []any) (int, string) {
		if strings.HasSuffix(method, "get_access") {
			return 200, `{"id":1,"result":{"part":{"read":1,"write":1},"tool":{"write":0}}}`
		}
		return 200, `{"id":1,"result":[{"name":"confirm","model.":{"model":"part"},"groups":[17]},{"name":"open","model.":{"model":"part"},"groups":[]},{"name":"lend","model.":{"model":"tool"},"groups":[3,9]}]}`
	})
	s.groups = "[9]"
	var statements []connectors.Statement
	for _, method := range []string{"model.part.confirm", "model.part.open", "model.part.write", "model.tool.lend", "model.tool.write"} {
		statements = append(statements, compile(t, map[string]any{"method": method, "params": []any{[]any{1}}}))
	}
	got, err := s.open(t).(connectors.Informer).Rights(t.Context(), statements)
	want := []connectors.Right{{Denied: true, Reason: "no right to confirm on part"}, {}, {}, {}, {Denied: true, Reason: "no right to write tool"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}
