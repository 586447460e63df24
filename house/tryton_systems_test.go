//go:build systems

package house

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"gantry/connectors"
	"gantry/connectors/engine"
	"gantry/connectors/jsonrpc"
	"gantry/tunnel/fault"

	"github.com/google/go-cmp/cmp"
	_ "github.com/jackc/pgx/v5/stdlib"
)

// The Tryton that `make systems` starts, and its database: the second path by which every write is looked at.
const (
	trytonAddress = "http://127.0.0.1:18069"
	trytonSQL     = "postgres://postgres@127.0.0.1:15432/erp"
)

// tryton is a desk at Tryton, with the native driver and the database beside it.
type tryton struct {
	*desk
	native connectors.Conn
	db     *sql.DB
}

func trytonTarget(user, password string) connectors.Target {
	return connectors.Target{
		Dialect:     "tryton",
		Settings:    map[string]any{"address": trytonAddress, "database": "erp", "username": user, "login": "session"},
		Credentials: map[string]connectors.Secret{"password": connectors.NewSecret(password)},
		Dial:        dialDirect,
	}
}

func openTryton(t *testing.T) *tryton {
	t.Helper()
	db, err := sql.Open("pgx", trytonSQL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.PingContext(t.Context()); err != nil {
		t.Fatalf("there is no Tryton with its database; run `make systems`: %v", err)
	}
	target := trytonTarget("agent", "Agent-pw-2026")
	native, err := jsonrpc.Driver{}.Open(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = native.Close() })
	return &tryton{openDesk(t, "tryton", target), native, db}
}

// raw calls Tryton past the definition, as a careless client would.
func (e *tryton) raw(t *testing.T, method string, params ...any) (any, error) {
	t.Helper()
	s, err := jsonrpc.Driver{}.Compile("tryton", map[string]any{"method": method, "params": params})
	if err != nil {
		t.Fatal(err)
	}
	tx, err := e.native.Begin(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	return tx.Exec(t.Context(), s, nil)
}

// scan asks the database for one text.
func (e *tryton) scan(t *testing.T, query string, args ...any) string {
	t.Helper()
	var out sql.NullString
	if err := e.db.QueryRowContext(t.Context(), query, args...).Scan(&out); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return out.String
}

func (e *tryton) state(t *testing.T, id any) string {
	t.Helper()
	return e.scan(t, "SELECT state FROM purchase_purchase WHERE id = $1", id)
}

const threeLines = `{"vendor_id":"3","lines":[
	{"item_id":"1","quantity":"4","price":"4.35"},
	{"item_id":"3","quantity":"13.05","price":"2.1"},
	{"item_id":"4","quantity":"1","price":"11.7525"}]}`

func onOrder(operation, id string) engine.Write {
	return engine.Write{Entity: "purchase-orders", Operation: operation, ID: id}
}

func (e *tryton) draft(t *testing.T) string {
	t.Helper()
	return e.must(t, onOrder("create", ""), threeLines)["id"].(string)
}

func idsOf(records []map[string]any) []string {
	out := []string{}
	for _, r := range records {
		out = append(out, r["id"].(string))
	}
	slices.Sort(out)
	return out
}

// column asks the database for a column of ids.
func (e *tryton) column(t *testing.T, query string, args ...any) []string {
	t.Helper()
	rows, err := e.db.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	out := []string{}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

func TestTrytonReads(t *testing.T) {
	e := openTryton(t)
	info, err := e.engine.Check(t.Context())
	if err != nil || !strings.HasPrefix(info.Version, "6.0") {
		t.Fatalf("%+v, %v", info, err)
	}
	e.draft(t)
	for _, test := range []struct{ entity, query, sql string }{
		{"vendors", "limit=7", "SELECT id FROM party_party"},
		{"vendors", "code=V10003&code=V10004", "SELECT id FROM party_party WHERE code IN ('V10003', 'V10004')"},
		{"items", "limit=2", "SELECT id FROM product_product"},
		{"items", "number=BRG-6204", "SELECT id FROM product_product WHERE code = 'BRG-6204'"},
		{"purchase-orders", "limit=1", "SELECT id FROM purchase_purchase"},
		{"purchase-orders", "status=approved", "SELECT id FROM purchase_purchase WHERE state IN ('confirmed', 'processing')"},
		{"purchase-orders", "status=cancelled&status=draft", "SELECT id FROM purchase_purchase WHERE state IN ('cancelled', 'draft')"},
		{"purchase-orders", "vendor_id=3", "SELECT id FROM purchase_purchase WHERE party = 3"},
		{"purchase-orders", "vendor_id=999999", "SELECT id FROM purchase_purchase WHERE party = 999999"},
		{"work-orders", "", "SELECT id FROM production"},
		{"work-orders", "status=scheduled", "SELECT id FROM production WHERE state IN ('waiting', 'assigned')"},
		{"inventory", "limit=3", "SELECT p.id FROM product_product p JOIN product_template t ON t.id = p.template WHERE t.type = 'goods' AND NOT t.consumable"},
	} {
		got := idsOf(list(t, e.desk, test.entity, test.query))
		if diff := cmp.Diff(e.column(t, test.sql), got); diff != "" {
			t.Errorf("%s?%s (-SQL +API):\n%s", test.entity, test.query, diff)
		}
	}
}

// TestTrytonReadsWhatChanged: write_date is null until the first change.
func TestTrytonReadsWhatChanged(t *testing.T) {
	e := openTryton(t)
	before := e.scan(t, `SELECT to_char(max(coalesce(write_date, create_date)), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') FROM purchase_purchase`)
	made := e.draft(t)
	if written := e.scan(t, "SELECT write_date FROM purchase_purchase WHERE id = $1", made); written != "" {
		t.Logf("write_date is %s at once", written)
	}
	changed := e.draft(t)
	e.must(t, onOrder("quote", changed), "")
	got := idsOf(list(t, e.desk, "purchase-orders", "modified_after="+before))
	want := e.column(t, "SELECT id FROM purchase_purchase WHERE coalesce(write_date, create_date) > $1", strings.TrimSuffix(before, "Z"))
	if diff := cmp.Diff(want, got); diff != "" || !slices.Contains(got, made) || !slices.Contains(got, changed) {
		t.Errorf("after %s, %s and %s made (-SQL +API):\n%s", before, made, changed, diff)
	}
}

func TestTrytonStock(t *testing.T) {
	e := openTryton(t)
	for _, record := range list(t, e.desk, "inventory", "") {
		want := e.scan(t, `SELECT round(coalesce(sum(CASE WHEN m.to_location = l.storage_location THEN m.internal_quantity ELSE -m.internal_quantity END), 0)::numeric, 4)
			FROM stock_location l LEFT JOIN stock_move m ON m.state = 'done' AND m.product = $1 AND l.storage_location IN (m.to_location, m.from_location)
			WHERE l.type = 'warehouse' GROUP BY l.id ORDER BY l.id LIMIT 1`, record["id"])
		if !sameNumber(t, want, record["on_hand"].(string)) {
			t.Errorf("product %s: the database says %s, the API %s", record["id"], want, record["on_hand"])
		}
	}
}

func sameNumber(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y float64
	if _, err := fmt.Sscan(a, &x); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(b, &y); err != nil {
		t.Fatal(err)
	}
	return x == y
}

// TestTrytonLivesAnOrder creates an order with what a cloud developer would send, and looks at each step in the database.
func TestTrytonLivesAnOrder(t *testing.T) {
	e := openTryton(t)
	key := onOrder("create", "")
	key.IdempotencyKey = "life-" + e.scan(t, "SELECT clock_timestamp()")
	made := e.must(t, key, threeLines)
	id := made["id"].(string)
	expect(t, made, map[string]any{
		"status.value": "draft", "status.native_label": "Draft", "number": nil, "vendor_id": "3", "currency": "EUR",
		"payment_terms": "30 days net", "lines.1.quantity": "13.05", "lines.1.unit": "kg", "lines.2.price": "11.7525",
		"net": "56.55", "_actions": []any{"update", "delete", "cancel", "quote"},
	})
	if again := e.must(t, key, threeLines); again["id"] != id {
		t.Errorf("the same key made order %v beside %s", again["id"], id)
	}
	if got := e.scan(t, `SELECT count(*) || ' ' || count(unit) || ' ' || sum(quantity * unit_price)::numeric(10,4) FROM purchase_line WHERE purchase = $1`, id); got != "3 3 56.5575" {
		t.Errorf("the database has %q", got)
	}
	if e.scan(t, "SELECT count(*) FROM purchase_purchase WHERE reference = $1", key.IdempotencyKey) != "1" ||
		e.scan(t, "SELECT (invoice_address IS NOT NULL AND company IS NOT NULL AND currency IS NOT NULL)::text FROM purchase_purchase WHERE id = $1", id) != "true" {
		t.Error("the order is not whole, or there twice")
	}

	changed := e.must(t, onOrder("update", id), `{"title":"Spares","due_at":"2026-12-24T00:00:00Z","lines":[{"item_id":"1","quantity":"2","price":"4.3"}]}`)
	expect(t, changed, map[string]any{"title": "Spares", "due_at": "2026-12-24T00:00:00Z", "net": "8.60"})
	if got := e.scan(t, "SELECT count(*) || ' ' || sum(quantity) FROM purchase_line WHERE purchase = $1", id); got != "1 2" {
		t.Errorf("the database has %q", got)
	}
	stale := onOrder("update", id)
	stale.IfMatch = made["etag"].(string)
	e.refuses(t, fault.PreconditionFailed, stale, `{"title":"x"}`)

	quoted := e.must(t, onOrder("quote", id), "")
	if expect(t, quoted, map[string]any{"status.value": "pending_approval"}); quoted["number"] == nil || e.state(t, id) != "quotation" {
		t.Errorf("after the quotation: number %v, %s", quoted["number"], e.state(t, id))
	}
	e.refuses(t, fault.RecordLocked, onOrder("update", id), `{"title":"x"}`)
	confirmed := e.must(t, onOrder("confirm", id), "")
	expect(t, confirmed, map[string]any{"status.value": "approved", "_actions": []any{"amend"}})
	if state := e.state(t, id); state != "processing" && state != "confirmed" {
		t.Errorf("after the confirmation: %s", state)
	}

	other := e.draft(t)
	expect(t, e.must(t, onOrder("delete", other), ""), map[string]any{"status.value": "cancelled"})
	if e.state(t, other) != "cancelled" {
		t.Errorf("after the cancellation: %s", e.state(t, other))
	}
}

func TestTrytonDryRun(t *testing.T) {
	e := openTryton(t)
	before := e.scan(t, "SELECT count(*) FROM purchase_purchase")
	w := onOrder("create", "")
	w.DryRun = true
	e.must(t, w, threeLines)
	if after := e.scan(t, "SELECT count(*) FROM purchase_purchase"); after != before {
		t.Errorf("a dry run made an order: %s, then %s", before, after)
	}
	processing := e.scan(t, "SELECT min(id) FROM purchase_purchase WHERE state = 'processing'")
	w = onOrder("update", processing)
	w.DryRun = true
	e.refuses(t, fault.RecordLocked, w, `{"title":"x"}`)
}

// TestTrytonSwallowsATransition: an illegal one is answered with 200 and null, and changes nothing (behaviour 1).
func TestTrytonSwallowsATransition(t *testing.T) {
	e := openTryton(t)
	id := e.draft(t)
	if _, err := e.raw(t, "model.purchase.purchase.confirm", []any{number(t, id)}); err != nil || e.state(t, id) != "draft" {
		t.Fatalf("Tryton does not swallow it any more: %v, %s", err, e.state(t, id))
	}
	e.refuses(t, fault.RecordLocked, onOrder("confirm", id), "") // the definition knows the states

	// Where it does not know, what was asked for is compared with what is there.
	overlay := fstest.MapFS{"trusting.yaml": {Data: []byte("metadata: {overlay: tryton}\nentities: {purchase-orders: {actions: {confirm: {from: null}}}}\n")}}
	_, err := openDesk(t, "tryton", trytonTarget("agent", "Agent-pw-2026"), overlay).write(t, onOrder("confirm", id), "")
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Code != fault.SystemError || f.Outcome != fault.Rejected || len(f.Fields) != 1 || f.Fields[0].Name != "status" || e.state(t, id) != "draft" {
		t.Errorf("got %+v", err)
	}
}

// TestTrytonTakesRawWrites: the server itself keeps no lock on an order that is processing (behaviour 2); the definition does.
func TestTrytonTakesRawWrites(t *testing.T) {
	e := openTryton(t)
	id := e.draft(t)
	e.must(t, onOrder("quote", id), "")
	e.must(t, onOrder("confirm", id), "")
	line := e.scan(t, "SELECT min(id) FROM purchase_line WHERE purchase = $1", id)
	if _, err := e.raw(t, "model.purchase.line.write", []any{number(t, line)}, map[string]any{"quantity": 99.0}); err != nil {
		t.Logf("Tryton refuses the raw write of a line now: %v", err)
	} else if got := e.scan(t, "SELECT quantity FROM purchase_line WHERE id = $1", line); got != "99" {
		t.Errorf("the raw write gave %s", got)
	}
	e.refuses(t, fault.RecordLocked, onOrder("update", id), `{"lines":[{"item_id":"1","quantity":"1","price":"1"}]}`)
	e.refuses(t, fault.FieldNotUpdatable, onOrder("update", id), `{"status":"draft"}`)
	if got := e.scan(t, "SELECT quantity FROM purchase_line WHERE id = $1", line); got != "99" {
		t.Errorf("a refused update changed the line to %s", got)
	}
}

// TestTrytonFaults: they come with 200 and long, as HTML, or not at all (behaviours 3 and 5).
func TestTrytonFaults(t *testing.T) {
	e := openTryton(t)
	_, err := e.engine.Get(t.Context(), "purchase-orders", "999999", engine.Query{})
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("an order that is not there: %v", err)
	}
	e.refuses(t, fault.NotFound, onOrder("quote", "999999"), "")
	e.refuses(t, fault.FieldRequired, onOrder("create", ""), `{"lines":[]}`)
	for name, body := range map[string]string{
		"no such vendor": `{"vendor_id":"999999","lines":[{"item_id":"1","quantity":"1","price":"1"}]}`,
		"no such item":   `{"vendor_id":"3","lines":[{"item_id":"999999","quantity":"1","price":"1"}]}`,
		"too exact":      `{"vendor_id":"3","lines":[{"item_id":"1","quantity":"1","price":"1.123456789"}]}`,
	} {
		before := e.scan(t, "SELECT count(*) FROM purchase_purchase")
		_, err := e.write(t, onOrder("create", ""), body)
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Outcome != fault.Rejected || len(f.Detail) > 3000 || e.scan(t, "SELECT count(*) FROM purchase_purchase") != before {
			t.Errorf("%s: %+v", name, err)
			continue
		}
		t.Logf("%s: %s: %s", name, f.Code, f.Detail)
	}
	e.refuses(t, fault.BusinessRule, onOrder("quote", e.bare(t)), "")
	_, err = e.raw(t, "model.purchase.purchase.search_read", []any{[]any{"nofield", "=", 1}}, 0, 1, nil, []any{"id"})
	if f, ok := errors.AsType[*connectors.Failure](err); !ok || f.Kind != connectors.Answered || len(f.Message) > 3000 {
		t.Errorf("got %+v", err)
	}
}

// bare makes an order past the definition, of its party alone.
func (e *tryton) bare(t *testing.T) string {
	t.Helper()
	if _, err := e.raw(t, "model.purchase.purchase.create", []any{map[string]any{"party": 3}}); err != nil {
		t.Fatal(err)
	}
	return e.scan(t, "SELECT max(id) FROM purchase_purchase")
}

func number(t *testing.T, id string) any {
	t.Helper()
	var n float64
	if _, err := fmt.Sscan(id, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestTrytonRefusesALogin: one wrong password is tried once (behaviour 4).
func TestTrytonRefusesALogin(t *testing.T) {
	e := openTryton(t)
	attempts := func() string { return e.scan(t, "SELECT count(*) FROM res_user_login_attempt WHERE login = 'locked'") }
	before := attempts()
	d := openDesk(t, "tryton", trytonTarget("locked", "wr0ng"))
	for range 5 {
		if _, err := d.engine.Check(t.Context()); !fault.Is(err, fault.CredentialsExpired) {
			t.Errorf("got %v", err)
		}
		_, err := d.engine.List(t.Context(), "items", engine.Query{})
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != fault.CredentialsExpired || f.Scope != fault.ScopeConnection {
			t.Errorf("got %v", err)
		}
	}
	if after := attempts(); number(t, after).(float64) != number(t, before).(float64)+1 {
		t.Errorf("%s attempts, then %s: more than one", before, after)
	}
	// Other people's wrong passwords lock the user out, even with the right one.
	for range 6 {
		if _, err := e.db.ExecContext(t.Context(), "INSERT INTO res_user_login_attempt (login, create_date, create_uid) VALUES ('locked', now() AT TIME ZONE 'UTC', 0)"); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		_, _ = e.db.ExecContext(context.Background(), "DELETE FROM res_user_login_attempt WHERE login = 'locked'")
	})
	_, err := openDesk(t, "tryton", trytonTarget("locked", "Locked-pw-2026")).engine.Check(t.Context())
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != fault.SystemRateLimited || f.RetryAfter <= 0 {
		t.Errorf("a user that is locked out: %+v", err)
	}
}

// TestTrytonDecimals: Tryton keeps quantities as binary fractions, and says them as they were meant (behaviour 6).
func TestTrytonDecimals(t *testing.T) {
	e := openTryton(t)
	made := e.must(t, onOrder("create", ""), `{"vendor_id":"3","lines":[{"item_id":"3","quantity":"13.05","price":"8.9001"}]}`)
	expect(t, made, map[string]any{"lines.0.quantity": "13.05", "lines.0.price": "8.9001", "net": "116.15"})
	if e.scan(t, "SELECT pg_typeof(quantity) FROM purchase_line LIMIT 1") != "double precision" {
		t.Error("quantities are no binary fractions any more")
	}
}

// TestTrytonLockedByVersion: a change by somebody else between our read and our write is found by Tryton's own lock.
func TestTrytonLockedByVersion(t *testing.T) {
	e := openTryton(t)
	id := e.draft(t)
	s, err := jsonrpc.Driver{}.Compile("tryton", map[string]any{
		"method": "model.purchase.purchase.write", "params": []any{[]any{":id"}, map[string]any{"description": "x"}},
		"unchanged": map[string]any{"model": "purchase.purchase", "id": ":id", "since": ":version"},
	})
	if err != nil {
		t.Fatal(err)
	}
	tx, err := e.native.Begin(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	_, err = tx.Exec(t.Context(), s, connectors.Vars{"id": int64(number(t, id).(float64)), "version": "1.5"})
	if f, ok := errors.AsType[*connectors.Failure](err); !ok || f.Source["error"] != "ConcurrencyException" {
		t.Errorf("got %+v", err)
	}
}

// TestTrytonTellsRights: the reader may read and not write, and capabilities say that it is the login's doing.
func TestTrytonTellsRights(t *testing.T) {
	e := openTryton(t)
	d := openDesk(t, "tryton", trytonTarget("reader", "Reader-pw-2026"))
	if _, err := d.engine.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	orders := d.engine.Capabilities().Entities["purchase-orders"]
	for name, operation := range orders.Operations {
		reads := name == "list" || name == "get"
		if operation.Allowed != reads || !reads && (operation.DeniedBy != "probe" || !strings.Contains(operation.Reason, "purchase.purchase")) {
			t.Errorf("%s: %+v", name, operation)
		}
	}
	for name, action := range orders.Actions {
		if action.Allowed || action.DeniedBy != "probe" {
			t.Errorf("%s: %+v", name, action)
		}
	}
	if len(list(t, d, "purchase-orders", "")) == 0 {
		t.Error("the reader reads nothing")
	}
	d.refuses(t, fault.PermissionDenied, onOrder("create", ""), threeLines)
	d.refuses(t, fault.PermissionDenied, onOrder("quote", e.draft(t)), "")
	if _, err := e.engine.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, operation := range e.engine.Capabilities().Entities["purchase-orders"].Operations {
		if !operation.Allowed {
			t.Errorf("agent, %s: %+v", name, operation)
		}
	}
}

// TestTrytonProduction moves a production order and looks at it in the database.
func TestTrytonProduction(t *testing.T) {
	e := openTryton(t)
	id := list(t, e.desk, "work-orders", "")[0]["id"].(string)
	on := func(action string) engine.Write {
		return engine.Write{Entity: "work-orders", Operation: action, ID: id}
	}
	for _, step := range []struct{ action, status, native string }{
		{"reopen", "draft", "draft"}, {"schedule", "scheduled", "waiting"},
	} {
		expect(t, e.must(t, on(step.action), ""), map[string]any{"status.value": step.status})
		if state := e.scan(t, "SELECT state FROM production WHERE id = $1", id); state != step.native {
			t.Errorf("after %s: %s", step.action, state)
		}
	}
	record, err := e.engine.Get(t.Context(), "work-orders", id, engine.Query{})
	var read map[string]any
	if err != nil || json.Unmarshal(record.JSON, &read) != nil {
		t.Fatal(err)
	}
	expect(t, read, map[string]any{"materials.0.item_id": "1", "custom_fields.product": "5"})
}

// TestTrytonSessionEnds: the session is deleted at the server between two calls.
func TestTrytonSessionEnds(t *testing.T) {
	e := openTryton(t)
	for range 2 {
		if len(list(t, e.desk, "vendors", "limit=10")) == 0 {
			t.Error("no vendors")
		}
		if _, err := e.db.ExecContext(t.Context(), "DELETE FROM ir_session"); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTrytonThroughTheHouse takes the whole road: relay, tunnel, agent, Tryton.
func TestTrytonThroughTheHouse(t *testing.T) {
	e := openTryton(t)
	p := open(t)
	p.allow("target", "127.0.0.1:18069")
	p.allow("writes")
	client, _ := p.connect(login{System: "tryton", Name: "erp", Credentials: map[string]string{"password": "Agent-pw-2026"},
		Settings: map[string]any{"address": trytonAddress, "database": "erp", "username": "agent"}})
	var made order
	body := json.RawMessage(threeLines)
	key := Header{"Idempotency-Key", "house-" + e.scan(t, "SELECT clock_timestamp()")}
	p.expect(client, http.MethodPost, "/purchase-orders", body, 201, &made, key)
	p.expect(client, http.MethodPost, "/purchase-orders", body, 201, nil, key)
	if n := e.scan(t, "SELECT count(*) FROM purchase_purchase WHERE reference = $1", key[1]); n != "1" {
		t.Errorf("%s orders for one key", n)
	}
	for _, action := range []string{"quote", "confirm"} {
		p.expect(client, http.MethodPost, "/purchase-orders/"+made.ID+"/actions/"+action, map[string]any{}, 200, &made)
	}
	if made.Status.Value != "approved" || made.Number == "" || len(made.Lines) != 3 || made.Net != "56.55" {
		t.Errorf("after the confirmation: %+v", made)
	}
	p.refused(client, http.MethodPatch, "/purchase-orders/"+made.ID, map[string]any{"title": "x"},
		fault.Error{Code: fault.RecordLocked, Hop: fault.HopSystem, Scope: fault.ScopeRecord, Outcome: fault.Rejected})
	count, err := client.Stream(t.Context(), "/vendors", func([]byte) error { return nil })
	if want := e.scan(t, "SELECT count(*) FROM party_party"); err != nil || fmt.Sprint(count) != want {
		t.Errorf("%d vendors by stream, %s in the database: %v", count, want, err)
	}
}
