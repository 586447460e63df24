//go:build systems

package house

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"gantry/connectors/engine"
	"gantry/connectors/wire"
)

// TestTrytonOverlay maps fields of Tryton that the definition leaves out, and writes one; the database is looked at.
func TestTrytonOverlay(t *testing.T) {
	e := openTryton(t)
	columns := discovered(t, e.desk, "purchase-orders")
	comment := columns["comment"]
	if comment.Native != "string" || comment.Title == "" || comment.ReadOnly || columns["lines"].Native != "" {
		t.Errorf("%+v %+v", comment, columns["lines"])
	}
	if _, used := columns["description"]; used {
		t.Error("what the definition maps is no discovery")
	}
	both := []string{"create", "update"}
	d := overlaidDesk(t, "tryton", trytonTarget("agent", "Agent-pw-2026"), "purchase-orders", map[string]wire.OverlayField{
		"comment":    {From: "comment", Type: "text", Native: comment.Native, Write: both, Filterable: true},
		"warehouse":  {From: "warehouse", Type: "integer", Native: columns["warehouse"].Native},
		"tax_cached": {From: "tax_amount_cache", Type: "decimal", Native: columns["tax_amount_cache"].Native},
	})
	text := unique("Gate 4, Größe 7")
	made := d.must(t, onOrder("create", ""), `{"vendor_id":"3","lines":[{"item_id":"1","quantity":"4","price":"4.35"}],"custom_fields":{"comment":"`+text+`"}}`)
	id := made["id"].(string)
	if got := e.scan(t, "SELECT comment FROM purchase_purchase WHERE id = $1", id); got != text || at(t, made, "custom_fields.comment") != text {
		t.Errorf("the database has %q, the answer %v", got, made["custom_fields"])
	}
	if at(t, made, "custom_fields.warehouse") == nil {
		t.Errorf("%v", made["custom_fields"])
	}
	if found := list(t, d, "purchase-orders", "comment="+url.QueryEscape(text)); len(found) != 1 || found[0]["id"] != id {
		t.Errorf("%d orders have the comment", len(found))
	}
	d.must(t, engine.Write{Entity: "purchase-orders", Operation: "update", ID: id}, `{"title":"changed"}`)
	if got := e.scan(t, "SELECT comment FROM purchase_purchase WHERE id = $1", id); got != text {
		t.Errorf("another field's change made it %q", got)
	}
	d.must(t, engine.Write{Entity: "purchase-orders", Operation: "update", ID: id}, `{"custom_fields":{"comment":null}}`)
	if got := e.scan(t, "SELECT comment FROM purchase_purchase WHERE id = $1", id); got != "" {
		t.Errorf("the database still has %q", got)
	}
}

// TestOdooOverlay maps fields of Odoo's orders that the definition leaves out: a text, and a truth, whose false is no null.
func TestOdooOverlay(t *testing.T) {
	e := openOdoo(t)
	columns := discovered(t, e.desk, "purchase-orders")
	location, reminded := columns["incoterm_location"], columns["receipt_reminder_email"]
	if location.Native != "string" || location.Title == "" || location.ReadOnly || reminded.Native != "boolean" || columns["order_line"].Native != "" {
		t.Errorf("%+v %+v %+v", location, reminded, columns["order_line"])
	}
	if _, used := columns["partner_ref"]; used {
		t.Error("what the definition maps is no discovery")
	}
	both := []string{"create", "update"}
	d := overlaidDesk(t, "odoo", odooTarget("agent", "Agent-pw-2026"), "purchase-orders", map[string]wire.OverlayField{
		"place":    {From: location.Name, Type: "string", Native: location.Native, Write: both, Filterable: true},
		"reminded": {From: reminded.Name, Type: "boolean", Native: reminded.Native, Write: []string{"update"}},
	})
	text := unique("Gate 4, Größe 7")
	made := d.must(t, onOrder("create", ""), strings.TrimSuffix(odooLines(t, e), "}")+`,"custom_fields":{"place":"`+text+`"}}`)
	id := made["id"].(string)
	if got := e.scan(t, "SELECT incoterm_location FROM purchase_order WHERE id = $1", id); got != text || at(t, made, "custom_fields.place") != text {
		t.Errorf("the database has %q, the answer %v", got, made["custom_fields"])
	}
	for _, yes := range []string{"true", "false"} {
		changed := d.must(t, engine.Write{Entity: "purchase-orders", Operation: "update", ID: id}, `{"custom_fields":{"reminded":`+yes+`}}`)
		if got := e.scan(t, "SELECT receipt_reminder_email::text FROM purchase_order WHERE id = $1", id); got != yes || fmt.Sprint(at(t, changed, "custom_fields.reminded")) != yes {
			t.Errorf("the database has %s, the answer %v", got, changed["custom_fields"])
		}
	}
	if found := list(t, d, "purchase-orders", "place="+url.QueryEscape(text)); len(found) != 1 || found[0]["id"] != id {
		t.Errorf("%d orders are delivered there", len(found))
	}
}

// TestPocketBaseOverlay maps a field of a collection that the definition leaves out.
func TestPocketBaseOverlay(t *testing.T) {
	p := openPocketBase(t)
	columns := discovered(t, p.desk, "work-orders")
	reference, there := columns["external_ref"]
	if !there || reference.Native != "string" || columns["collectionName"].Native != "string" {
		t.Errorf("%+v", columns)
	}
	can := p.engine.Capabilities().Entities["work-orders"].Overlay
	if !can.Allowed || !slices.Equal(can.Writable, []string{"create", "update"}) {
		t.Errorf("%+v", can)
	}
	if can := p.engine.Capabilities().Entities["items"].Overlay; !can.Allowed || len(can.Writable) > 0 {
		t.Errorf("items: %+v", can)
	}
	d := overlaidDesk(t, "pocketbase", pocketTarget("users", "Agent-pw-2026"), "work-orders", map[string]wire.OverlayField{
		"reference": {From: "external_ref", Type: "string", Native: reference.Native, Write: []string{"update"}, Filterable: true},
	})
	made := d.must(t, engine.Write{Entity: "work-orders", Operation: "create", IdempotencyKey: unique("key")}, `{"title":"Overlay"}`)
	id, text := made["id"].(string), unique("ref")
	changed := d.must(t, engine.Write{Entity: "work-orders", Operation: "update", ID: id}, `{"custom_fields":{"reference":"`+text+`"}}`)
	if got := p.scan(t, "SELECT external_ref FROM work_orders WHERE id = ?", id); got != text || at(t, changed, "custom_fields.reference") != text {
		t.Errorf("the database has %q, the answer %v", got, changed["custom_fields"])
	}
	if found := list(t, d, "work-orders", "reference="+text); len(found) != 1 || found[0]["id"] != id {
		t.Errorf("%d work orders", len(found))
	}
	if _, err := d.engine.Write(t.Context(), engine.Write{Entity: "work-orders", Operation: "delete", ID: id}); err != nil {
		t.Error(err)
	}
}
