package rest_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"gantry/connectors"
	"gantry/connectors/rest"

	"github.com/google/go-cmp/cmp"
)

// server plays the ways of systems that are not at hand, and their bad days. What a healthy system does is tested against a
// real one.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	requests []string // method and URI, in their order
	logins   []string // what the requests carried
}

func newServer(t testing.TB, handle func(w http.ResponseWriter, r *http.Request)) *server {
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.requests = append(s.requests, r.Method+" "+r.URL.RequestURI())
		s.logins = append(s.logins, r.Header.Get("Authorization"))
		handle(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func compile(t testing.TB, native map[string]any) connectors.Statement {
	t.Helper()
	s, err := rest.Driver{}.Compile("json", native)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// plug opens a connection; the protocol may be nil.
func (s *server) plug(t testing.TB, protocol map[string]any, change ...func(*connectors.Target)) connectors.Conn {
	t.Helper()
	target := connectors.Target{
		Dialect: "json", Settings: map[string]any{"address": s.URL + "/base", "username": "agent", "login": "none"},
		Credentials: map[string]connectors.Secret{"password": connectors.NewSecret("s3cret"), "token": connectors.NewSecret("t0ken"), "api_key": connectors.NewSecret("k3y")},
		Limits:      connectors.Limits{PageSize: 2},
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}
	if protocol != nil {
		target.Protocol = compile(t, map[string]any{"protocol": protocol})
	}
	for _, c := range change {
		c(&target)
	}
	conn, err := rest.Driver{}.Open(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// parts is a query with more members.
func parts(t testing.TB, more map[string]any) connectors.Statement {
	native := map[string]any{"get": "/parts", "rows": "items", "columns": map[string]any{"id": "id", "price": "price as decimal"}, "order": []any{"id"}}
	maps.Copy(native, more)
	return compile(t, native)
}

func ids(t testing.TB, conn connectors.Conn, r connectors.Read) ([]any, error) {
	t.Helper()
	var out []any
	for row, err := range conn.Read(t.Context(), r) {
		if err != nil {
			return out, err
		}
		out = append(out, row["id"])
	}
	return out, nil
}

func numbers(from, to int) []any {
	var out []any
	for i := from; i <= to; i++ {
		out = append(out, int64(i))
	}
	return out
}

func failure(t testing.TB, err error) *connectors.Failure {
	t.Helper()
	f, ok := errors.AsType[*connectors.Failure](err)
	if !ok {
		t.Fatalf("got %v, expected a Failure", err)
	}
	return f
}

func items(from, to int) string {
	var out []string
	for i := from; i <= to; i++ {
		out = append(out, fmt.Sprintf(`{"id":%d,"price":%d.10}`, i, i))
	}
	return "[" + strings.Join(out, ",") + "]"
}

func number(r *http.Request, name string) int {
	n := 0
	_, _ = fmt.Sscan(r.URL.Query().Get(name), &n)
	return n
}

// TestPages reads five records two at a time, in every way but by keyset, which a real system shows.
func TestPages(t *testing.T) {
	const all = 5
	for _, test := range []struct {
		name   string
		pages  map[string]any
		rows   string
		handle func(w http.ResponseWriter, r *http.Request)
	}{
		{"page", map[string]any{"by": "page", "parameter": "p", "first": 0, "size": "n"}, "items", func(w http.ResponseWriter, r *http.Request) {
			from := number(r, "p")*number(r, "n") + 1
			fmt.Fprintf(w, `{"items":%s}`, items(from, min(from+number(r, "n")-1, all)))
		}},
		{"offset", map[string]any{"by": "offset", "parameter": "skip", "size": "top"}, "items", func(w http.ResponseWriter, r *http.Request) {
			from := number(r, "skip") + 1
			fmt.Fprintf(w, `{"items":%s}`, items(from, min(from+number(r, "top")-1, all)))
		}},
		{"link", map[string]any{"by": "link", "next": "paging.next"}, "items", func(w http.ResponseWriter, r *http.Request) {
			from := number(r, "at")
			next := "null"
			if from+2 <= all {
				next = fmt.Sprintf(`"parts?at=%d"`, from+2) // relative to where it stands
			}
			fmt.Fprintf(w, `{"items":%s,"paging":{"next":%s}}`, items(max(from, 1), min(max(from, 1)+1, all)), next)
		}},
		{"header", map[string]any{"by": "header", "size": "per_page"}, ".", func(w http.ResponseWriter, r *http.Request) {
			from := max(number(r, "at"), 1)
			if from+2 <= all {
				w.Header().Add("Link", `</x>; rel="prev", <http://`+r.Host+`/base/parts?at=`+fmt.Sprint(from+2)+`>; title="a, \"b\"; rel=prev"; rel="last next"`)
			}
			fmt.Fprint(w, items(from, min(from+1, all)))
		}},
		{"cursor", map[string]any{"by": "cursor", "parameter": "c", "next": "next"}, "items", func(w http.ResponseWriter, r *http.Request) {
			from := max(number(r, "c"), 1)
			fmt.Fprintf(w, `{"items":%s,"next":%q}`, items(from, min(from+1, all)), map[bool]string{true: fmt.Sprint(from + 2)}[from+2 <= all])
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				if number(r, "at") == 0 && test.name == "link" {
					r.URL.RawQuery = "at=1"
				}
				test.handle(w, r)
			})
			conn := s.plug(t, nil)
			statement := parts(t, map[string]any{"rows": test.rows, "pages": test.pages})
			for after := range all + 1 {
				read := connectors.Read{Statement: statement, OrderBy: []string{"id"}}
				if after > 0 {
					read.After = []any{int64(after)}
				}
				got, err := ids(t, conn, read)
				if diff := cmp.Diff(numbers(after+1, all), got); err != nil || diff != "" {
					t.Errorf("after %d: %v\n%s\n%s", after, err, diff, strings.Join(s.requests, "\n"))
				}
			}
			got, err := ids(t, conn, connectors.Read{Statement: statement, OrderBy: []string{"id"}, Limit: 3})
			if diff := cmp.Diff(numbers(1, 3), got); err != nil || diff != "" {
				t.Errorf("three: %v\n%s", err, diff)
			}
			if _, err := ids(t, conn, connectors.Read{Statement: statement, Filters: []connectors.Filter{{Column: "id", Op: connectors.Equal, Values: []any{int64(1)}}}}); err == nil {
				t.Error("a filter that the system does not have was ignored")
			}
		})
	}
}

// TestOffsetsShift: a record that goes between two pages shifts the rest.
func TestOffsetsShift(t *testing.T) {
	gone := false
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		from := number(r, "skip")
		list := []int{1, 2, 3, 4, 5, 6}
		if gone {
			list = list[1:]
		}
		gone = gone || from > 0
		var out []string
		for _, id := range list[min(from, len(list)):min(from+number(r, "top"), len(list))] {
			out = append(out, fmt.Sprintf(`{"id":%d}`, id))
		}
		fmt.Fprintf(w, `{"items":[%s]}`, strings.Join(out, ","))
	})
	got, err := ids(t, s.plug(t, nil), connectors.Read{OrderBy: []string{"id"}, Statement: parts(t, map[string]any{"pages": map[string]any{"by": "offset", "parameter": "skip", "size": "top"}})})
	if diff := cmp.Diff(numbers(1, 6), got); err != nil || diff != "" {
		t.Errorf("%v\n%s\n%s", err, diff, strings.Join(s.requests, "\n"))
	}
}

// TestPositionOfTexts: a reader who comes back to a system that orders texts by their number, 9 before 10, misses none; and where the record that he
// read last is gone, he is told.
func TestPositionOfTexts(t *testing.T) {
	for _, pages := range []map[string]any{{"by": "page", "parameter": "p", "size": "n"}, {"by": "offset", "parameter": "skip", "size": "n"}, nil} {
		list := []string{"8", "9", "10", "11"}
		s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
			from, size := number(r, "skip"), number(r, "n")
			if r.URL.Query().Has("p") {
				from = (number(r, "p") - 1) * size
			}
			if pages == nil {
				size = len(list)
			}
			page := list[min(from, len(list)):min(from+size, len(list))]
			fmt.Fprintf(w, `{"items":[%s]}`, strings.Join(quoted(page), ","))
		})
		more := map[string]any{}
		if pages != nil {
			more["pages"] = pages
		}
		read := connectors.Read{OrderBy: []string{"id"}, After: []any{"9"}, Statement: parts(t, more)}
		conn := s.plug(t, nil)
		if got, err := ids(t, conn, read); err != nil || fmt.Sprint(got) != "[10 11]" {
			t.Errorf("%v: %v, %v", pages, got, err)
		}
		list = []string{"8", "10", "11"}
		if got, err := ids(t, conn, read); len(got) > 0 || err == nil || !strings.Contains(err.Error(), "is gone") {
			t.Errorf("%v, gone: %v, %v", pages, got, err)
		}
	}
}

// TestPositionOfSeveral: a filter of which the system takes one value at a time goes on where the reader was, in each of its requests.
func TestPositionOfSeveral(t *testing.T) {
	lists := map[string][]string{"a": {"A1", "A3", "A5"}, "b": {"A2", "A4", "A6"}}
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		_, kind, _ := strings.Cut(strings.TrimSuffix(r.URL.Query().Get("filter"), "'"), "'")
		list, from := lists[kind], number(r, "skip")
		page := list[min(from, len(list)):min(from+number(r, "n"), len(list))]
		fmt.Fprintf(w, `{"items":[%s]}`, strings.Join(quoted(page), ","))
	})
	list := parts(t, map[string]any{
		"columns": map[string]any{"id": "id", "kind": "kind"}, "pages": map[string]any{"by": "offset", "parameter": "skip", "size": "n"},
		"where": map[string]any{"parameter": "filter", "and": ";", "compare": "{field}{op}{value}", "quote": "'", "replace": map[string]any{"'": "''"}},
	})
	got, err := ids(t, s.plug(t, nil), connectors.Read{
		OrderBy: []string{"id"}, After: []any{"A2"}, Statement: list, Filters: []connectors.Filter{{Column: "kind", Op: connectors.Equal, Values: []any{"a", "b"}}},
	})
	if err != nil || fmt.Sprint(got) != "[A3 A4 A5 A6]" {
		t.Errorf("%v, %v", got, err)
	}
}

func quoted(ids []string) (out []string) {
	for _, id := range ids {
		out = append(out, fmt.Sprintf(`{"id":%q,"price":1.10}`, id))
	}
	return out
}

// TestPagesThatMislead end with a fault, never with a loop or a login at another host.
func TestPagesThatMislead(t *testing.T) {
	foreign := newServer(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"items":[]}`) })
	link, page := map[string]any{"by": "link", "next": "next"}, map[string]any{"by": "page", "parameter": "p", "size": "n"}
	for _, test := range []struct {
		name, next string
		pages      map[string]any
		want       string
	}{
		{"itself", "/base/parts?x=1", link, "in a circle"},
		{"another host", foreign.URL + "/base/parts", link, "another server"},
		{"another scheme", "file:///etc/passwd", link, "another server"},
		{"the first page for ever", "", page, "in a circle"},
		{"pages without end", "$", link, "without a record"},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := 0
			s := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
				n++
				if test.next == "$" {
					fmt.Fprintf(w, `{"items":[],"next":"parts?n=%d"}`, n)
					return
				}
				fmt.Fprintf(w, `{"items":%s,"next":%q}`, items(1, 2), test.next)
			})
			_, err := ids(t, s.plug(t, nil), connectors.Read{Statement: parts(t, map[string]any{"pages": test.pages})})
			if f := failure(t, err); f.Kind != connectors.Answered || !strings.Contains(f.Message, test.want) || n > 150 {
				t.Errorf("%+v after %d requests", f, n)
			}
		})
	}
	if len(foreign.requests) > 0 {
		t.Error("a link led to another host")
	}
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		next := ""
		if r.URL.Query().Get("x") == "" {
			next = "https://erp.internal/base/parts?x=1"
		}
		fmt.Fprintf(w, `{"items":%s,"next":%q}`, items(1, 1), next)
	})
	if _, err := ids(t, s.plug(t, nil), connectors.Read{Statement: parts(t, map[string]any{"pages": map[string]any{"by": "link", "next": "next", "rebase": true}})}); err != nil || len(s.requests) != 2 {
		t.Errorf("a link that is re-based: %v, %v", err, s.requests)
	}
}

// TestLogins shows what requests carry.
func TestLogins(t *testing.T) {
	for _, test := range []struct {
		by, header, want string
		login            map[string]any
	}{
		{"none", "Authorization", "", nil},
		{"basic", "Authorization", "Basic YWdlbnQ6czNjcmV0", nil},
		{"bearer", "Authorization", "Bearer t0ken", nil},
		{"basic", "Maxauth", "YWdlbnQ6czNjcmV0", map[string]any{"by": "basic", "header": "maxauth"}},
		{"api_key", "X-API-Key", "k3y", nil},
		{"api_key", "Apikey", "Key k3y", map[string]any{"by": "api_key", "header": "ApiKey", "prefix": "Key "}},
		{"session", "Authorization", "Bearer one", map[string]any{"by": "session", "post": "/login", "body": map[string]any{"u": ":login_username", "p": map[string]any{"$secret": "password"}}, "token": "data.token", "prefix": "Bearer "}},
		{"session", "Cookie", "SID=two", map[string]any{"by": "session", "post": "/login", "cookie": "SID"}},
	} {
		t.Run(test.by+" "+test.header, func(t *testing.T) {
			got := "-"
			s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/base/login" {
					http.SetCookie(w, &http.Cookie{Name: "SID", Value: "two"})
					fmt.Fprint(w, `{"data":{"token":"one"}}`)
					return
				}
				got = r.Header.Get(test.header)
				fmt.Fprint(w, `{"items":[]}`)
			})
			var protocol map[string]any
			if test.login != nil {
				protocol = map[string]any{"login": test.login}
			}
			conn := s.plug(t, protocol, func(target *connectors.Target) { target.Settings["login"] = test.by })
			if _, err := ids(t, conn, connectors.Read{Statement: parts(t, nil)}); err != nil || got != test.want {
				t.Errorf("%v: %q, expected %q", err, got, test.want)
			}
		})
	}
}

var session = map[string]any{
	"login": map[string]any{"by": "session", "post": "/login", "token": "token", "lifetime": "seconds"},
	"prove": map[string]any{"get": "/me"},
}

// TestLoginEndsBetweenPages: once with 401, once with the 200 and nothing of a system that hides what it does not show.
func TestLoginEndsBetweenPages(t *testing.T) {
	for _, silent := range []bool{false, true} {
		logins, page := 0, 0
		s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
			known := r.Header.Get("Authorization") == fmt.Sprintf("token-%d", logins)
			switch {
			case r.URL.Path == "/base/login":
				logins++
				fmt.Fprintf(w, `{"token":"token-%d"}`, logins)
			case !known && (!silent || r.URL.Path == "/base/me"):
				w.WriteHeader(401)
			case r.URL.Path == "/base/me":
				fmt.Fprint(w, `{}`)
			case !known:
				fmt.Fprint(w, `{"items":[]}`)
			default:
				from := (number(r, "p")-1)*2 + 1
				fmt.Fprintf(w, `{"items":%s}`, items(from, min(from+1, 7)))
				if page++; page == 2 {
					logins += 10 // the token is forgotten
				}
			}
		})
		conn := s.plug(t, session)
		got, err := ids(t, conn, connectors.Read{Statement: parts(t, map[string]any{"pages": map[string]any{"by": "page", "parameter": "p", "size": "n"}})})
		if diff := cmp.Diff(numbers(1, 7), got); err != nil || diff != "" {
			t.Errorf("silent %v: %v\n%s\n%s", silent, err, diff, strings.Join(s.requests, "\n"))
		}
	}
}

// TestRefusedLoginIsTriedOnce: of every kind, also when many ask at once.
func TestRefusedLoginIsTriedOnce(t *testing.T) {
	for _, by := range []string{"basic", "bearer", "api_key", "session"} {
		for _, status := range []int{401, 429} {
			s := newServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
			protocol := map[string]any{"prove": map[string]any{"get": "/me"}}
			if by == "session" {
				protocol = session
			}
			conn := s.plug(t, protocol, func(target *connectors.Target) { target.Settings["login"] = by })
			var group sync.WaitGroup
			for range 8 {
				group.Go(func() {
					_, err := ids(t, conn, connectors.Read{Statement: parts(t, nil)})
					f, ok := errors.AsType[*connectors.Failure](err)
					if !ok || f.Source["http"] != int64(status) || f.Source["login"] != true || (f.After > 0) != (status == 429) {
						t.Errorf("%s %d: %+v", by, status, err)
					}
					if ok && strings.Contains(fmt.Sprintf("%+v %v", f, f.Source), "s3cret") {
						t.Errorf("the failure shows the password: %+v", f)
					}
				})
			}
			group.Wait()
			if len(s.requests) != 1 {
				t.Errorf("%s %d: %v", by, status, s.requests)
			}
		}
	}
}

// TestRightThatIsLost: a password that is sent with every call is not sent again after it was refused.
func TestRightThatIsLost(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) })
	conn := s.plug(t, nil, func(target *connectors.Target) { target.Settings["login"] = "basic" })
	for range 5 {
		_, err := ids(t, conn, connectors.Read{Statement: parts(t, nil)})
		if f := failure(t, err); f.Source["login"] != true || f.Source["http"] != int64(401) {
			t.Errorf("%+v", f)
		}
	}
	if len(s.requests) != 1 {
		t.Errorf("%v", s.requests)
	}
}

// TestAnswersOfAnEffect tells what an answer says about whether something happened.
func TestAnswersOfAnEffect(t *testing.T) {
	protocol := map[string]any{"errors": map[string]any{"when": "error", "code": "error.code", "message": "error.text", "fields": "error.details", "field": "path"}}
	for _, test := range []struct {
		name, body, message string
		status              int
		kind                connectors.Kind // "": none
		fields              []connectors.FieldFault
	}{
		{"a key", `{"id":5}`, "", 201, "", nil},
		{"a bare number", `5`, "", 200, connectors.Lost, nil},
		{"nothing", ``, "", 204, "", nil},
		{"no under 200", `{"error":{"code":"E1","text":"No."}}`, "No.", 200, connectors.Answered, nil},
		{"fields", `{"error":{"text":"No.","details":[{"path":"vendor","code":"gone","message":"is gone"}]}}`, "No.", 422, connectors.Answered, []connectors.FieldFault{{Name: "vendor", Code: "gone", Message: "is gone"}}},
		{"a map of fields", `{"error":{"text":"No.","details":{"vendor":["is gone"],"due":"is past"}}}`, "No.", 400, connectors.Answered, []connectors.FieldFault{{Name: "due", Message: "is past"}, {Name: "vendor", Message: "is gone"}}},
		{"it broke down", `oops`, "oops", 500, connectors.Lost, nil},
		{"done, and see there", ``, "", 303, connectors.Lost, nil},
		{"it has moved", ``, "", 308, connectors.Answered, nil},
		{"it is not ready", `{}`, "", 503, connectors.Answered, nil},
		{"a machine between", ``, "Gateway Timeout", 504, connectors.TimedOut, nil},
		{"a page of HTML", `<html><title>Sign in</title></html>`, "", 200, connectors.Lost, nil},
		{"a bomb", strings.Repeat("[", 1<<20), "", 200, connectors.Lost, nil},
		{"a million columns", "{" + strings.Repeat(`"a":1,`, 1_000_000) + `"b":1}`, "", 200, connectors.Lost, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.body))
			})
			tx, err := s.plug(t, protocol).Begin(t.Context(), false)
			if err != nil {
				t.Fatal(err)
			}
			result := map[string]any{"id": "id"}
			if test.name == "a bare number" {
				result = map[string]any{"id": "."}
				test.kind = ""
			}
			effect, err := tx.Exec(t.Context(), compile(t, map[string]any{"post": "/parts", "body": map[string]any{"name": ":name"}, "result": result}), connectors.Vars{"name": "x"})
			if test.kind == "" {
				if err != nil || test.body != "" && effect.Row["id"] != int64(5) {
					t.Errorf("%+v, %v", effect, err)
				}
				return
			}
			f := failure(t, err)
			if f.Kind != test.kind || f.Sent != (test.kind != connectors.Answered) || test.message != "" && f.Message != test.message || len(f.Message) > 3000 {
				t.Errorf("%+v", f)
			}
			if diff := cmp.Diff(test.fields, f.Fields); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRateLimit(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "17")
		w.WriteHeader(429)
	})
	_, err := ids(t, s.plug(t, nil), connectors.Read{Statement: parts(t, nil)})
	if f := failure(t, err); f.After != 17*time.Second || f.Source["http"] != int64(429) || f.Source["login"] != false {
		t.Errorf("%+v", f)
	}
}

// TestVersions: an ETag comes out of a header and goes back into one.
func TestVersions(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch && r.Header.Get("If-Match") != `"v7"` {
			w.WriteHeader(412)
			return
		}
		w.Header().Set("ETag", `"v7"`)
		fmt.Fprint(w, `{"id":1,"day":"2026-03-29T23:30:00+02:00","at":"2026-03-29T23:30:00+02:00","price":90071992547409.910}`)
	})
	conn := s.plug(t, nil)
	read := compile(t, map[string]any{"get": "/parts/:id", "rows": ".", "columns": map[string]any{
		"version": "header ETag", "day": "day as date", "at": "at as instant", "price": "price", "id": "id as string",
	}})
	for row, err := range conn.Read(t.Context(), connectors.Read{Statement: read, Vars: connectors.Vars{"id": "a/../b?c"}}) {
		want := connectors.Row{
			"version": `"v7"`, "day": time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC), "at": time.Date(2026, 3, 29, 21, 30, 0, 0, time.UTC), "price": "90071992547409.910", "id": "1",
		}
		if diff := cmp.Diff(want, row); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	}
	if s.requests[0] != "GET /base/parts/a%2F..%2Fb%3Fc" {
		t.Errorf("a key became a path: %v", s.requests)
	}
	tx, err := conn.Begin(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	write := compile(t, map[string]any{"patch": "/parts/:id", "headers": map[string]any{"If-Match": ":version"}, "body": map[string]any{"price": ":price as decimal"}})
	for version, status := range map[string]int64{`"v7"`: 0, `"v6"`: 412} {
		_, err := tx.Exec(t.Context(), write, connectors.Vars{"id": "1", "version": version, "price": "1.50"})
		if f, _ := errors.AsType[*connectors.Failure](err); (f == nil) != (status == 0) || f != nil && f.Source["http"] != status {
			t.Errorf("%s: %v", version, err)
		}
	}
	for _, bad := range []string{"", ".", ".."} {
		if _, err := ids(t, conn, connectors.Read{Statement: read, Vars: connectors.Vars{"id": bad}}); failure(t, err).Kind != connectors.Misused {
			t.Errorf("the path of %q: %v", bad, err)
		}
	}
}

// TestMembers reads the lists of records as rows, for many records at once.
func TestMembers(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		var out []string
		for _, id := range r.URL.Query()["id"] {
			out = append(out, fmt.Sprintf(`{"id":%s,"lines":[{"line":2,"item":"b"},{"line":1,"item":"a"}]}`, id))
		}
		fmt.Fprintf(w, `{"items":[%s]}`, strings.Join(out, ","))
	})
	lines := compile(t, map[string]any{
		"get": "/orders", "rows": "items", "each": "lines", "columns": map[string]any{"order_id": "^id", "line": "line", "item": "item"},
		"where": map[string]any{"listed": "repeat", "parameters": map[string]any{"order_id": map[string]any{"eq": "id"}}}, "order": []any{"order_id", "line"},
	})
	var got []string
	for row, err := range s.plug(t, nil).Read(t.Context(), connectors.Read{Statement: lines, OrderBy: []string{"order_id", "line"},
		Filters: []connectors.Filter{{Column: "order_id", Op: connectors.Equal, Values: []any{int64(4), int64(7)}}}}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%v %v %v", row["order_id"], row["line"], row["item"]))
	}
	if diff := cmp.Diff([]string{"4 1 a", "4 2 b", "7 1 a", "7 2 b"}, got); diff != "" {
		t.Error(diff)
	}
}
