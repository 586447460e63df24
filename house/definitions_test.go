package house

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gantry/connectors"
	"gantry/connectors/catalogue"
	"gantry/connectors/definition"
	"gantry/connectors/engine"
	"gantry/connectors/files"
	"gantry/connectors/jsonrpc"
	"gantry/connectors/odata"
	"gantry/connectors/rest"
	"gantry/connectors/soap"
	sqldriver "gantry/connectors/sql"
	"gantry/connectors/sql/sqltest"
	"gantry/tunnel/fault"
)

// desk is an engine over a real database, without relay and agent: where definitions are tried out.
type desk struct{ engine *engine.Engine }

// openDesk opens one of the catalogue's systems, with what the sources lay over it.
func openDesk(t *testing.T, system string, target connectors.Target, sources ...fs.FS) *desk {
	t.Helper()
	set, err := definition.Load(append([]fs.FS{catalogue.FS}, sources...)...)
	if err != nil {
		t.Fatal(err)
	}
	program, err := definition.Compile(set.Lookup(system), allDrivers())
	if err != nil {
		t.Fatal(err)
	}
	return openProgram(t, program, target)
}

func allDrivers() []connectors.Driver {
	return []connectors.Driver{sqldriver.Driver{}, jsonrpc.Driver{}, rest.Driver{}, files.Driver{}, soap.Driver{}, odata.Driver{}}
}

func openProgram(t *testing.T, program *definition.Program, target connectors.Target) *desk {
	t.Helper()
	e, err := engine.Open(t.Context(), program, engine.Options{Connection: "con_1", CursorKey: []byte("0123456789abcdef"),
		Settings: target.Settings, Credentials: target.Credentials, Dial: target.Dial, OpenPath: target.OpenPath})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return &desk{e}
}

// write gives the record as it is after the write.
func (d *desk) write(t *testing.T, w engine.Write, body string) (map[string]any, error) {
	t.Helper()
	w.Now = time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC)
	if body != "" {
		var err error
		if w.Body, err = connectors.DecodeBody([]byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	result, err := d.engine.Write(t.Context(), w)
	if err != nil {
		return nil, err
	}
	var record map[string]any
	if err := json.Unmarshal(result.Record.JSON, &record); err != nil {
		t.Fatalf("%v: %s", err, result.Record.JSON)
	}
	return record, nil
}

func (d *desk) must(t *testing.T, w engine.Write, body string) map[string]any {
	t.Helper()
	record, err := d.write(t, w, body)
	if err != nil {
		f, _ := errors.AsType[*fault.Error](err)
		t.Fatalf("%s %s: %v %+v", w.Entity, w.Operation, err, f)
	}
	return record
}

func (d *desk) refuses(t *testing.T, code fault.Code, w engine.Write, body string) {
	t.Helper()
	_, err := d.write(t, w, body)
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != code {
		t.Errorf("%s %s: got %v, want %s", w.Entity, w.Operation, err, code)
	}
}

// list reads all pages.
func list(t *testing.T, d *desk, entity, query string) []map[string]any {
	t.Helper()
	params, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]any
	for range 1000 {
		page, err := d.engine.List(t.Context(), entity, engine.Query{Params: params})
		if err != nil {
			t.Fatalf("%s?%s: %v", entity, query, err)
		}
		for _, r := range page.Data {
			var record map[string]any
			if err := json.Unmarshal(r.JSON, &record); err != nil {
				t.Fatal(err)
			}
			out = append(out, record)
		}
		if !page.HasMore {
			return out
		}
		params.Set("cursor", page.NextCursor)
	}
	t.Fatal("the pages do not end")
	return nil
}

// dialDirect opens connections without a policy.
func dialDirect(ctx context.Context, network, address string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// at looks a member up: "status.value", "lines.0.amount".
func at(t *testing.T, record map[string]any, path string) any {
	t.Helper()
	var value any = record
	for key := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[key]
		case []any:
			if int(key[0]-'0') >= len(v) {
				return nil
			}
			value = v[key[0]-'0']
		default:
			return nil
		}
	}
	return value
}

func expect(t *testing.T, record map[string]any, want map[string]any) {
	t.Helper()
	got := map[string]any{}
	for path := range want {
		got[path] = at(t, record, path)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%v (-want +got):\n%s", record["id"], d)
	}
}

func TestDemoPlantOrder(t *testing.T) {
	d := openDesk(t, "demo-plant", demoTarget(t))
	create := engine.Write{Entity: "purchase-orders", Operation: "create", IdempotencyKey: "k1"}
	body := `{"title":"Bearings","vendor_id":"7","site_id":"1","ordered_at":"2026-07-01T07:30:00Z","custom_fields":{"cost_center":"4120"},"lines":[
		{"item_id":"1","quantity":"4","price":"12.50"},{"item_id":"3","quantity":"2.5","price":"89.99"}]}`
	made := d.must(t, create, body)
	expect(t, made, map[string]any{"number": "PO-400801", "status.value": "pending_approval", "ordered_at": "2026-07-01T07:30:00Z",
		"custom_fields.cost_center": "4120", "net": "274.98", "tax": "68.75", "total": "343.73", "lines.0.amount": "50.00",
		"lines.1.amount": "224.98", "lines.1.line": 2.0})
	id := made["id"].(string)
	again := d.must(t, create, body)
	expect(t, again, map[string]any{"id": id})

	order := func(operation string) engine.Write {
		return engine.Write{Entity: "purchase-orders", Operation: operation, ID: id}
	}
	changed := d.must(t, order("update"), `{"buyer":"Nils","lines":[{"item_id":"2","quantity":"1","price":"99.99"}]}`)
	expect(t, changed, map[string]any{"title": "Bearings", "buyer": "Nils", "net": "99.99", "total": "124.99", "lines.1": nil, "lines.0.item_id": "2"})
	expect(t, d.must(t, order("approve"), ""), map[string]any{"status.value": "approved", "status.native_code": "30"})
	d.refuses(t, fault.RecordLocked, order("update"), `{"buyer":"Maja"}`)
	d.refuses(t, fault.ValidationFailed, engine.Write{Entity: "purchase-orders", Operation: "create", IdempotencyKey: "k2"}, `{"vendor_id":"7","site_id":"1","ordered_at":"2026-07-01T07:30:00Z","lines":[]}`)

	receipt := engine.Write{Entity: "goods-receipts", Operation: "create", IdempotencyKey: "r1"}
	received := d.must(t, receipt, `{"purchase_order_id":"`+id+`","received_at":"2026-07-02T09:00:00Z","lines":[{"purchase_order_line":1,"quantity":"1","storeroom":"HLM-ST1"}]}`)
	expect(t, received, map[string]any{"purchase_order_id": id, "status.value": "posted", "lines.0.item_id": "2", "lines.0.accepted_quantity": "1.0"})
	expect(t, d.get(t, "purchase-orders", id), map[string]any{"status.value": "received", "lines.0.received_quantity": "1.0", "lines.0.status.value": "received"})
	replayed := d.must(t, receipt, `{"purchase_order_id":"`+id+`","received_at":"2026-07-02T09:00:00Z","lines":[{"purchase_order_line":1,"quantity":"1","storeroom":"HLM-ST1"}]}`)
	expect(t, replayed, map[string]any{"id": received["id"]})
	expect(t, d.must(t, order("close"), ""), map[string]any{"status.value": "closed"})
}

func (d *desk) get(t *testing.T, entity, id string) map[string]any {
	t.Helper()
	r, err := d.engine.Get(t.Context(), entity, id, engine.Query{})
	if err != nil {
		t.Fatal(err)
	}
	var record map[string]any
	if err := json.Unmarshal(r.JSON, &record); err != nil {
		t.Fatal(err)
	}
	return record
}

func TestDemoPlantWork(t *testing.T) {
	d := openDesk(t, "demo-plant", demoTarget(t))
	made := d.must(t, engine.Write{Entity: "work-orders", Operation: "create", IdempotencyKey: "w1"},
		`{"title":"Pump leaks","asset_id":"5","custom_fields":{"permit":"HW-1"},"tasks":[{"title":"Make safe"},{"title":"Repair","estimated_hours":"1.5"}]}`)
	expect(t, made, map[string]any{"number": "WO-101501", "status.value": "requested", "type": "corrective", "custom_fields.permit": "HW-1",
		"tasks.0.status.value": "open", "tasks.1.estimated_hours": "1.5"})
	if made["site_id"] == nil || made["location_id"] == nil {
		t.Error("the asset's site and location are not taken over")
	}
	work := func(operation string) engine.Write {
		return engine.Write{Entity: "work-orders", Operation: operation, ID: made["id"].(string)}
	}
	expect(t, d.must(t, work("update"), `{"priority":"high"}`), map[string]any{"priority": "high", "title": "Pump leaks", "tasks.1.title": "Repair"})
	expect(t, d.must(t, work("approve"), ""), map[string]any{"status.value": "approved"})
	expect(t, d.must(t, work("start"), `{"started_at":"2026-07-01T06:00:00Z"}`), map[string]any{"status.value": "in_progress", "actual_start_at": "2026-07-01T06:00:00Z"})
	expect(t, d.must(t, work("complete"), `{"completed_at":"2026-07-01T09:30:00Z","downtime_minutes":30}`),
		map[string]any{"status.value": "completed", "completed_at": "2026-07-01T09:30:00Z", "downtime_minutes": 30.0})
	d.refuses(t, fault.RecordLocked, work("update"), `{"priority":"low"}`)
	expect(t, d.must(t, work("close"), ""), map[string]any{"status.value": "closed"})

	request := d.must(t, engine.Write{Entity: "service-requests", Operation: "create", IdempotencyKey: "s1"}, `{"title":"Noise","asset_id":"9"}`)
	expect(t, request, map[string]any{"number": "SR-10301", "status.value": "requested", "priority": "medium"})
	reading := d.must(t, engine.Write{Entity: "meter-readings", Operation: "create", IdempotencyKey: "m1"},
		`{"meter_id":"X/RH","asset_id":"9","value":"1204.5","unit":"HUR","read_at":"2026-07-01T06:00:00Z"}`)
	expect(t, reading, map[string]any{"value": "1204.5", "type": "counter", "read_at": "2026-07-01T06:00:00Z"})
}

func TestDemoPlantStock(t *testing.T) {
	d := openDesk(t, "demo-plant", demoTarget(t))
	page, err := d.engine.List(t.Context(), "inventory", engine.Query{Params: map[string][]string{"limit": {"1"}, "item_id": {"10"}}})
	if err != nil {
		t.Fatal(err)
	}
	before := d.get(t, "inventory", page.Data[0].ID)
	after := d.must(t, engine.Write{Entity: "inventory", Operation: "adjust", ID: page.Data[0].ID}, `{"quantity":"2.5","reason":"counted"}`)
	if before["on_hand"] == after["on_hand"] || !strings.HasSuffix(after["on_hand"].(string), ".5") {
		t.Errorf("on hand was %v and is %v", before["on_hand"], after["on_hand"])
	}
}

func TestAdventureWorksOrder(t *testing.T) {
	for system, server := range map[string]func(testing.TB) *sqltest.Server{
		"adventureworks": sqltest.Postgres, "adventureworks-inbox": sqltest.Postgres, "adventureworks-mariadb": sqltest.MariaDB} {
		t.Run(system, func(t *testing.T) {
			d := openDesk(t, system, adventureWorksTarget(t, server))
			create := engine.Write{Entity: "purchase-orders", Operation: "create", IdempotencyKey: "k1"}
			const body = `{"vendor_id":"1580","ordered_at":"2026-07-01T00:00:00Z","lines":[
				{"item_id":"1","quantity":"4","price":"50.26"},{"item_id":"359","quantity":"3","price":"45.12"},{"item_id":"360","quantity":"3","price":"45.5805"}]}`
			made := d.must(t, create, body)
			expect(t, made, map[string]any{"status.value": "pending_approval", "net": "473.1415", "tax": "37.8513", "freight": "11.8285",
				"total": "522.8213", "lines.2.amount": "136.7415", "lines.0.due_at": "2026-07-01T00:00:00Z", "currency": "USD"})
			id := made["id"].(string)
			expect(t, d.must(t, create, body), map[string]any{"id": id})
			order := func(operation string) engine.Write {
				return engine.Write{Entity: "purchase-orders", Operation: operation, ID: id}
			}
			expect(t, d.must(t, order("update"), `{"lines":[{"item_id":"1","quantity":"1","price":"10"}]}`), map[string]any{"net": "10.0000", "total": "11.0500", "lines.1": nil})
			d.refuses(t, fault.ValidationFailed, order("update"), `{"vendor_id":"999999"}`)
			expect(t, d.must(t, order("approve"), ""), map[string]any{"status.value": "approved"})
			d.refuses(t, fault.RecordLocked, order("update"), `{"vendor_id":"1492"}`)
			d.refuses(t, fault.RecordLocked, order("delete"), "")
			expect(t, d.must(t, order("close"), ""), map[string]any{"status.value": "closed"})
			stock := engine.Write{Entity: "inventory", Operation: "adjust", ID: "1~1"}
			expect(t, d.must(t, stock, `{"quantity":"-8"}`), map[string]any{"on_hand": "400"})
			d.refuses(t, fault.ValidationFailed, stock, `{"quantity":"-9000"}`)
			other := engine.Write{Entity: "purchase-orders", Operation: "create", IdempotencyKey: "k2"}
			cancelled := d.must(t, other, body)
			expect(t, d.must(t, engine.Write{Entity: "purchase-orders", Operation: "delete", ID: cancelled["id"].(string)}, ""), map[string]any{"status.value": "rejected"})
		})
	}
}
