package rest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gantry/connectors"
	"gantry/connectors/rest"

	"github.com/google/go-cmp/cmp"
)

var language = map[string]any{
	"parameter": "filter", "and": " && ", "or": " || ", "compare": "{field} {op} {value}", "quote": "'",
	"replace": map[string]any{"'": `\'`}, "refuse_last": `\`, "values": 3,
}

// TestConditions shows how filters, order and position are said.
func TestConditions(t *testing.T) {
	moment := time.Date(2026, 3, 1, 6, 30, 0, 0, time.UTC)
	eq := func(column string, values ...any) []connectors.Filter {
		return []connectors.Filter{{Column: column, Op: connectors.Equal, Values: values}}
	}
	for _, test := range []struct {
		name string
		read connectors.Read
		want []string // filters of the requests; "!" refused
	}{
		{"all", connectors.Read{}, []string{""}},
		{"one", connectors.Read{Filters: eq("name", "x")}, []string{"(name = 'x')"}},
		{"null", connectors.Read{Filters: eq("name", "x", nil)}, []string{"(name = 'x' || name = null)"}},
		{"a text that would be more", connectors.Read{Filters: eq("name", `' || 1 = 1 || '`)}, []string{`(name = '\' || 1 = 1 || \'')`}},
		{"a text of the language", connectors.Read{Filters: eq("name", `{op}`)}, []string{`(name = '{op}')`}},
		{"what cannot be said", connectors.Read{Filters: eq("name", `x\`)}, []string{"!"}},
		{"lines", connectors.Read{Filters: eq("name", "x\ny")}, []string{"!"}},
		{"exact", connectors.Read{Filters: eq("price", "90071992547409.91")}, []string{"(price = 90071992547409.91)"}},
		{"no number", connectors.Read{Filters: eq("price", "1 || 1 = 1")}, []string{"!"}},
		{"a time", connectors.Read{Filters: []connectors.Filter{{Column: "at", Op: connectors.Greater, Values: []any{moment}}}}, []string{"(order.at > '2026-03-01T06:30:00Z')"}},
		{"many", connectors.Read{Filters: eq("id", int64(1), int64(2), int64(3), int64(4))}, []string{"(id = 1 || id = 2 || id = 3)", "(id = 4)"}},
		{"none", connectors.Read{Filters: eq("id")}, nil},
		{"a position", connectors.Read{OrderBy: []string{"at", "id"}, After: []any{moment, int64(7)}},
			[]string{"(order.at > '2026-03-01T06:30:00Z' || (order.at = '2026-03-01T06:30:00Z' && id > 7))"}},
		{"no column", connectors.Read{Filters: eq("sneaky", "x")}, []string{"!"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				got = append(got, r.URL.Query().Get("filter"))
				fmt.Fprint(w, `{"items":[]}`)
			})
			conn := s.plug(t, map[string]any{"where": language, "sort": map[string]any{"parameter": "sort"}, "pages": map[string]any{"by": "keyset", "size": "n"}})
			test.read.Statement = parts(t, map[string]any{"columns": map[string]any{"id": "id", "name": "name", "price": "price as decimal", "at": "order.at as instant"}})
			_, err := ids(t, conn, test.read)
			if len(test.want) == 1 && test.want[0] == "!" {
				if f := failure(t, err); f.Kind != connectors.Misused || len(s.requests) > 0 {
					t.Errorf("%v, %v", err, s.requests)
				}
				return
			}
			if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

// TestConditionsWithoutOr shows languages that only know `and`.
func TestConditionsWithoutOr(t *testing.T) {
	oslc := map[string]any{"parameter": "where", "and": " and ", "compare": "{field}{op}{value}", "in": "{field} in [{values}]", "quote": `"`, "replace": map[string]any{`"`: `\"`}, "values": 3}
	list := map[string]any{"parameter": "where", "and": ",", "compare": `["{field}","{op}",{value}]`, "quote": `"`, "replace": map[string]any{`"`: `\"`}, "wrap": "[{all}]", "null": `"unset"`}
	eq := func(column string, values ...any) connectors.Filter {
		return connectors.Filter{Column: column, Op: connectors.Equal, Values: values}
	}
	for _, test := range []struct {
		name     string
		language map[string]any
		own      string // the definition's own condition
		read     connectors.Read
		want     []string // "!": refused
	}{
		{"one of several", oslc, "", connectors.Read{Filters: []connectors.Filter{eq("name", `a"b`, "c"), eq("id", int64(1))}}, []string{`name in ["a\"b","c"] and id=1`}},
		{"more than it takes", oslc, "", connectors.Read{Filters: []connectors.Filter{eq("id", int64(1), int64(2), int64(3), int64(4))}}, []string{"id in [1,2,3]", "id=4"}},
		{"its own beside them", oslc, "woclass=1", connectors.Read{Filters: []connectors.Filter{eq("id", int64(1))}}, []string{"woclass=1 and id=1"}},
		{"a position", oslc, "", connectors.Read{OrderBy: []string{"id"}, After: []any{int64(7)}}, []string{"id>7"}},
		{"a position of two columns, the first unique", oslc, "", connectors.Read{OrderBy: []string{"id", "name"}, After: []any{int64(7), "a"}}, []string{"id>7"}},
		{"a position of two columns", oslc, "", connectors.Read{OrderBy: []string{"name", "id"}, After: []any{"a", int64(7)}}, []string{"!"}},
		{"null", oslc, "", connectors.Read{Filters: []connectors.Filter{eq("name", nil)}}, []string{"!"}},
		{"a query for each value", list, "", connectors.Read{Filters: []connectors.Filter{eq("name", "a", "b")}}, []string{`[["name","=","a"]]`, `[["name","=","b"]]`}},
		{"wrapped", list, `["x","<",2]`, connectors.Read{Filters: []connectors.Filter{eq("name", "a"), eq("id", int64(1))}}, []string{`[["x","<",2],["name","=","a"],["id","=",1]]`}},
		{"its own alone", list, `["x","<",2]`, connectors.Read{}, []string{`[["x","<",2]]`}},
		{"nothing", list, "", connectors.Read{}, []string{""}},
		{"null alone", list, "", connectors.Read{Filters: []connectors.Filter{eq("name", nil)}}, []string{`[["name","=","unset"]]`}},
		{"null or a value", list, "", connectors.Read{Filters: []connectors.Filter{eq("name", "a", nil)}}, []string{"!"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				got = append(got, r.URL.Query().Get("where"))
				if sort := r.URL.Query().Get("sort"); sort != "+id" && sort != "" {
					t.Errorf("sorted by %q", sort)
				}
				fmt.Fprint(w, `{"items":[]}`)
			})
			conn := s.plug(t, map[string]any{"where": test.language, "sort": map[string]any{"parameter": "sort", "prefix": "+"}, "pages": map[string]any{"by": "keyset", "size": "n", "unique": "id"}})
			more := map[string]any{"columns": map[string]any{"id": "id", "name": "name"}}
			if test.own != "" {
				more["query"] = map[string]any{"where": test.own}
			}
			test.read.Statement = parts(t, more)
			_, err := ids(t, conn, test.read)
			if test.want[0] == "!" {
				if f := failure(t, err); f.Kind != connectors.Misused {
					t.Error(err)
				}
				return
			}
			if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

// TestTheLastPageIsToldOf makes no request for a page that the answer says is not there, and one where a page is short.
func TestTheLastPageIsToldOf(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("filter") {
			fmt.Fprint(w, `{"items":[{"id":3},{"id":4}]}`)
			return
		}
		fmt.Fprint(w, `{"items":[{"id":1}],"more":{"href":"http://elsewhere/"}}`)
	})
	conn := s.plug(t, map[string]any{"where": language, "sort": map[string]any{"parameter": "sort"}, "pages": map[string]any{"by": "keyset", "size": "n", "next": "more.href"}})
	got, err := ids(t, conn, connectors.Read{Statement: parts(t, nil), OrderBy: []string{"id"}})
	if diff := cmp.Diff([]any{int64(1), int64(3), int64(4)}, got); err != nil || diff != "" || len(s.requests) != 2 {
		t.Errorf("%v\n%s\n%s", err, diff, strings.Join(s.requests, "\n"))
	}
}

// TestManyValuesKeepTheOrder merges the answers of several queries.
func TestManyValuesKeepTheOrder(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		var out []string
		for i := 1; i <= 9; i++ {
			if f := r.URL.Query().Get("filter"); strings.Contains(f, fmt.Sprintf("id = %d", i)) && !strings.Contains(f, "id > ") {
				out = append(out, fmt.Sprintf(`{"id":%d}`, i))
			}
		}
		fmt.Fprintf(w, `{"items":[%s]}`, strings.Join(out, ","))
	})
	conn := s.plug(t, map[string]any{"where": language, "sort": map[string]any{"parameter": "sort"}, "pages": map[string]any{"by": "keyset", "size": "n"}})
	got, err := ids(t, conn, connectors.Read{Statement: parts(t, nil), OrderBy: []string{"id"}, Limit: 5,
		Filters: []connectors.Filter{{Column: "id", Op: connectors.Equal, Values: []any{int64(9), int64(1), int64(5), int64(2), int64(8), int64(3), int64(7)}}}})
	if diff := cmp.Diff([]any{int64(1), int64(2), int64(3), int64(5), int64(7)}, got); err != nil || diff != "" {
		t.Errorf("%v\n%s\n%s", err, diff, strings.Join(s.requests, "\n"))
	}
}

func TestCompileNamesTheFault(t *testing.T) {
	query := func(more string) map[string]any {
		native := map[string]any{"get": "/x", "rows": "items", "columns": map[string]any{"id": "id"}}
		name, value, _ := strings.Cut(more, "=")
		native[name] = value
		return native
	}
	for _, test := range []struct {
		native map[string]any
		want   string
	}{
		{map[string]any{"sql": "SELECT 1"}, "one of get, post"},
		{map[string]any{"get": "x"}, "begins with /"},
		{map[string]any{"get": "/x?y=:z"}, "no segment"},
		{map[string]any{"get": "/x/../y"}, "no segment"},
		{map[string]any{"get": "http://other/x"}, "begins with /"},
		{map[string]any{"get": "//other/x"}, "no segment"},
		{map[string]any{"get": "/x /y"}, "no segment"},
		{map[string]any{"get": "/x/:a#"}, "no segment"},
		{map[string]any{"get": "/x/:a#b"}, "no segment"},
		{map[string]any{"get": "/x", "post": "/x"}, "one of get, post"},
		{map[string]any{"get": "/x", "body": map[string]any{}}, "a get has none"},
		{map[string]any{"get": "/x", "headers": map[string]any{"Host": "other"}}, "cannot be set"},
		{map[string]any{"get": "/x", "headers": map[string]any{"authorization": "x"}}, "cannot be set"},
		{map[string]any{"post": "/x", "rows": "items", "columns": map[string]any{"id": "id"}}, "a query is a get"},
		{map[string]any{"get": "/x", "rows": "items"}, "columns"},
		{map[string]any{"post": "/x", "body": map[string]any{"p": map[string]any{"$secret": "password"}}}, "there is no $secret"},
		{map[string]any{"get": "/x", "query": map[string]any{"p": map[string]any{"$secret": "password"}}}, "query: p"},
		{map[string]any{"post": "/x", "result": map[string]any{"id": "a b"}}, "result: id"},
		{map[string]any{"post": "/x", "affected": true}, "affected"},
		{query("columns=id"), "columns"},
		{query("order=id"), "order"},
		{query("extra=1"), `no member "extra"`},
		{map[string]any{"protocol": "x"}, "must be an object"},
		{map[string]any{"protocol": map[string]any{"logn": "x"}}, `no member "logn"`},
		{map[string]any{"protocol": map[string]any{"login": map[string]any{"by": "magic"}}}, "by must be one of"},
		{map[string]any{"protocol": map[string]any{"login": map[string]any{"by": "session", "post": "/x"}}}, "token"},
		{map[string]any{"protocol": map[string]any{"times": map[string]any{"instant": "2006-01-02"}}}, "times: instant"},
		{map[string]any{"protocol": map[string]any{"pages": map[string]any{"by": "page"}}}, "parameter is missing"},
		{map[string]any{"protocol": map[string]any{"pages": map[string]any{"by": "link"}}}, "next is missing"},
		{map[string]any{"protocol": map[string]any{"where": map[string]any{"parameter": "f"}}}, "where"},
		{map[string]any{"protocol": map[string]any{"where": map[string]any{"parameter": "f", "and": "&", "or": "|", "compare": "{field}{op}{value}", "quote": "'"}}}, "how the quote stands"},
	} {
		_, err := rest.Driver{}.Compile("json", test.native)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v; expected %q", test.native, err, test.want)
		}
	}
	if _, err := (rest.Driver{}).Compile("yaml", map[string]any{"get": "/"}); err == nil {
		t.Error("a dialect that is none was taken")
	}
}

// TestLanguageTakesNoText: what varies in a language is a value, and never text of it.
func TestLanguageTakesNoText(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"items":[]}`) })
	conn := s.plug(t, map[string]any{"where": language})
	_, err := ids(t, conn, connectors.Read{Statement: parts(t, map[string]any{"query": map[string]any{"filter": ":key"}}), Vars: connectors.Vars{"key": "x"}})
	if f := failure(t, err); f.Kind != connectors.Misused || len(s.requests) > 0 {
		t.Errorf("%+v, %v", f, s.requests)
	}
	only := parts(t, map[string]any{"query": map[string]any{"filter": "a = 1"}, "columns": map[string]any{"id": "id", "ref": "ref"}, "only": map[string]any{"ref": ":key"}})
	if _, err := ids(t, conn, connectors.Read{Statement: only, Vars: connectors.Vars{"key": "x'"}}); err != nil {
		t.Fatal(err)
	}
	if want := "GET /base/parts?filter=" + url.QueryEscape(`(a = 1) && (ref = 'x\'')`); s.requests[0] != want {
		t.Errorf("%s, expected %s", s.requests[0], want)
	}
}

// TestXML reads records out of a document.
func TestXML(t *testing.T) {
	body := `<?xml version="1.0"?><n:list xmlns:n="urn:x"><part id="1"><price>4.350</price></part><part id="2"><price/></part></n:list>`
	s := newServer(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) })
	conn := s.plug(t, nil, func(target *connectors.Target) { target.Dialect = "xml" })
	statement := parts(t, map[string]any{"rows": "list.part", "columns": map[string]any{"id": "@id as integer", "price": "price as decimal"}})
	var got []connectors.Row
	for row, err := range conn.Read(t.Context(), connectors.Read{Statement: statement}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, row)
	}
	if diff := cmp.Diff([]connectors.Row{{"id": int64(1), "price": "4.350"}, {"id": int64(2), "price": nil}}, got); diff != "" {
		t.Error(diff)
	}
	for _, body = range []string{
		`<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><list><part id="1">&b;</part></list>`, strings.Repeat("<a>", 1000), "<list/><list/>", "{}", `<?xml version="1.0" encoding="EBCDIC"?><list/>`,
	} {
		if _, err := ids(t, conn, connectors.Read{Statement: statement}); failure(t, err).Kind != connectors.Answered {
			t.Errorf("%.40s: %v", body, err)
		}
	}
}

// FuzzAnswer gives a read whatever a server may say.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"items":[{"id":1,"price":4.35}],"next":"parts?2"}`, `{"items":[{"id":1e400,"price":"x"}]}`, `{"items":{"id":[]}}`, `[]`, `null`, `<a><items/></a>`,
		`{"items":[{"id":true}],"next":"//other/"}`, `{"items":[1,2,3]}`, `{"items":[],"next":{"a":1}}`,
	} {
		f.Add(seed, `<x>; rel="next", <y`)
	}
	f.Fuzz(func(t *testing.T, body, link string) {
		left := 3
		s := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
			if left--; left >= 0 {
				w.Header()["Link"] = []string{strings.Map(func(r rune) rune {
					if r < ' ' || r > '~' {
						return -1
					}
					return r
				}, link)}
				_, _ = w.Write([]byte(body))
			}
		})
		for _, dialect := range []string{"json", "xml"} {
			for _, pages := range []map[string]any{{"by": "link", "next": "next"}, {"by": "header"}, {"by": "offset", "parameter": "o", "size": "n"}} {
				left = 3
				conn := s.plug(t, nil, func(target *connectors.Target) { target.Dialect = dialect })
				_, _ = ids(t, conn, connectors.Read{Statement: parts(t, map[string]any{"pages": pages}), OrderBy: []string{"id"}})
			}
		}
	})
}

// TestTwoParametersInOneSegment: what joins them is escaped, and stands in neither of the later ones.
func TestTwoParametersInOneSegment(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"items":[{"id":1}]}`) })
	conn := s.plug(t, nil)
	read := connectors.Read{Statement: parts(t, map[string]any{"get": "/parts/:code#:site"})}
	for _, test := range []struct{ code, site, want string }{
		{"A/1", "N", "GET /base/parts/A%2F1%23N"},
		{"A#1", "N", "GET /base/parts/A%231%23N"}, // the last one counts
		{"A", "1#N", ""},
		{"A", "", ""},
		{"", "N", ""},
	} {
		s.requests = nil
		read.Vars = connectors.Vars{"code": test.code, "site": test.site}
		_, err := ids(t, conn, read)
		if test.want == "" {
			if f := failure(t, err); f.Kind != connectors.Misused || len(s.requests) > 0 {
				t.Errorf("%q, %q: %v, %v", test.code, test.site, err, s.requests)
			}
			continue
		}
		if err != nil || len(s.requests) != 1 || s.requests[0] != test.want {
			t.Errorf("%q, %q: %v, %v", test.code, test.site, err, s.requests)
		}
	}
}
