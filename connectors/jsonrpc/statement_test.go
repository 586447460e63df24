package jsonrpc_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"gantry/connectors"
	"gantry/connectors/jsonrpc"

	"github.com/google/go-cmp/cmp"
)

// native reads a step as a definition has it.
func native(t testing.TB, text string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// asked gives the parameters of the first call that a read leads to.
func asked(t *testing.T, r connectors.Read) string {
	t.Helper()
	var got []any
	s := newServer(t, func(_ string, params []any) (int, string) {
		got = params
		return 200, `{"id":1,"result":[]}`
	})
	for _, err := range s.open(t).Read(t.Context(), r) {
		t.Fatal(err)
	}
	raw, err := json.Marshal(got[:4])
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestDomains(t *testing.T) {
	orders := `{"model": "order", "columns": {"id": "id", "party": "party as record", "day": "day as date", "total": "total as decimal", "changed": ["write_date", "create_date"]}`
	day := time.Date(2026, 3, 1, 6, 30, 0, 0, time.UTC)
	eq := func(column string, values ...any) connectors.Filter {
		return connectors.Filter{Column: column, Op: connectors.Equal, Values: values}
	}
	for _, test := range []struct {
		name, step string
		read       connectors.Read
		want       string
	}{
		{"all", orders + `}`, connectors.Read{}, `[[],0,2,[["id","ASC"]]]`},
		{"its own domain", orders + `,"domain":[["party","=",":login_party"]]}`, connectors.Read{Vars: connectors.Vars{"login_party": int64(4)}}, `[[[["party","=",4]]],0,2,[["id","ASC"]]]`},
		{"values and null", orders + `}`, connectors.Read{Filters: []connectors.Filter{eq("party", int64(1), nil)}}, `[[["OR",["party","in",[1]],[["party","=",null]]]],0,2,[["id","ASC"]]]`},
		{"text is a value", orders + `}`, connectors.Read{Filters: []connectors.Filter{eq("party", `"],["OR`)}}, `[[["party","in",["\"],[\"OR"]]],0,2,[["id","ASC"]]]`},
		{"exact", orders + `}`, connectors.Read{Filters: []connectors.Filter{{Column: "total", Op: connectors.Less, Values: []any{"90071992547409.91"}}}}, `[[["total","<",{"__class__":"Decimal","decimal":"90071992547409.91"}]],0,2,[["id","ASC"]]]`},
		{"a day", orders + `}`, connectors.Read{Filters: []connectors.Filter{eq("day", day)}}, `[[["day","in",[{"__class__":"date","day":1,"month":3,"year":2026}]]],0,2,[["id","ASC"]]]`},
		{"the first that is not null", orders + `}`, connectors.Read{Filters: []connectors.Filter{{Column: "changed", Op: connectors.Greater, Values: []any{int64(9)}}}}, `[[["OR",["write_date",">",9],[["write_date","=",null],["create_date",">",9]]]],0,2,[["id","ASC"]]]`},
		{"a position", orders + `}`, connectors.Read{OrderBy: []string{"party", "id"}, After: []any{int64(3), int64(7)}, Limit: 1}, `[[["OR",["party","\u003e",3],[["party","=",3],["id","\u003e",7]]]],0,1,[["party.id","ASC"],["id","ASC"]]]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.read.Statement = compile(t, native(t, test.step))
			if diff := cmp.Diff(strings.ReplaceAll(test.want, `\u003e`, ">"), strings.NewReplacer(`\u003e`, ">", `\u003c`, "<").Replace(asked(t, test.read))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCalls(t *testing.T) {
	var got []string
	s := newServer(t, func(method string, params []any) (int, string) {
		raw, _ := json.Marshal(params)
		got = append(got, method+" "+string(raw))
		if strings.HasSuffix(method, "search_read") {
			return 200, `{"id":1,"result":[{"id":9,"unit":11}]}`
		}
		return 200, `{"id":1,"result":[5]}`
	})
	create := compile(t, native(t, `{"method": "model.order.create", "params": [[{"party": ":vendor_id", "note?": ":note", "colon": "::x",
		"day?": ":day as date", "lines": [["create", [{"$each": "lines", "$do": {"item": ":item_id", "price": ":price as decimal",
		"unit": {"$find": "item", "domain": [["id", "=", ":item_id"]], "field": "unit"}}}]]]}]],
		"result": {"id": "0"}, "unchanged": {"model": "order", "id": ":id", "since": ":version"}}`))
	tx, err := s.open(t).Begin(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	line := func(price any) connectors.Vars { return connectors.Vars{"item_id": int64(2), "price": price} }
	effect, err := tx.Exec(t.Context(), create, connectors.Vars{
		"vendor_id": int64(4), "note": nil, "day": time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), "lines": []connectors.Vars{line("4.350"), line(nil)},
		"id": int64(8), "version": "1.5",
	})
	want := []string{
		`model.item.search_read [[["id","=",2]],0,1,[["id","ASC"]],["unit"],{"company":1}]`, // once for both lines
		`model.order.create [[{"colon":":x","day":{"__class__":"date","day":1,"month":3,"year":2026},"lines":[["create",[` +
			`{"item":2,"price":{"__class__":"Decimal","decimal":"4.350"},"unit":11},{"item":2,"price":null,"unit":11}]]],"party":4}],` +
			`{"_timestamp":{"order,8":"1.5"},"company":1}]`,
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" || effect.Row["id"] != int64(5) {
		t.Errorf("%+v, %v (-want +got):\n%s", effect, err, diff)
	}
	for _, bad := range []any{"NaN", "1e5", "--1", "", "1.2.3"} {
		_, err := tx.Exec(t.Context(), create, connectors.Vars{"vendor_id": nil, "note": nil, "day": nil, "lines": []connectors.Vars{line(bad)}, "id": nil, "version": nil})
		if err == nil || len(got) > 7 {
			t.Errorf("%q went out as a decimal", bad)
		}
	}
}

func TestCompileNamesTheFault(t *testing.T) {
	for text, want := range map[string]string{
		`{"sql": "SELECT 1"}`:                                    "sql: a query has",
		`{"model": "a b", "columns": {"id": "id"}}`:              "model",
		`{"model": "a"}`:                                         "columns",
		`{"model": "a", "columns": {"id": "id; x"}}`:             "columns: id",
		`{"model": "a", "columns": {"ID": "id"}}`:                "columns: ID",
		`{"model": "a", "columns": {"id": "id"}, "domain": "x"}`: "domain",
		`{"method": "eval"}`:                                     "method",
		`{"method": "model.a.b", "params": [":x as money"]}`:     "params: [0]",
		`{"method": "model.a.b", "params": [{"$eval": "x"}]}`:    "there is no $eval",
		`{"method": "model.a.b", "params": [[{"$each": "l"}]]}`:  "$each",
		`{"method": "model.a.b", "params": [{"$find": "m"}]}`:    "$find",
		`{"method": "model.a.b", "unchanged": {"id": 1}}`:        "unchanged",
		`{"method": "model.a.b", "result": {"id": 0}}`:           "result",
	} {
		_, err := jsonrpc.Driver{}.Compile("tryton", native(t, text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; expected %q", text, err, want)
		}
	}
	if _, err := (jsonrpc.Driver{}).Compile("abap", native(t, `{"model": "a"}`)); err == nil {
		t.Error("a dialect that is none was taken")
	}
}

// FuzzAnswer gives a read whatever a server may say.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`[{"id":1,"price":{"__class__":"Decimal","decimal":"4.35"}}]`, `[{"id":1,"price":{"__class__":"date","year":2026,"month":2,"day":30}}]`,
		`[{"id":{"__class__":"bytes","base64":"AA="},"price":1e400}]`, `[[]]`, `{}`, `null`, `[{"id":null}]`, `[{"id":1},{"id":1},{"id":1}]`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		left := 3
		s := newServer(t, func(string, []any) (int, string) {
			if left--; left < 0 {
				return 200, `{"id":1,"result":[]}`
			}
			return 200, `{"id":1,"result":` + body + `}`
		})
		rows, _ := ids(t, s.open(t))
		if len(rows) > 6 {
			t.Errorf("%d rows of three pages of two", len(rows))
		}
	})
}
