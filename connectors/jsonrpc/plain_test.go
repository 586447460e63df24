package jsonrpc_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gantry/connectors"
	"gantry/connectors/jsonrpc"

	"github.com/google/go-cmp/cmp"
)

func plainCompile(t testing.TB, text string) connectors.Statement {
	t.Helper()
	s, err := jsonrpc.Driver{}.Compile("2.0", native(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func plainDesk(t *testing.T, target connectors.Target, answer func(calls []rpc) (int, string)) (*desk, connectors.Conn) {
	d := newDesk(t, answer)
	target.Dialect, target.Check = "2.0", plainCompile(t, `{"method":"version","result":{"version":"."}}`)
	return d, d.open(t, target)
}

// result answers a call.
func result(call rpc, value string) string {
	return `{"jsonrpc":"2.0","id":` + string(call.ID) + `,"result":` + value + `}`
}

const parted = `{"method":"part.list","named":{"from":{"$offset":true},"most":{"$size":true},"kind":{"$equal":"kind"}},"rows":"items","total":"total",
	"columns":{"id":"id as integer","kind":"kind","price":"price as decimal","at":"at as datetime"},"sorted":["id"]}`

// TestListing pages through what a call gives; the system filters by one value, everything else is done here.
func TestListing(t *testing.T) {
	d, conn := plainDesk(t, connectors.Target{}, func(calls []rpc) (int, string) {
		var asked struct{ From int }
		_ = json.Unmarshal(calls[0].Params, &asked)
		var items []string
		for i := asked.From; i < min(5, asked.From+2); i++ {
			items = append(items, fmt.Sprintf(`{"id":%d,"kind":"k%d","price":%d.50,"at":"2026-03-01T07:00:00+01:00"}`, i, i%2, 9-i))
		}
		return 200, result(calls[0], `{"total":5,"items":[`+strings.Join(items, ",")+`]}`)
	})
	ids := func(r connectors.Read) (out []any) {
		r.Statement = plainCompile(t, parted)
		rows, err := all(t, conn, r)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			out = append(out, row["id"])
		}
		return out
	}
	n := func(ids ...int64) (out []any) {
		for _, id := range ids {
			out = append(out, id)
		}
		return out
	}
	for name, test := range map[string]struct {
		read connectors.Read
		want []any
	}{
		"all":           {connectors.Read{}, n(0, 1, 2, 3, 4)},
		"another order": {connectors.Read{OrderBy: []string{"price", "id"}}, n(4, 3, 2, 1, 0)},
		"a position":    {connectors.Read{OrderBy: []string{"id"}, After: []any{int64(2)}}, n(3, 4)},
		"a filter":      {connectors.Read{Filters: []connectors.Filter{{Column: "kind", Op: connectors.Equal, Values: []any{"k1"}}}, Limit: 1}, n(1)},
		"a comparison":  {connectors.Read{Filters: []connectors.Filter{{Column: "price", Op: connectors.Less, Values: []any{"7"}}}}, n(3, 4)},
	} {
		if diff := cmp.Diff(test.want, ids(test.read)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if !slices.Contains(d.asked, `part.list {"from":0,"kind":"k1","most":2}`) || !slices.Contains(d.asked, `part.list {"from":2,"kind":null,"most":2}`) {
		t.Errorf("asked %v", d.asked)
	}
	rows, err := all(t, conn, connectors.Read{Statement: plainCompile(t, parted), Limit: 1})
	if err != nil || !rows[0]["at"].(time.Time).Equal(time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)) || rows[0]["price"] != "9.50" {
		t.Errorf("%v, %v", rows, err)
	}
}

func TestListingThatDoesNotMoveOn(t *testing.T) {
	_, conn := plainDesk(t, connectors.Target{}, func(calls []rpc) (int, string) {
		return 200, result(calls[0], `{"items":[{"id":1},{"id":2}]}`)
	})
	rows, err := all(t, conn, connectors.Read{Statement: plainCompile(t, parted)})
	if f, ok := errors.AsType[*connectors.Failure](err); !ok || !strings.Contains(f.Message, "same page") || len(rows) != 2 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

// TestPlainAnswers: whatever the status is, what the envelope says counts; and only if it is to this request.
func TestPlainAnswers(t *testing.T) {
	for _, test := range []struct {
		name, body, message string
		status              int
		kind                connectors.Kind
		source              map[string]any
	}{
		{"a fault", `{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"Invalid params","data":"vendor"}}`, "Invalid params", 200, connectors.Answered, map[string]any{"code": int64(-32602), "data": "vendor", "http": int64(200)}},
		{"a fault with a status", `{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"Unauthorized"}}`, "Unauthorized", 400, connectors.Answered, map[string]any{"code": int64(1), "http": int64(400)}},
		{"a fault of an unread request", `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}`, "Parse error", 200, connectors.Answered, map[string]any{"code": int64(-32700)}},
		{"another id", `{"jsonrpc":"2.0","id":2,"result":1}`, "", 200, connectors.Lost, nil},
		{"the id as a text", `{"jsonrpc":"2.0","id":"1","result":1}`, "", 200, connectors.Lost, nil},
		{"no id", `{"jsonrpc":"2.0","result":1}`, "", 200, connectors.Lost, nil},
		{"another protocol", `{"id":1,"result":1}`, "", 200, connectors.Lost, nil},
		{"neither", `{"jsonrpc":"2.0","id":1}`, "", 200, connectors.Lost, nil},
		{"a page", `<title>Down</title>`, "Down", 500, connectors.Answered, map[string]any{"http": int64(500)}},
		{"a machine between", ``, "", 504, connectors.TimedOut, nil},
		{"a list", `[]`, "", 200, connectors.Lost, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, conn := plainDesk(t, connectors.Target{}, func([]rpc) (int, string) { return test.status, test.body })
			tx, err := conn.Begin(t.Context(), false)
			if err != nil {
				t.Fatal(err)
			}
			_, err = tx.Exec(t.Context(), plainCompile(t, `{"method":"order.add","params":[":x"]}`), connectors.Vars{"x": int64(1)})
			f, ok := errors.AsType[*connectors.Failure](err)
			if !ok || f.Kind != test.kind || f.Sent != (test.kind != connectors.Answered) || test.message != "" && f.Message != test.message {
				t.Fatalf("%+v", err)
			}
			for name, want := range test.source {
				if f.Source[name] != want {
					t.Errorf("source %s: %v, expected %v", name, f.Source[name], want)
				}
			}
		})
	}
}

// TestBatch: it is done when all of it is; the order of its answers is the server's.
func TestBatch(t *testing.T) {
	fault := func(call rpc) string {
		return `{"jsonrpc":"2.0","id":` + string(call.ID) + `,"error":{"code":7,"message":"No."}}`
	}
	for _, test := range []struct {
		name    string
		answer  func(c []rpc) string
		kind    connectors.Kind
		message string
	}{
		{"all, backwards", func(c []rpc) string {
			return "[" + result(c[2], "3") + "," + result(c[1], "2") + "," + result(c[0], `{"id":1}`) + "]"
		}, "", ""},
		{"one missing", func(c []rpc) string { return "[" + result(c[0], "1") + "," + result(c[1], "2") + "]" }, connectors.Lost, "1 of the batch's 3 calls have no answer"},
		{"one twice", func(c []rpc) string {
			return "[" + result(c[0], "1") + "," + result(c[0], "2") + "," + result(c[2], "2") + "]"
		}, connectors.Lost, ""},
		{"one of another", func(c []rpc) string { return `[{"jsonrpc":"2.0","id":99,"result":1}]` }, connectors.Lost, ""},
		{"one refused", func(c []rpc) string {
			return "[" + result(c[0], "1") + "," + fault(c[1]) + "," + result(c[2], "2") + "]"
		}, connectors.Lost, "2 of 3 calls were done, and one was refused: No."},
		{"all refused", func(c []rpc) string { return "[" + fault(c[0]) + "," + fault(c[1]) + "," + fault(c[2]) + "]" }, connectors.Answered, "No."},
		{"refused as a whole", func(c []rpc) string {
			return `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"No batches."}}`
		}, connectors.Answered, "No batches."},
		{"one answer for all", func(c []rpc) string { return result(c[0], "1") }, connectors.Lost, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, conn := plainDesk(t, connectors.Target{}, func(c []rpc) (int, string) { return 200, test.answer(c) })
			tx, err := conn.Begin(t.Context(), false)
			if err != nil {
				t.Fatal(err)
			}
			s := plainCompile(t, `{"batch":[{"method":"order.add","named":{"v":":v"}},{"$each":"lines","$do":{"method":"line.add","params":[":n"]}}],"result":{"id":"0.id"}}`)
			effect, err := tx.Exec(t.Context(), s, connectors.Vars{"v": "x", "lines": []connectors.Vars{{"n": int64(1)}, {"n": int64(2)}}})
			if diff := cmp.Diff([]string{`order.add {"v":"x"}`, `line.add [1]`, `line.add [2]`}, d.asked); diff != "" {
				t.Error(diff)
			}
			f, failed := errors.AsType[*connectors.Failure](err)
			switch {
			case test.kind == "" && (err != nil || effect.Row["id"] != int64(1)):
				t.Errorf("%+v, %v", effect, err)
			case test.kind != "" && (!failed || f.Kind != test.kind || f.Sent != (test.kind == connectors.Lost) || test.message != "" && f.Message != test.message):
				t.Errorf("%+v", err)
			}
		})
	}
}

func TestLogins(t *testing.T) {
	protocol, err := jsonrpc.Driver{}.Compile("2.0", native(t, `{"protocol":{"login":{"method":"user.login","named":{"user":":login_username","pw":{"$secret":"password"}},"token":".","refused":[-32500]}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		way, header string
		calls       int
	}{{"none", "", 1}, {"basic", "Basic YWdlbnQ6czNjcmV0", 1}, {"bearer", "Bearer s3cret", 1}, {"session", "Bearer t-1", 2}} {
		d, conn := plainDesk(t, connectors.Target{Protocol: protocol, Settings: map[string]any{"login": test.way, "username": "agent"}}, func(c []rpc) (int, string) {
			return 200, result(c[0], `"t-1"`)
		})
		info, err := conn.Check(t.Context())
		if err != nil || info.Version != "t-1" || len(d.seen) != test.calls || d.seen[test.calls-1].Get("Authorization") != test.header {
			t.Errorf("%s: %+v, %v, %v", test.way, info, err, d.seen)
		}
		if test.way == "session" && d.asked[0] != `user.login {"pw":"s3cret","user":"agent"}` {
			t.Errorf("asked %v", d.asked)
		}
	}
}

// TestSessionByToken: a token that is over is got anew, once; a refused login is tried once.
func TestSessionByToken(t *testing.T) {
	protocol, err := jsonrpc.Driver{}.Compile("2.0", native(t, `{"protocol":{"login":{"method":"login","params":[":login_username",{"$secret":"password"}],"token":"token","refused":[-32500]}}}`))
	if err != nil {
		t.Fatal(err)
	}
	logins, over := 0, map[string]int{"Bearer 1": 1}
	var d *desk
	d, conn := plainDesk(t, connectors.Target{Protocol: protocol, Settings: map[string]any{"login": "session", "username": "agent"}}, func(c []rpc) (int, string) {
		if c[0].Method == "login" {
			logins++
			return 200, result(c[0], fmt.Sprintf(`{"token":"%d"}`, logins))
		}
		if over[d.seen[len(d.seen)-1].Get("Authorization")] > 0 {
			return 200, `{"jsonrpc":"2.0","id":` + string(c[0].ID) + `,"error":{"code":-32500,"message":"Session terminated"}}`
		}
		return 200, result(c[0], `"2"`)
	})
	if _, err := conn.Check(t.Context()); err != nil || logins != 2 {
		t.Errorf("%v after %d logins", err, logins)
	}
	tries := 0
	_, refused := plainDesk(t, connectors.Target{Protocol: protocol, Settings: map[string]any{"login": "session", "username": "agent"}}, func(c []rpc) (int, string) {
		tries++
		return 200, `{"jsonrpc":"2.0","id":` + string(c[0].ID) + `,"error":{"code":-32500,"message":"Login name or password is incorrect."}}`
	})
	for range 5 {
		if _, err := refused.Check(t.Context()); err == nil {
			t.Error("a refused login was taken")
		}
	}
	if tries != 1 {
		t.Errorf("%d tries", tries)
	}
}

func TestPlainCompileNamesTheFault(t *testing.T) {
	for text, want := range map[string]string{
		`{"model":"a","columns":{"id":"id"}}`:                                             "`method`",
		`{"method":"a","params":[1],"named":{"b":1}}`:                                     "not both",
		`{"method":"a","context":{"b":1}}`:                                                "context",
		`{"method":"a","params":[{"$find":"m","domain":[],"field":"f"}]}`:                 "there is no $find",
		`{"method":"a","rows":".","columns":{"id":"id as record"}}`:                       "columns: id",
		`{"method":"a","rows":".","columns":{"id":"id"},"sorted":["x"]}`:                  "sorted",
		`{"method":"a","rows":".","columns":{"id":"id"},"params":[{"$offset":1}]}`:        "$offset",
		`{"batch":[{"method":":m"}]}`:                                                     "batch: [0]",
		`{"batch":[{"method":"a","id":1}]}`:                                               "batch: [0]: id",
		`{"batch":[]}`:                                                                    "batch",
		`{"method":"a b"}`:                                                                "method",
		`{"protocol":{"login":{"method":"a"}}}`:                                           "token is missing",
		`{"protocol":{"login":{"method":"a","token":"t","params":[{"$secret":"name"}]}}}`: "$secret",
		`{"method":"a","params":[{"$secret":"password"}]}`:                                "there is no $secret",
		`{"protocol":{"login":{"method":"a","token":"t","header":"X"}}}`:                  "header",
		`{"method":"a","unchanged":{"model":"a","id":1,"since":2}}`:                       "unchanged",
	} {
		_, err := jsonrpc.Driver{}.Compile("2.0", native(t, text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; expected %q", text, err, want)
		}
	}
	for text, want := range map[string]string{
		`{"model":"a","columns":{"id":"partner_id.name"}}`:            "related",
		`{"method":"common.version"}`:                                 "method",
		`{"method":"a.b","unchanged":{"model":"a","id":1,"since":2}}`: "unchanged",
		`{"batch":[{"method":"a.b"}]}`:                                "batch",
		`{"method":"create"}`:                                         "method",
	} {
		_, err := jsonrpc.Driver{}.Compile("odoo", native(t, text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("odoo: %s: %v; expected %q", text, err, want)
		}
	}
}
