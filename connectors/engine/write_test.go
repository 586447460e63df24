package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gantry/connectors"
	"gantry/connectors/engine"
	"gantry/tunnel/fault"
)

const newOrder = `{"number":"N-1","vendor_id":"4","total":"12.50","ordered_at":"2026-07-01T10:00:00Z","ship_to":{"city":"Bonn"},
	"lines":[{"item_id":"5","quantity":"2"},{"item_id":"6","quantity":"0.25"}]}`

func lost(sent bool) func() error {
	return func() error { return &connectors.Failure{Kind: connectors.Lost, Sent: sent, Message: "broken pipe"} }
}

func TestCreateIsWrittenAndReadBack(t *testing.T) {
	p := newPlant(t)
	r, err := p.Write(t.Context(), p.write("create", "", newOrder, "key-1"))
	if err != nil {
		t.Fatal(err)
	}
	got := decode(t, r.Record.JSON)
	if r.Status != 201 || got["total"] != "12.50" || got["ordered_at"] != "2026-07-01T10:00:00Z" || len(got["lines"].([]any)) != 2 {
		t.Errorf("result %d %s", r.Status, r.Record.JSON)
	}
	if p.count("SELECT count(*) FROM po WHERE ordered = '2026-07-01 12:00:00' AND ext_ref = 'key-1' AND vendor = 4 AND modified = '2026-07-01 12:00:00'") != 1 {
		t.Error("the row is not in the system's own terms")
	}
}

// TestOneKeyOneEffect breaks a keyed create at every point where it can break, sends it again, and counts.
func TestOneKeyOneEffect(t *testing.T) {
	tests := map[string]struct {
		breaks  func(*faulty)
		outcome fault.Outcome
		code    fault.Code
	}{
		"at begin":              {func(f *faulty) { f.begin = lost(false) }, fault.NotSent, fault.SystemUnreachable},
		"at the first step":     {func(f *faulty) { f.exec = lost(true) }, fault.NotSent, fault.SystemUnreachable},
		"before the commit":     {func(f *faulty) { f.commit = lost(false) }, fault.NotSent, fault.SystemUnreachable},
		"in the commit, undone": {func(f *faulty) { f.commit = lost(true) }, fault.Unknown, fault.SystemUnreachable},
		"in the commit, done":   {func(f *faulty) { f.committed = lost(true) }, fault.Unknown, fault.SystemUnreachable},
		"commit of another sort": {func(f *faulty) { f.committed = func() error { return context.DeadlineExceeded } },
			fault.Unknown, fault.SystemTimeout},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPlant(t)
			test.breaks(p.fails)
			_, err := p.Write(t.Context(), p.write("create", "", newOrder, "key-1"))
			f, ok := errors.AsType[*fault.Error](err)
			if !ok || f.Outcome != test.outcome || f.Code != test.code || f.Advice == "" {
				t.Fatalf("error %+v", err)
			}
			*p.fails = faulty{}
			settled, was, err := p.Settle(t.Context(), p.write("create", "", newOrder, "key-1"))
			if done := p.count("SELECT count(*) FROM po") == 1; err != nil || was != done || done && settled.Record.ID != "1" {
				t.Errorf("settle says %v %s %v", was, settled.Record.JSON, err)
			}
			again, err := p.Write(t.Context(), p.write("create", "", newOrder, "key-1"))
			if err != nil || again.Record.ID != "1" || again.Replayed != was {
				t.Errorf("again: %+v, %v", again, err)
			}
			if p.count("SELECT count(*) FROM po") != 1 || p.count("SELECT count(*) FROM po_line") != 2 {
				t.Error("the effect is not there exactly once")
			}
		})
	}
}

func TestTransactionalAction(t *testing.T) {
	for name, breaks := range map[string]func(*faulty){
		"nothing":            func(*faulty) {},
		"a step":             func(f *faulty) { f.exec = lost(true) },
		"the commit, undone": func(f *faulty) { f.commit = lost(true) },
		"the commit, done":   func(f *faulty) { f.committed = lost(true) },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlant(t, orders("1"))
			breaks(p.fails)
			_, _ = p.Write(t.Context(), p.write("note", "1", `{"text":"x"}`, "n-1"))
			*p.fails = faulty{}
			r, err := p.Write(t.Context(), p.write("note", "1", `{"text":"x"}`, "n-1"))
			if err != nil || r.Record.ID != "1" {
				t.Fatalf("%+v, %v", r, err)
			}
			if p.count("SELECT count(*) FROM po WHERE colour = 'x'") != 1 || p.count("SELECT count(*) FROM gantry_inbox WHERE record_id = '1'") != 1 {
				t.Error("the effect is not there exactly once")
			}
		})
	}
}

// TestInboxIsOfOneConnection: two callers who happen to send the same key, each to a connection of their own, both write.
func TestInboxIsOfOneConnection(t *testing.T) {
	p := newPlant(t, orders("1"))
	other := p.open("con_2")
	long := strings.Repeat("k", 255)
	for _, key := range []string{"n-1", long} {
		w := p.write("note", "1", `{"text":"x"}`, key)
		for _, e := range []*engine.Engine{p.Engine, other, p.Engine, other} {
			if _, err := e.Write(t.Context(), w); err != nil {
				t.Fatal(err)
			}
			if _, settled, err := e.Settle(t.Context(), w); !settled || err != nil {
				t.Errorf("settled %v, %v", settled, err)
			}
		}
	}
	if p.count("SELECT count(*) FROM po WHERE colour = 'xxxx'") != 1 {
		t.Error("each connection's write must happen once")
	}
	if p.count("SELECT count(*) FROM gantry_inbox WHERE length(idempotency_key) < 60 AND idempotency_key LIKE 'con\\__.%' ESCAPE '\\'") != 4 {
		t.Error("the keys are not as the definition's page says")
	}
}

func TestOpaqueCannotBeSettled(t *testing.T) {
	p := newPlant(t, orders("1"))
	p.fails.committed = lost(true)
	_, err := p.Write(t.Context(), p.write("approve", "1", "", "a-1"))
	if f, _ := errors.AsType[*fault.Error](err); f == nil || f.Outcome != fault.Unknown || f.Retryable {
		t.Errorf("error %+v", err)
	}
	_, settled, err := p.Settle(t.Context(), p.write("approve", "1", "", "a-1"))
	if f, _ := errors.AsType[*fault.Error](err); settled || f == nil || f.Outcome != fault.Unknown {
		t.Errorf("settled %v, %v", settled, err)
	}
}

func TestUpdate(t *testing.T) {
	p := newPlant(t, orders("1"), "UPDATE po SET ship_city = 'Bonn'", "INSERT INTO po_line VALUES (1, 1, 5, '1'), (1, 2, 6, '2')")
	w := p.write("update", "1", `{"vendor_id":"9"}`, "")
	w.IfMatch = "1"
	r, err := p.Write(t.Context(), w)
	if err != nil || r.Record.ETag != "2" {
		t.Fatalf("%s, %v", r.Record.JSON, err)
	}
	if p.count("SELECT count(*) FROM po WHERE vendor = 9 AND ship_city = 'Bonn'") != 1 || p.count("SELECT count(*) FROM po_line") != 2 {
		t.Error("what the body does not name has changed")
	}
	if _, err := p.Write(t.Context(), w); !fault.Is(err, fault.PreconditionFailed) {
		t.Errorf("a stale etag: %v", err)
	}
	if _, err := p.Write(t.Context(), p.write("update", "1", `{"lines":[{"item_id":"8","quantity":"3"}],"ship_to":null}`, "")); err != nil {
		t.Fatal(err)
	}
	if p.count("SELECT count(*) FROM po_line WHERE item = 8") != p.count("SELECT count(*) FROM po_line") || p.count("SELECT count(*) FROM po WHERE ship_city IS NULL") != 1 {
		t.Error("the list was not replaced whole, or the null was not written")
	}
}

func TestRefusals(t *testing.T) {
	tests := map[string]struct {
		operation, id, body string
		code                fault.Code
		fields              string
	}{
		"unknown member":    {"create", "", `{"vendor_id":"1","colr":1}`, fault.InvalidRequest, "colr UNKNOWN"},
		"required":          {"create", "", `{"number":"x"}`, fault.FieldRequired, "vendor_id REQUIRED"},
		"in a line":         {"create", "", `{"vendor_id":"1","lines":[{"quantity":"1"}]}`, fault.FieldRequired, "lines[0].item_id REQUIRED"},
		"read-only":         {"update", "1", `{"status":"approved"}`, fault.FieldNotUpdatable, "status NOT_UPDATABLE"},
		"computed":          {"update", "1", `{"title":"x"}`, fault.FieldNotUpdatable, "title NOT_UPDATABLE"},
		"on create only":    {"update", "1", `{"number":"x"}`, fault.FieldNotUpdatable, "number NOT_UPDATABLE"},
		"all at once":       {"create", "", `{"vendor_id":"x","total":"1e","id":"5","lines":5}`, fault.ValidationFailed, "id NOT_UPDATABLE,lines INVALID,total INVALID,vendor_id INVALID"},
		"emptied":           {"update", "1", `{"vendor_id":null}`, fault.FieldRequired, "vendor_id REQUIRED"},
		"too long":          {"note", "1", `{"text":"longer than five"}`, fault.ValidationFailed, "text TOO_LONG"},
		"rule":              {"update", "3", `{"vendor_id":"1"}`, fault.RecordLocked, ""},
		"rule on delete":    {"delete", "3", "", fault.RecordLocked, ""},
		"state":             {"approve", "3", "", fault.RecordLocked, ""},
		"nothing affected":  {"vanish", "1", "", fault.RecordLocked, ""},
		"no record":         {"approve", "99", "", fault.NotFound, ""},
		"no such id":        {"approve", "abc", "", fault.NotFound, ""},
		"no such operation": {"explode", "1", "", fault.OperationNotSupported, ""},
		"duplicate":         {"create", "", `{"number":"PO-1","vendor_id":"1"}`, fault.Duplicate, ""},
	}
	p := newPlant(t, orders("3"))
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p.t = t
			_, err := p.Write(t.Context(), p.write(test.operation, test.id, test.body, "k"))
			f, ok := errors.AsType[*fault.Error](err)
			if !ok || f.Code != test.code || f.Operation != test.operation || f.Outcome != fault.Rejected && f.Outcome != fault.NotSent {
				t.Fatalf("error %+v", err)
			}
			var got []string
			for _, field := range f.Fields {
				got = append(got, field.Name+" "+field.Code)
			}
			if diff := cmp.Diff(test.fields, strings.Join(got, ",")); diff != "" {
				t.Error(diff)
			}
		})
	}
	if p.t = t; p.count("SELECT count(*) FROM po WHERE rev > 1 OR po_id > 3") != 0 {
		t.Error("a refused write changed something")
	}
}

func TestDeleteByStatus(t *testing.T) {
	p := newPlant(t, orders("1"))
	r, err := p.Write(t.Context(), p.write("delete", "1", "", ""))
	if err != nil || r.DeleteMode != "status" || r.Status != 200 || p.count("SELECT status FROM po") != 5 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestDryRunChangesNothing(t *testing.T) {
	p := newPlant(t, orders("3"))
	w := p.write("create", "", newOrder, "d-1")
	w.DryRun = true
	r, err := p.Write(t.Context(), w)
	if err != nil || !strings.Contains(string(r.Record.JSON), `"vendor_id":4`) || !strings.Contains(string(r.Record.JSON), "lines[1]") {
		t.Errorf("%s, %v", r.Record.JSON, err)
	}
	w = p.write("update", "3", `{"vendor_id":"1"}`, "")
	w.DryRun = true
	if _, err := p.Write(t.Context(), w); !fault.Is(err, fault.RecordLocked) {
		t.Errorf("a dry run asks no rule: %v", err)
	}
	if p.count("SELECT count(*) FROM po") != 3 {
		t.Error("a dry run wrote")
	}
}

func TestErrorMapAndDenials(t *testing.T) {
	p := newPlant(t, orders("1"))
	p.fails.exec = func() error {
		return &connectors.Failure{Kind: connectors.Answered, Status: "8", Message: "read only", Source: map[string]any{"number": int64(8)}}
	}
	_, err := p.Write(t.Context(), p.write("approve", "1", "", ""))
	f, _ := errors.AsType[*fault.Error](err)
	if f == nil || f.Code != fault.PermissionDenied || f.Hop != fault.HopSystem || f.Source.Status != "8" {
		t.Fatalf("error %+v", err)
	}
	if c := p.Capabilities().Entities["purchase-orders"].Actions["approve"]; c.Allowed || c.DeniedBy != "probe" {
		t.Errorf("capability %+v", c)
	}
	*p.fails = faulty{}
	if _, err := p.Write(t.Context(), p.write("approve", "1", "", "")); err != nil {
		t.Fatal(err)
	}
	if c := p.Capabilities().Entities["purchase-orders"].Actions["approve"]; !c.Allowed {
		t.Errorf("a success does not clear the denial: %+v", c)
	}
}

func TestActionsFollowPolicyAndState(t *testing.T) {
	p := newPlant(t, orders("3"))
	actions := func(id string, q engine.Query) any {
		r, err := p.Get(t.Context(), "purchase-orders", id, q)
		if err != nil {
			t.Fatal(err)
		}
		return decode(t, r.JSON)["_actions"]
	}
	if diff := cmp.Diff([]any{"note", "vanish"}, actions("3", engine.Query{})); diff != "" {
		t.Error(diff)
	}
	only := engine.Query{Permits: func(op string) bool { return op == "approve" }}
	if diff := cmp.Diff([]any{"approve"}, actions("1", only)); diff != "" {
		t.Error(diff)
	}
}
