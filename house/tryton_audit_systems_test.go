//go:build systems

package house

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"gantry/connectors/engine"
	"gantry/tunnel/fault"

	"github.com/google/go-cmp/cmp"
)

// confirmed makes an order of three lines that Tryton processes.
func (e *tryton) confirmed(t *testing.T) map[string]any {
	t.Helper()
	id := e.draft(t)
	e.must(t, onOrder("quote", id), "")
	return e.must(t, onOrder("confirm", id), "")
}

func lineOf(order map[string]any, i int) string {
	return fmt.Sprint(order["lines"].([]any)[i].(map[string]any)["line"])
}

// TestTrytonAmends changes a line of a confirmed order in the way that Tryton has for it.
func TestTrytonAmends(t *testing.T) {
	e := openTryton(t)
	order := e.confirmed(t)
	id, line := order["id"].(string), lineOf(order, 1)
	e.refuses(t, fault.RecordLocked, onOrder("update", id), `{"title":"x"}`)
	amend := fmt.Sprintf(`{"line":%s,"quantity":"7.25","price":"2.2","reason":"The vendor has less."}`, line)
	stale := onOrder("amend", id)
	stale.IfMatch = "1.5"
	e.refuses(t, fault.PreconditionFailed, stale, amend)

	amended := e.must(t, onOrder("amend", id), amend)
	expect(t, amended, map[string]any{"status.value": "approved", "lines.1.quantity": "7.25", "lines.1.price": "2.2", "lines.1.unit": "kg", "lines.0.quantity": "4", "net": "45.10"})
	if got := e.scan(t, "SELECT quantity || ' ' || unit_price || ' ' || unit FROM purchase_line WHERE id = $1", line); got != "7.25 2.2 "+e.scan(t, "SELECT unit FROM purchase_line WHERE id = $1", line) {
		t.Errorf("the line in the database: %s", got)
	}
	if got := e.scan(t, "SELECT a.state || ' ' || a.description || ' ' || p.revision || ' ' || p.state FROM purchase_amendment a JOIN purchase_purchase p ON p.id = a.purchase WHERE p.id = $1", id); got != "validated The vendor has less. 1 processing" {
		t.Errorf("the amendment in the database: %s", got)
	}

	draft := e.draft(t)
	e.refuses(t, fault.RecordLocked, onOrder("amend", draft), amend)
	before := e.scan(t, "SELECT count(*) FROM purchase_amendment")
	foreign := lineOf(e.must(t, onOrder("update", draft), `{"title":"x"}`), 0)
	e.refuses(t, fault.BusinessRule, onOrder("amend", id), fmt.Sprintf(`{"line":%s,"quantity":"1","price":"1"}`, foreign))
	e.refuses(t, fault.FieldRequired, onOrder("amend", id), fmt.Sprintf(`{"line":%s,"quantity":"1"}`, line))
	if after := e.scan(t, "SELECT count(*) FROM purchase_amendment"); after != before {
		t.Errorf("a refused amendment was made: %s, then %s", before, after)
	}
}

// TestTrytonSaysInAdvance: what would be refused is told by a dry run, and nothing is sent; what is allowed stands in _actions.
func TestTrytonSaysInAdvance(t *testing.T) {
	e := openTryton(t)
	draft, bare, order := e.draft(t), e.bare(t), e.confirmed(t)
	processing := order["id"].(string)
	line := fmt.Sprintf(`{"line":%s,"quantity":"1","price":"1"}`, lineOf(order, 0))
	for _, test := range []struct {
		operation, id, body string
		code                fault.Code // "": it would be done
	}{
		{"quote", draft, "", ""},
		{"update", draft, `{"title":"x"}`, ""},
		{"delete", draft, "", ""},
		{"amend", processing, line, ""},
		{"confirm", draft, "", fault.RecordLocked},
		{"amend", draft, line, fault.RecordLocked},
		{"quote", bare, "", fault.BusinessRule},
		{"quote", processing, "", fault.RecordLocked},
		{"cancel", processing, "", fault.RecordLocked},
		{"delete", processing, "", fault.RecordLocked},
		{"update", processing, `{"title":"x"}`, fault.RecordLocked},
		{"update", draft, `{"vendor_id":"4"}`, fault.FieldNotUpdatable},
		{"update", draft, `{"lines":[{"item_id":"1","quantity":"1"}]}`, fault.FieldRequired},
		{"create", "", `{"vendor_id":"3"}`, fault.FieldRequired},
		{"create", "", `{"lines":[{"item_id":"1","quantity":"1","price":"1"}]}`, fault.FieldRequired},
	} {
		snapshot := func() string {
			return e.scan(t, "SELECT md5(string_agg(p::text, '')) || (SELECT count(*) FROM purchase_line) || (SELECT count(*) FROM purchase_amendment) FROM (SELECT * FROM purchase_purchase ORDER BY id) p")
		}
		before := snapshot()
		w := onOrder(test.operation, test.id)
		w.DryRun = true
		if test.code == "" {
			e.must(t, w, test.body)
		} else {
			e.refuses(t, test.code, w, test.body)
		}
		if snapshot() != before {
			t.Errorf("a dry run of %s on %q changed the database", test.operation, test.id)
		}
	}
	var read map[string]any
	record, err := e.engine.Get(t.Context(), "purchase-orders", processing, engine.Query{})
	if err != nil || json.Unmarshal(record.JSON, &read) != nil {
		t.Fatal(err)
	}
	expect(t, read, map[string]any{"_actions": []any{"amend"}})
}

// TestTrytonTellsEveryRight: the reader is in the group Stock; for each entity and operation capabilities say whether it may, and that
// the login is why not.
func TestTrytonTellsEveryRight(t *testing.T) {
	d := openDesk(t, "tryton", trytonTarget("reader", "Reader-pw-2026"))
	if _, err := d.engine.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	offered := openTryton(t).engine.Capabilities().Entities
	for name, entity := range d.engine.Capabilities().Entities {
		for operation, may := range entity.Operations {
			reads := operation == "list" || operation == "get"
			who := map[bool]string{true: "probe", false: "definition"}[offered[name].Operations[operation].Allowed]
			if may.Allowed != reads || !reads && (may.DeniedBy != who || who == "probe" && !strings.Contains(may.Reason, "no right to ")) {
				t.Errorf("%s, %s: %+v", name, operation, may)
			}
		}
		for action, may := range entity.Actions {
			if may.Allowed || may.DeniedBy != "probe" || !strings.Contains(may.Reason, "no right to ") {
				t.Errorf("%s, %s: %+v", name, action, may)
			}
		}
		if _, err := d.engine.List(t.Context(), name, engine.Query{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTrytonListsThroughTheHouse lists every entity over relay and agent: page by page, filtered, and what changed.
func TestTrytonListsThroughTheHouse(t *testing.T) {
	e := openTryton(t)
	e.confirmed(t)
	p := open(t)
	p.allow("target", "127.0.0.1:18069")
	client, _ := p.connect(login{System: "tryton", Name: "erp", Credentials: map[string]string{"password": "Agent-pw-2026"},
		Settings: map[string]any{"address": trytonAddress, "database": "erp", "username": "agent"}})
	middle := func(table string) (string, string) {
		at := e.scan(t, `SELECT to_char(percentile_disc(0.5) WITHIN GROUP (ORDER BY coalesce(write_date, create_date)), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') FROM `+table)
		return url.QueryEscape(at), strings.TrimSuffix(at, "Z")
	}
	for _, test := range []struct{ path, table, filter, where string }{
		{"/vendors", "party_party", "code=V10003", "code = 'V10003'"},
		{"/items", "product_product", "number=BRG-6204", "code = 'BRG-6204'"},
		{"/purchase-orders", "purchase_purchase", "status=approved", "state IN ('confirmed', 'processing')"},
		{"/work-orders", "production", "status=completed", "state = 'done'"},
		{"/inventory", "product_product", "item_id=1", "id = 1"},
	} {
		since, after := middle(test.table)
		queries := map[string]string{"?" + test.filter: " WHERE " + test.where, "": ""}
		if test.path == "/inventory" {
			queries[""] = " p JOIN product_template t ON t.id = p.template WHERE t.type = 'goods' AND NOT t.consumable"
		} else {
			queries["?modified_after="+since] = " WHERE coalesce(write_date, create_date) > '" + after + "'"
		}
		for query, where := range queries {
			records, err := client.All(t.Context(), test.path+query, 2)
			if err != nil {
				t.Error(err)
				continue
			}
			var got []map[string]any
			for _, raw := range records {
				var record map[string]any
				if err := json.Unmarshal(raw, &record); err != nil {
					t.Fatal(err)
				}
				got = append(got, record)
			}
			column := "id"
			if strings.Contains(where, " JOIN ") {
				column = "p.id"
			}
			if diff := cmp.Diff(e.column(t, "SELECT "+column+" FROM "+test.table+where), idsOf(got)); diff != "" {
				t.Errorf("%s%s (-SQL +API):\n%s", test.path, query, diff)
			}
		}
	}
}
