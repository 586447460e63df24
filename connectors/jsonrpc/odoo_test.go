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
	"time"

	"gantry/connectors"
	"gantry/connectors/jsonrpc"

	"github.com/google/go-cmp/cmp"
)

// desk answers calls of JSON-RPC 2.0, of Odoo's dialect or of none, as a test says: what a real server does only when it is ill.
type desk struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string // the requests' params, in their order
	seen  []http.Header
}

type rpc struct {
	ID     json.RawMessage
	Method string
	Params json.RawMessage
}

func newDesk(t *testing.T, answer func(calls []rpc) (status int, body string)) *desk {
	d := &desk{}
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		defer d.mu.Unlock()
		var raw json.RawMessage
		_ = json.NewDecoder(r.Body).Decode(&raw)
		var calls []rpc
		if json.Unmarshal(raw, &calls) != nil {
			calls = make([]rpc, 1)
			_ = json.Unmarshal(raw, &calls[0])
		}
		for _, call := range calls {
			d.asked = append(d.asked, call.Method+" "+string(call.Params))
		}
		d.seen = append(d.seen, r.Header)
		status, body := answer(calls)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(d.Close)
	return d
}

func (d *desk) open(t *testing.T, target connectors.Target) connectors.Conn {
	t.Helper()
	if target.Settings == nil {
		target.Settings = map[string]any{}
	}
	target.Settings["address"] = d.URL
	target.Credentials = map[string]connectors.Secret{"password": connectors.NewSecret("s3cret")}
	target.Limits.PageSize = 2
	target.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	conn, err := jsonrpc.Driver{}.Open(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// odoo is a desk of Odoo; answer gives the member result or error.
func odooDesk(t *testing.T, answer func(model, method string) string) (*desk, connectors.Conn) {
	d := newDesk(t, func(calls []rpc) (int, string) {
		var params struct {
			Service, Method string
			Args            []any
		}
		_ = json.Unmarshal(calls[0].Params, &params)
		said := `"result":7`
		switch {
		case params.Service == "object" && params.Args[4] == "context_get":
			said = `"result":{"lang":"en_US"}`
		case params.Service == "object":
			said = answer(params.Args[3].(string), params.Args[4].(string))
		}
		if !strings.HasPrefix(said, `"id"`) {
			said = `"id":` + string(calls[0].ID) + "," + said
		}
		return 200, `{"jsonrpc":"2.0",` + strings.TrimSuffix(said, ",") + `}`
	})
	return d, d.open(t, connectors.Target{Dialect: "odoo", Settings: map[string]any{"database": "erp", "username": "agent"}})
}

func odooCompile(t testing.TB, text string) connectors.Statement {
	t.Helper()
	s, err := jsonrpc.Driver{}.Compile("odoo", native(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func all(t *testing.T, conn connectors.Conn, r connectors.Read) ([]connectors.Row, error) {
	t.Helper()
	var out []connectors.Row
	for row, err := range conn.Read(t.Context(), r) {
		if err != nil {
			return out, err
		}
		out = append(out, row)
	}
	return out, nil
}

const odooOrders = `{"model":"purchase.order","columns":{"id":"id","party":"partner_id as record","vendor":"partner_id as name","ordered":"date_order as datetime",
	"day":"day as date","total":"amount_total as decimal","locked":"locked as boolean","origin":"origin"}`

func TestOdooValues(t *testing.T) {
	d, conn := odooDesk(t, func(string, string) string {
		return `"result":[{"id":3,"partner_id":[14,"V 1"],"date_order":"2026-03-29 01:30:00","day":"2026-02-28","amount_total":56.56,"locked":false,"origin":false},
			{"id":4,"partner_id":false,"date_order":false,"day":false,"amount_total":1e+3,"locked":true,"origin":""}]`
	})
	got, err := all(t, conn, connectors.Read{Statement: odooCompile(t, odooOrders+`,"domain":[["company_id","=",":login_company"]]}`), Limit: 2,
		Vars: connectors.Vars{"login_company": int64(1)}})
	want := []connectors.Row{
		{"id": int64(3), "party": int64(14), "vendor": "V 1", "ordered": time.Date(2026, 3, 29, 1, 30, 0, 0, time.UTC), "day": time.Date(2026, 2, 28, 0, 0, 0, 0, time.UTC), "total": "56.56", "locked": false, "origin": nil},
		{"id": int64(4), "party": nil, "vendor": nil, "ordered": nil, "day": nil, "total": "1000", "locked": true, "origin": ""},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	asked := `call {"args":["erp",7,"s3cret","purchase.order","search_read",[],{"context":{"lang":"en_US"},"domain":[["company_id","=",1]],` +
		`"fields":["day","id","locked","date_order","origin","partner_id","amount_total"],"limit":2,"offset":0,"order":"id asc"}],"method":"execute_kw","service":"object"}`
	if diff := cmp.Diff(asked, d.asked[len(d.asked)-1]); diff != "" || len(d.asked) != 3 {
		t.Errorf("%d calls (-want +got):\n%s", len(d.asked), diff)
	}
}

// TestOdooDomains: what joins conditions stands before them.
func TestOdooDomains(t *testing.T) {
	for _, test := range []struct {
		name string
		read connectors.Read
		want string
	}{
		{"values and null", connectors.Read{Filters: []connectors.Filter{{Column: "party", Op: connectors.Equal, Values: []any{int64(1), nil}}}}, `"domain":["|",["partner_id.id","in",[1]],["partner_id","=",false]]`},
		{"both hold", connectors.Read{Filters: []connectors.Filter{{Column: "origin", Op: connectors.Equal, Values: []any{`"]]`}}, {Column: "total", Op: connectors.Less, Values: []any{"1.50"}}}}, `"domain":[["origin","in",["\"]]"]],["amount_total","<",1.50]]`},
		{"a position", connectors.Read{OrderBy: []string{"party", "id"}, After: []any{int64(3), int64(7)}}, `"domain":["|",["partner_id.id",">",3],"&",["partner_id.id","=",3],["id",">",7]]`},
		{"a second that goes on", connectors.Read{Filters: []connectors.Filter{{Column: "changed", Op: connectors.Greater, Values: []any{time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)}}}}, `"domain":[["write_date",">=","2026-03-01 06:00:00"]]`},
		{"a moment", connectors.Read{Filters: []connectors.Filter{{Column: "ordered", Op: connectors.Greater, Values: []any{time.Date(2026, 3, 1, 7, 0, 0, 5, time.FixedZone("", 3600))}}}}, `"domain":[["date_order",">","2026-03-01 06:00:00"]]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, conn := odooDesk(t, func(string, string) string { return `"result":[]` })
			test.read.Statement = odooCompile(t, strings.Replace(odooOrders, `"columns":{`, `"columns":{"changed":"write_date as datetime",`, 1)+"}")
			if _, err := all(t, conn, test.read); err != nil {
				t.Fatal(err)
			}
			last := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(d.asked[len(d.asked)-1])
			if !strings.Contains(last, test.want) {
				t.Errorf("asked %s", last)
			}
		})
	}
}

func TestOdooCalls(t *testing.T) {
	d, conn := odooDesk(t, func(_, method string) string {
		if method == "search_read" {
			return `"result":[{"id":9,"uom_id":[5,"kg"]}]`
		}
		return `"result":12`
	})
	create := odooCompile(t, `{"method":"purchase.order.create","params":[{"partner_id":":vendor_id","note":":note","order_line":[[5,0,0],{"$each":"lines","$do":[0,0,
		{"price_unit":":price as decimal","uom":{"$find":"product.product","domain":[["id","=",1]],"field":"uom_id"}}]}]}],"result":{"id":"."}}`)
	tx, err := conn.Begin(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	effect, err := tx.Exec(t.Context(), create, connectors.Vars{"vendor_id": int64(4), "note": nil, "lines": []connectors.Vars{{"price": "4.350"}}})
	want := `call {"args":["erp",7,"s3cret","purchase.order","create",[{"note":null,"order_line":[[5,0,0],[0,0,{"price_unit":4.350,"uom":5}]],"partner_id":4}],{"context":{"lang":"en_US"}}],"method":"execute_kw","service":"object"}`
	if diff := cmp.Diff(want, d.asked[len(d.asked)-1]); err != nil || diff != "" || effect.Row["id"] != int64(12) {
		t.Errorf("%+v, %v (-want +got):\n%s", effect, err, diff)
	}
	for _, bad := range []string{"NaN", "1e5", "007", ".5", ""} {
		if _, err := tx.Exec(t.Context(), create, connectors.Vars{"vendor_id": nil, "note": nil, "lines": []connectors.Vars{{"price": bad}}}); err == nil {
			t.Errorf("%q went out as a decimal", bad)
		}
	}
}

// TestOdooAnswersOfAnEffect tells what an answer says about whether something happened.
func TestOdooAnswersOfAnEffect(t *testing.T) {
	fault := func(name, message string) string {
		return fmt.Sprintf(`"error":{"code":200,"message":"Odoo Server Error","data":{"name":%q,"message":%q,"debug":"Traceback…"}}`, name, message)
	}
	for _, test := range []struct {
		name, said, message string
		kind                connectors.Kind // "": none
		source              map[string]any
	}{
		{"nothing at all", ``, "", "", nil}, // a method that returns nothing
		{"a rule", fault("odoo.exceptions.UserError", "Cancel it first.\nReally."), "Cancel it first.\nReally.", connectors.Answered, map[string]any{"error": "UserError", "denied": false}},
		{"a right", fault("odoo.exceptions.AccessError", "You may not."), "You may not.", connectors.Answered, map[string]any{"error": "AccessError", "denied": true}},
		{"a value", fault("odoo.exceptions.ValidationError", "No."), "No.", connectors.Answered, map[string]any{"error": "ValidationError"}},
		{"a record that is gone", fault("odoo.exceptions.MissingError", "Gone."), "Gone.", connectors.Answered, map[string]any{"error": "MissingError"}},
		{"the server broke", fault("psycopg2.OperationalError", "no database\nmore"), "no database", connectors.Answered, map[string]any{"error": "", "data": "psycopg2.OperationalError"}},
		{"the answer to another request", `"id":99,"result":5`, "", connectors.Lost, nil},
		{"the answer to none", `"id":null,"result":5`, "", connectors.Lost, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, conn := odooDesk(t, func(string, string) string { return test.said })
			tx, err := conn.Begin(t.Context(), false)
			if err != nil {
				t.Fatal(err)
			}
			_, err = tx.Exec(t.Context(), odooCompile(t, `{"method":"purchase.order.button_cancel","params":[[":id"]]}`), connectors.Vars{"id": int64(3)})
			if test.kind == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			f, ok := errors.AsType[*connectors.Failure](err)
			if !ok || f.Kind != test.kind || f.Sent != (test.kind == connectors.Lost) || test.message != "" && f.Message != test.message {
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

// TestOdooRefusedLoginIsTriedOnce: false is the answer to a wrong password; one that ends in the middle is AccessDenied.
func TestOdooRefusedLoginIsTriedOnce(t *testing.T) {
	logins := 0
	d := newDesk(t, func(calls []rpc) (int, string) {
		logins++
		return 200, `{"jsonrpc":"2.0","id":` + string(calls[0].ID) + `,"result":false}`
	})
	conn := d.open(t, connectors.Target{Dialect: "odoo", Settings: map[string]any{"database": "erp", "username": "agent"}})
	denied, taken := odooDesk(t, func(string, string) string {
		return `"error":{"code":0,"message":"Odoo Server Error","data":{"name":"odoo.exceptions.AccessDenied","message":"Access Denied"}}`
	})
	for range 5 {
		_, err := conn.Check(t.Context())
		if f, ok := errors.AsType[*connectors.Failure](err); !ok || f.Source["error"] != "AccessDenied" || strings.Contains(fmt.Sprintf("%+v", f), "s3cret") {
			t.Errorf("%+v", err)
		}
		_, err = all(t, taken, connectors.Read{Statement: odooCompile(t, odooOrders+"}")})
		if f, ok := errors.AsType[*connectors.Failure](err); !ok || f.Source["error"] != "AccessDenied" {
			t.Errorf("%+v", err)
		}
	}
	if logins != 1 || len(denied.asked) != 3 {
		t.Errorf("%d logins; %d calls of a login that ended", logins, len(denied.asked))
	}
}

func TestOdooRights(t *testing.T) {
	d, conn := odooDesk(t, func(model, method string) string {
		if model == "gone" {
			return `"error":{"data":{"name":"odoo.exceptions.UserError","message":"Object gone doesn't exist"}}`
		}
		return `"result":` + fmt.Sprint(model == "purchase.order")
	})
	rights, err := conn.(connectors.Informer).Rights(t.Context(), []connectors.Statement{
		odooCompile(t, odooOrders+"}"), odooCompile(t, `{"method":"stock.quant.create","params":[{}]}`), odooCompile(t, `{"model":"gone","columns":{"id":"id"}}`), odooCompile(t, odooOrders+"}"),
	})
	want := []connectors.Right{{}, {Denied: true, Reason: "no right to create stock.quant"}, {Denied: true, Reason: "no right to read gone"}, {}}
	if diff := cmp.Diff(want, rights); err != nil || diff != "" || len(d.asked) != 5 {
		t.Errorf("%v, %d calls: %s", err, len(d.asked), diff)
	}
}

// FuzzOdooAnswer gives a read whatever a server may say.
func FuzzOdooAnswer(f *testing.F) {
	for _, seed := range []string{
		`[{"id":1,"partner_id":[4,"V"],"date_order":"2026-02-30 00:00:00"}]`, `[{"id":1e400}]`, `[{"id":1,"partner_id":[]}]`, `[[]]`, `{}`, `null`, `false`, `[{"id":1,"amount_total":1e-39}]`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		left := 3
		_, conn := odooDesk(t, func(string, string) string {
			if left--; left < 0 {
				return `"result":[]`
			}
			return `"result":` + body
		})
		rows, _ := all(t, conn, connectors.Read{Statement: odooCompile(t, odooOrders+"}")})
		if len(rows) > 6 {
			t.Errorf("%d rows of three pages of two", len(rows))
		}
	})
}
