//go:build systems

package house

import (
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
)

// The Odoo that `make systems` starts, and its database: the second path by which every write is looked at.
const (
	odooAddress = "http://127.0.0.1:18369"
	odooSQL     = "postgres://postgres@127.0.0.1:15432/odoo"
)

func odooTarget(user, password string) connectors.Target {
	return connectors.Target{
		Dialect:     "odoo",
		Settings:    map[string]any{"address": odooAddress, "database": "odoo", "username": user},
		Credentials: map[string]connectors.Secret{"password": connectors.NewSecret(password)},
		Dial:        dialDirect,
	}
}

// odoo is a desk at Odoo; the way to its database and to raw calls is that of the other ERP.
func openOdoo(t *testing.T) *tryton {
	t.Helper()
	db, err := sql.Open("pgx", odooSQL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.PingContext(t.Context()); err != nil {
		t.Fatalf("there is no Odoo with its database; run `make systems`: %v", err)
	}
	target := odooTarget("agent", "Agent-pw-2026")
	native, err := jsonrpc.Driver{}.Open(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = native.Close() })
	return &tryton{openDesk(t, "odoo", target), native, db}
}

func odooRaw(t *testing.T, e *tryton, method string, params ...any) error {
	t.Helper()
	s, err := jsonrpc.Driver{}.Compile("odoo", map[string]any{"method": method, "params": params})
	if err != nil {
		t.Fatal(err)
	}
	tx, err := e.native.Begin(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	_, err = tx.Exec(t.Context(), s, nil)
	return err
}

// odooLines is an order as a cloud developer would send it, of a vendor and products by their codes.
func odooLines(t *testing.T, e *tryton) string {
	t.Helper()
	product := func(code string) string {
		return e.scan(t, "SELECT id FROM product_product WHERE default_code = $1", code)
	}
	return fmt.Sprintf(`{"vendor_id":%q,"lines":[{"item_id":%q,"quantity":"4","price":"4.35"},{"item_id":%q,"quantity":"13.05","price":"2.1"},{"item_id":%q,"quantity":"1","price":"11.7525"}]}`,
		odooVendor(t, e), product("BRG-6204"), product("GREASE-LI"), product("VBELT-A42"))
}

func odooVendor(t *testing.T, e *tryton) string {
	return e.scan(t, "SELECT id FROM res_partner WHERE ref = 'V10003'")
}

func odooState(t *testing.T, e *tryton, id any) string {
	t.Helper()
	return e.scan(t, "SELECT state FROM purchase_order WHERE id = $1", id)
}

func TestOdooReads(t *testing.T) {
	e := openOdoo(t)
	info, err := e.engine.Check(t.Context())
	if err != nil || !strings.HasPrefix(info.Version, "19.0") {
		t.Fatalf("%+v, %v", info, err)
	}
	vendor := odooVendor(t, e)
	for _, test := range []struct{ entity, query, sql string }{
		{"vendors", "limit=7", "SELECT id FROM res_partner WHERE supplier_rank > 0"},
		{"vendors", "code=V10003&code=V10004", "SELECT id FROM res_partner WHERE ref IN ('V10003', 'V10004')"},
		{"items", "limit=2", "SELECT p.id FROM product_product p JOIN product_template t ON t.id = p.product_tmpl_id WHERE t.type = 'consu'"},
		{"items", "number=BRG-6204", "SELECT id FROM product_product WHERE default_code = 'BRG-6204'"},
		{"purchase-orders", "limit=1", "SELECT id FROM purchase_order"},
		{"purchase-orders", "status=approved", "SELECT id FROM purchase_order WHERE state = 'purchase'"},
		{"purchase-orders", "status=pending_approval&status=sent", "SELECT id FROM purchase_order WHERE state IN ('to approve', 'sent')"},
		{"purchase-orders", "vendor_id=" + vendor, "SELECT id FROM purchase_order WHERE partner_id = " + vendor},
		{"purchase-orders", "vendor_id=999999", "SELECT id FROM purchase_order WHERE partner_id = 999999"},
		{"inventory", "limit=3", "SELECT q.id FROM stock_quant q JOIN stock_location l ON l.id = q.location_id WHERE l.usage = 'internal'"},
		{"assets", "limit=2", "SELECT id FROM maintenance_equipment"},
		{"assets", "serial_number=SN-0002", "SELECT id FROM maintenance_equipment WHERE serial_no = 'SN-0002'"},
		{"work-orders", "limit=2", "SELECT id FROM maintenance_request"},
	} {
		got, want := idsOf(list(t, e.desk, test.entity, test.query)), e.column(t, test.sql)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s?%s (-SQL +API):\n%s", test.entity, test.query, diff)
		}
	}
	for _, record := range list(t, e.desk, "inventory", "") {
		if want := e.scan(t, "SELECT quantity FROM stock_quant WHERE id = $1", record["id"]); !sameNumber(t, want, record["on_hand"].(string)) {
			t.Errorf("quant %s: the database says %s, the API %s", record["id"], want, record["on_hand"])
		}
	}
	expect(t, list(t, e.desk, "assets", "serial_number=SN-0002")[0], map[string]any{"name": "Pump 2", "category": "Pumps", "manufacturer": "Supplier 002 GmbH", "model": "CP-2", "warranty_until": "2027-02-01"})
	work := list(t, e.desk, "work-orders", "")[0]
	expect(t, work, map[string]any{"title": "Seal leaks", "type": "corrective", "priority": "2", "status.value": "requested", "scheduled_start_at": "2026-06-01T08:00:00Z", "custom_fields.stage": "New Request"})
}

// TestOdooReadsWhatChanged: times are said to the second, so that the last second is given again, and none is lost.
func TestOdooReadsWhatChanged(t *testing.T) {
	e := openOdoo(t)
	before := e.scan(t, `SELECT to_char(max(write_date), 'YYYY-MM-DD"T"HH24:MI:SS"Z"') FROM purchase_order`)
	made := e.must(t, onOrder("create", ""), odooLines(t, e))["id"].(string)
	got := idsOf(list(t, e.desk, "purchase-orders", "modified_after="+before))
	want := e.column(t, "SELECT id FROM purchase_order WHERE write_date >= $1", strings.TrimSuffix(before, "Z"))
	if diff := cmp.Diff(want, got); diff != "" || !slices.Contains(got, made) {
		t.Errorf("after %s, %s made (-SQL +API):\n%s", before, made, diff)
	}
}

// TestOdooLivesAnOrder creates an order with what a cloud developer would send, and looks at each step in the database.
func TestOdooLivesAnOrder(t *testing.T) {
	e := openOdoo(t)
	key := onOrder("create", "")
	key.IdempotencyKey = "life-" + e.scan(t, "SELECT clock_timestamp()")
	made := e.must(t, key, odooLines(t, e))
	id := made["id"].(string)
	expect(t, made, map[string]any{
		"status.value": "draft", "status.native_label": "RFQ", "vendor_id": odooVendor(t, e), "currency": "EUR", "payment_terms": "30 days net",
		"lines.1.quantity": "13.05", "lines.1.unit": "kg", "lines.2.price": "11.7525", "custom_fields.origin": key.IdempotencyKey,
		"_actions": []any{"update", "delete", "cancel", "confirm"},
	})
	if again := e.must(t, key, odooLines(t, e)); again["id"] != id {
		t.Errorf("the same key made order %v beside %s", again["id"], id)
	}
	if got := e.scan(t, "SELECT count(*) || ' ' || count(product_uom_id) || ' ' || sum(product_qty * price_unit::numeric)::numeric(10,4) FROM purchase_order_line WHERE order_id = $1", id); got != "3 3 56.5575" {
		t.Errorf("the database has %q", got)
	}
	if e.scan(t, "SELECT count(*) FROM purchase_order WHERE origin = $1", key.IdempotencyKey) != "1" || !sameNumber(t, e.scan(t, "SELECT amount_untaxed FROM purchase_order WHERE id = $1", id), made["net"].(string)) {
		t.Error("the order is there twice, or its sum is another one")
	}
	item := made["lines"].([]any)[0].(map[string]any)["item_id"]
	changed := e.must(t, onOrder("update", id), fmt.Sprintf(`{"custom_fields":{"vendor_reference":"R-1"},"ordered_at":"2026-12-24T08:30:00Z","lines":[{"item_id":%q,"quantity":"2","price":"4.3","due_at":"2026-12-31T10:00:00Z"}]}`, item))
	expect(t, changed, map[string]any{"custom_fields.vendor_reference": "R-1", "ordered_at": "2026-12-24T08:30:00Z", "lines.0.due_at": "2026-12-31T10:00:00Z", "due_at": "2026-12-31T10:00:00Z"})
	if got := e.scan(t, "SELECT count(*) || ' ' || sum(product_qty) || ' ' || max(date_planned) FROM purchase_order_line WHERE order_id = $1", id); got != "1 2 2026-12-31 10:00:00" && got != "1 2.00 2026-12-31 10:00:00" {
		t.Errorf("the database has %q", got)
	}
	confirmed := e.must(t, onOrder("confirm", id), "")
	expect(t, confirmed, map[string]any{"status.value": "approved", "_actions": []any{"delete", "cancel"}})
	if odooState(t, e, id) != "purchase" || confirmed["approved_at"] == nil {
		t.Errorf("after the confirmation: %s", odooState(t, e, id))
	}
	e.refuses(t, fault.RecordLocked, onOrder("update", id), `{"custom_fields":{"vendor_reference":"x"}}`)
	expect(t, e.must(t, onOrder("delete", id), ""), map[string]any{"status.value": "cancelled"})
	expect(t, e.must(t, onOrder("reopen", id), ""), map[string]any{"status.value": "draft"})
	if odooState(t, e, id) != "draft" {
		t.Errorf("after reopening: %s", odooState(t, e, id))
	}
}

// TestOdooAsksForApproval: over the company's limit a confirmation leads to another state, and a user alone does not approve: Odoo says nothing,
// and changes nothing.
func TestOdooAsksForApproval(t *testing.T) {
	e := openOdoo(t)
	item := e.scan(t, "SELECT id FROM product_product WHERE default_code = 'BRG-6204'")
	made := e.must(t, onOrder("create", ""), fmt.Sprintf(`{"vendor_id":%q,"lines":[{"item_id":%q,"quantity":"2000","price":"4.35"}]}`, odooVendor(t, e), item))
	id := made["id"].(string)
	expect(t, e.must(t, onOrder("confirm", id), ""), map[string]any{"status.value": "pending_approval"})
	_, err := e.write(t, onOrder("approve", id), "")
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Code != fault.SystemError || f.Outcome != fault.Rejected || odooState(t, e, id) != "to approve" {
		t.Errorf("%+v; %s", err, odooState(t, e, id))
	}
	manager := openDesk(t, "odoo", odooTarget("admin", "Admin-pw-2026"))
	expect(t, manager.must(t, onOrder("approve", id), ""), map[string]any{"status.value": "approved"})
	if odooState(t, e, id) != "purchase" {
		t.Errorf("after the approval: %s", odooState(t, e, id))
	}
}

// TestOdooTakesRawWrites: what only its screens forbid, it takes from a raw call; the definition does not.
func TestOdooTakesRawWrites(t *testing.T) {
	e := openOdoo(t)
	id := e.must(t, onOrder("create", ""), odooLines(t, e))["id"].(string)
	e.must(t, onOrder("confirm", id), "")
	if err := odooRaw(t, e, "purchase.order.button_confirm", []any{number(t, id)}); err != nil || odooState(t, e, id) != "purchase" {
		t.Errorf("a second confirmation: %v, %s", err, odooState(t, e, id))
	}
	e.refuses(t, fault.RecordLocked, onOrder("confirm", id), "")
	if err := odooRaw(t, e, "purchase.order.button_draft", []any{number(t, id)}); err != nil || odooState(t, e, id) != "draft" {
		t.Errorf("Odoo keeps a confirmed order from becoming a draft now: %v, %s", err, odooState(t, e, id))
	}
	e.must(t, onOrder("confirm", id), "")
	e.refuses(t, fault.RecordLocked, onOrder("reopen", id), "")
	e.refuses(t, fault.FieldNotUpdatable, onOrder("update", id), `{"status":"draft"}`)
	if odooState(t, e, id) != "purchase" {
		t.Errorf("a refused action made it %s", odooState(t, e, id))
	}
	// A transition that Odoo passes over without a word is found by reading back.
	overlay := fstest.MapFS{"trusting.yaml": {Data: []byte("metadata: {overlay: odoo}\nentities: {purchase-orders: {actions: {confirm: {from: null, to: sent}}}}\n")}}
	_, err := openDesk(t, "odoo", odooTarget("agent", "Agent-pw-2026"), overlay).write(t, onOrder("confirm", id), "")
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != fault.SystemError || f.Outcome != fault.Rejected {
		t.Errorf("got %+v", err)
	}
}

// TestOdooFaults: they come with 200.
func TestOdooFaults(t *testing.T) {
	e := openOdoo(t)
	if _, err := e.engine.Get(t.Context(), "purchase-orders", "999999", engine.Query{}); !fault.Is(err, fault.NotFound) {
		t.Errorf("an order that is not there: %v", err)
	}
	item, vendor := e.scan(t, "SELECT id FROM product_product WHERE default_code = 'BRG-6204'"), odooVendor(t, e)
	line := func(vendor, item, price string) string {
		return fmt.Sprintf(`{"vendor_id":%q,"lines":[{"item_id":%q,"quantity":"1","price":%q}]}`, vendor, item, price)
	}
	for name, body := range map[string]string{"no such vendor": line("999999", item, "1"), "no such item": line(vendor, "999999", "1")} {
		before := e.scan(t, "SELECT count(*) FROM purchase_order")
		_, err := e.write(t, onOrder("create", ""), body)
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Code != fault.ValidationFailed || f.Outcome != fault.Rejected || len(f.Detail) > 3000 || e.scan(t, "SELECT count(*) FROM purchase_order") != before {
			t.Errorf("%s: %+v", name, err)
			continue
		}
		t.Logf("%s: %s: %s", name, f.Code, f.Detail)
	}
	if err := odooRaw(t, e, "purchase.order.write", []any{999999}, map[string]any{"origin": "x"}); err == nil {
		t.Error("an order that is not there was written")
	} else if f, ok := errors.AsType[*connectors.Failure](err); !ok || f.Source["error"] != "MissingError" {
		t.Errorf("got %+v", err)
	}
	machine := e.scan(t, "SELECT min(id) FROM maintenance_equipment")
	err := odooRaw(t, e, "maintenance.equipment.write", []any{number(t, machine)}, map[string]any{"serial_no": "SN-0003"})
	if f, ok := errors.AsType[*connectors.Failure](err); !ok || f.Source["error"] != "ValidationError" {
		t.Errorf("a serial number twice: %+v", err)
	}
	locked := e.must(t, onOrder("create", ""), line(vendor, item, "1"))["id"].(string)
	e.must(t, onOrder("confirm", locked), "")
	if err := odooRaw(t, e, "purchase.order.button_lock", []any{number(t, locked)}); err != nil {
		t.Fatal(err)
	}
	e.refuses(t, fault.RecordLocked, onOrder("cancel", locked), "")
	err = odooRaw(t, e, "purchase.order.button_cancel", []any{number(t, locked)})
	if f, ok := errors.AsType[*connectors.Failure](err); !ok || f.Source["error"] != "UserError" {
		t.Errorf("got %+v", err)
	}
	nowhere := odooTarget("agent", "Agent-pw-2026")
	nowhere.Settings["database"] = "nowhere"
	if _, err := openDesk(t, "odoo", nowhere).engine.Check(t.Context()); !fault.Is(err, fault.SystemError) {
		t.Errorf("a database that is not there: %v", err)
	}
}

func TestOdooRefusesALogin(t *testing.T) {
	e := openOdoo(t)
	d := openDesk(t, "odoo", odooTarget("locked", "wr0ng"))
	for range 5 {
		_, err := d.engine.Check(t.Context())
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != fault.CredentialsExpired || f.Scope != fault.ScopeConnection {
			t.Errorf("got %v", err)
		}
	}
	if _, err := e.engine.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestOdooTellsRights: capabilities say what the login may not do, and that it is the login's doing.
func TestOdooTellsRights(t *testing.T) {
	openOdoo(t)
	for user, password := range map[string]string{"reader": "Reader-pw-2026", "locked": "Locked-pw-2026"} {
		d := openDesk(t, "odoo", odooTarget(user, password))
		if _, err := d.engine.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		entities := d.engine.Capabilities().Entities
		orders := entities["purchase-orders"]
		for name, operation := range orders.Operations {
			reads := user == "reader" && (name == "list" || name == "get")
			if operation.Allowed != reads || !reads && (operation.DeniedBy != "probe" || !strings.Contains(operation.Reason, "purchase.order")) {
				t.Errorf("%s, %s: %+v", user, name, operation)
			}
		}
		for name, action := range orders.Actions {
			if action.Allowed || action.DeniedBy != "probe" {
				t.Errorf("%s, %s: %+v", user, name, action)
			}
		}
		if !entities["assets"].Operations["list"].Allowed || entities["assets"].Operations["update"].Allowed {
			t.Errorf("%s, assets: %+v", user, entities["assets"].Operations)
		}
		if _, err := d.engine.List(t.Context(), "purchase-orders", engine.Query{}); user == "locked" && !fault.Is(err, fault.PermissionDenied) {
			t.Errorf("%s reads orders: %v", user, err)
		}
	}
}

func TestOdooDryRun(t *testing.T) {
	e := openOdoo(t)
	before := e.scan(t, "SELECT count(*) FROM purchase_order")
	w := onOrder("create", "")
	w.DryRun = true
	e.must(t, w, odooLines(t, e))
	if after := e.scan(t, "SELECT count(*) FROM purchase_order"); after != before {
		t.Errorf("a dry run made an order: %s, then %s", before, after)
	}
	for operation, state := range map[string]string{"update": "purchase", "confirm": "cancel", "reopen": "purchase", "approve": "draft"} {
		w := onOrder(operation, e.scan(t, "SELECT min(id) FROM purchase_order WHERE state = $1", state))
		w.DryRun = true
		body := ""
		if operation == "update" {
			body = `{"ordered_at":"2026-12-24T08:30:00Z"}`
		}
		e.refuses(t, fault.RecordLocked, w, body)
	}
}

// TestOdooThroughTheHouse takes the whole road: relay, tunnel, agent, Odoo.
func TestOdooThroughTheHouse(t *testing.T) {
	e := openOdoo(t)
	p := open(t)
	p.allow("target", "127.0.0.1:18369")
	p.allow("writes")
	client, _ := p.connect(login{System: "odoo", Name: "odoo", Credentials: map[string]string{"password": "Agent-pw-2026"},
		Settings: map[string]any{"address": odooAddress, "database": "odoo", "username": "agent"}})
	var made order
	key := Header{"Idempotency-Key", "house-" + e.scan(t, "SELECT clock_timestamp()")}
	body := json.RawMessage(odooLines(t, e))
	p.expect(client, http.MethodPost, "/purchase-orders", body, 201, &made, key)
	p.expect(client, http.MethodPost, "/purchase-orders", body, 201, nil, key)
	if n := e.scan(t, "SELECT count(*) FROM purchase_order WHERE origin = $1", key[1]); n != "1" {
		t.Errorf("%s orders for one key", n)
	}
	p.expect(client, http.MethodPost, "/purchase-orders/"+made.ID+"/actions/confirm", map[string]any{}, 200, &made)
	if made.Status.Value != "approved" || made.Number == "" || len(made.Lines) != 3 {
		t.Errorf("after the confirmation: %+v", made)
	}
	p.refused(client, http.MethodPatch, "/purchase-orders/"+made.ID, map[string]any{"ordered_at": "2026-12-24T08:30:00Z"},
		fault.Error{Code: fault.RecordLocked, Hop: fault.HopSystem, Scope: fault.ScopeRecord, Outcome: fault.Rejected})
	count, err := client.Stream(t.Context(), "/vendors", func([]byte) error { return nil })
	if want := e.scan(t, "SELECT count(*) FROM res_partner WHERE supplier_rank > 0"); err != nil || fmt.Sprint(count) != want {
		t.Errorf("%d vendors by stream, %s in the database: %v", count, want, err)
	}
}
