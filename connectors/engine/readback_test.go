package engine_test

import (
	"errors"
	"strings"
	"testing"

	"gantry/tunnel/fault"
)

// liar is the test plant whose system says yes and does something else.
var liar = strings.NewReplacer(
	"SET status = 2, rev", "SET status = status, rev",
	"SET vendor = :vendor_id, ship_city", "SET vendor = CASE WHEN :vendor_id = 9 THEN 3 ELSE :vendor_id END, ship_city",
	`VALUES (:po_id, :index, :item_id, :quantity)"}
      delete`, `VALUES (:po_id, :index, :item_id, CASE WHEN :quantity = '13.05' THEN '13.1' ELSE :quantity END)"}
      delete`,
	"vanish: {sql: \"UPDATE po SET rev = rev WHERE po_id = :po_id AND status = 99\", affects: 1}",
	"vanish: {to: approved, read_back: false, sql: \"UPDATE po SET rev = rev WHERE po_id = :po_id\"}\n"+
		"      pretend: {to: approved, sql: \"UPDATE po SET rev = rev WHERE po_id = :po_id\"}\n"+
		"      check: {tx: [{sql: \"UPDATE po SET rev = rev WHERE po_id = :po_id RETURNING rev\", expect: \"result.rev > 1\"}]}\n"+
		"      look: {tx: [{sql: \"SELECT vendor AS found FROM po WHERE po_id = :po_id\", reads: true, returns: [found]}, {sql: \"UPDATE po SET colour = :found WHERE po_id = :po_id\"}]}",
).Replace(plantYAML)

func TestReadBack(t *testing.T) {
	for _, test := range []struct {
		name, operation, body string
		loose                 bool
		outcome               fault.Outcome // "": it succeeds
		field, detail         string
	}{
		{"an action that does nothing", "pretend", "", true, fault.Rejected, "status", "approved"},
		{"the same, undone", "pretend", "", false, fault.Rejected, "status", "approved"},
		{"nobody looks", "vanish", "", true, "", "", ""},
		{"an action that does something else", "approve", "", true, fault.Unknown, "status", "pending_approval"},
		{"a field that is not taken", "update", `{"vendor_id":"9"}`, true, fault.Unknown, "vendor_id", `"3", not "9"`},
		{"the same, undone", "update", `{"vendor_id":"9"}`, false, fault.Rejected, "vendor_id", `"3", not "9"`},
		{"a field that is", "update", `{"vendor_id":"8"}`, true, "", "", ""},
		{"a line", "update", `{"lines":[{"item_id":"1","quantity":"1.0"},{"item_id":"2","quantity":"13.05"}]}`, true, fault.Unknown, "lines[1].quantity", `"13.1", not "13.05"`},
		{"lines as they should be", "update", `{"lines":[{"item_id":"1","quantity":"1.0"},{"item_id":"2","quantity":"13"}]}`, true, "", "", ""},
		{"an answer that is no success", "check", "", true, fault.Unknown, "", "does not look like a success"},
		{"a step that looks up", "look", "", true, "", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlantOf(t, liar, orders("1"))
			p.fails.loose = test.loose
			_, err := p.Write(t.Context(), p.write(test.operation, "1", test.body, ""))
			if test.outcome == "" {
				if err != nil {
					t.Errorf("got %v", err)
				}
				return
			}
			f, ok := errors.AsType[*fault.Error](err)
			if !ok || f.Code != fault.SystemError || f.Outcome != test.outcome || !strings.Contains(f.Detail, test.detail) {
				t.Fatalf("got %+v", err)
			}
			if test.field != "" && (len(f.Fields) == 0 || f.Fields[0].Name != test.field) {
				t.Errorf("fields %+v", f.Fields)
			}
		})
	}
}

func TestDryRunLooksUp(t *testing.T) {
	p := newPlantOf(t, liar, orders("1"))
	w := p.write("look", "1", "", "")
	w.DryRun = true
	r, err := p.Write(t.Context(), w)
	if err != nil || !strings.Contains(string(r.Record.JSON), `"found":1`) {
		t.Errorf("%s, %v", r.Record.JSON, err)
	}
}
