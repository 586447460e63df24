package engine_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"gantry/connectors/engine"
	"gantry/tunnel/fault"

	"github.com/google/go-cmp/cmp"
)

// tray is the test plant as a system that gives an order's lines by the order's key alone, and shows an order until somebody decides on it.
var tray = strings.NewReplacer(
	`lines: {sql: "SELECT po_id, line_no, item, qty FROM po_line", parent: po_id, order`, `lines: {sql: "SELECT line_no, item, qty FROM po_line WHERE po_id = :po_id", order`,
	"      vanish:", "      refuse: {to: rejected, leaves: true, tx: [{sql: \"DELETE FROM po WHERE po_id = :po_id RETURNING po_no AS said\", expect: \"result.said != 'PO-2'\"}]}\n      vanish:",
).Replace(plantYAML)

func TestChildrenByTheParentsKey(t *testing.T) {
	p := newPlantOf(t, tray, orders("3"), "INSERT INTO po_line VALUES (1, 2, 5, '1'), (1, 1, 6, '2'), (3, 1, 7, '3')")
	page, err := p.List(t.Context(), "purchase-orders", engine.Query{Params: url.Values{"fields": {"lines"}}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	for _, record := range page.Data {
		got[record.ID] = decode(t, record.JSON)["lines"]
	}
	line := func(line float64, item, quantity string) any {
		return map[string]any{"line": line, "item_id": item, "quantity": quantity}
	}
	want := map[string]any{"1": []any{line(1, "6", "2"), line(2, "5", "1")}, "2": []any{}, "3": []any{line(1, "7", "3")}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRecordThatLeaves(t *testing.T) {
	p := newPlantOf(t, tray, orders("2"), "INSERT INTO po_line VALUES (1, 1, 5, '1')")
	p.fails.loose = true
	result, err := p.Write(t.Context(), p.write("refuse", "1", "", ""))
	if err != nil {
		t.Fatal(err)
	}
	got := decode(t, result.Record.JSON)
	if diff := cmp.Diff(map[string]any{"value": "rejected", "native_code": nil, "native_label": nil}, got["status"]); diff != "" {
		t.Error(diff)
	}
	if got["number"] != "PO-1" || len(got["lines"].([]any)) != 1 || len(got["_actions"].([]any)) != 0 || result.Record.ID != "1" {
		t.Errorf("got %s", result.Record.JSON)
	}
	if _, err := p.Get(t.Context(), "purchase-orders", "1", engine.Query{}); !fault.Is(err, fault.NotFound) {
		t.Errorf("the record is still there: %v", err)
	}
	_, err = p.Write(t.Context(), p.write("refuse", "2", "", ""))
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != fault.SystemError || f.Outcome != fault.Unknown {
		t.Errorf("an answer that is no success: %+v", err)
	}
}
