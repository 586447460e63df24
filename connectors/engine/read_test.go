package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gantry/connectors/engine"
	"gantry/tunnel/fault"
)

func TestRecordIsCanonical(t *testing.T) {
	p := newPlant(t, `INSERT INTO po (po_id, po_no, vendor, status, total, ordered, modified, rev, ship_city, colour)
		VALUES (7, 'PO-"7"', 42, 1, '1234567890123456789.10', '2026-07-01 12:00:00', '2026-01-02 01:00:00', 3, 'Köln', 'red')`,
		"INSERT INTO po_line VALUES (7, 2, 5, '1.25'), (7, 1, 6, '.5')")
	r, err := p.Get(t.Context(), "purchase-orders", "7", engine.Query{Params: url.Values{"include": {"remote_data"}}})
	if err != nil {
		t.Fatal(err)
	}
	got := decode(t, r.JSON)
	delete(got, "remote_data")
	want := decode(t, []byte(`{"id":"7","number":"PO-\"7\"","title":"Order PO-\"7\"","vendor_id":"42","etag":"3",
		"status":{"value":"pending_approval","native_code":"1","native_label":"Pending"},
		"total":"1234567890123456789.10","ordered_at":"2026-07-01T10:00:00Z","updated_at":"2026-01-02T00:00:00Z",
		"created_at":null,"deleted_at":null,"ship_to":{"city":"Köln"},"custom_fields":{"colour":"red"},
		"lines":[{"line":1,"item_id":"6","quantity":"0.5"},{"line":2,"item_id":"5","quantity":"1.25"}],
		"_actions":["update","delete","approve","cancel","note","vanish"]}`))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if r.ID != "7" || r.ETag != "3" {
		t.Errorf("id %q, etag %q", r.ID, r.ETag)
	}
}

func TestRecordWarns(t *testing.T) {
	p := newPlant(t, `INSERT INTO po (po_id, po_no, status, total, ordered, modified) VALUES
		(1, 'a', 9, 'many', '2026-02-30 00:00:00', '2026-03-29 02:30:00')`)
	r, err := p.Get(t.Context(), "purchase-orders", "1", engine.Query{})
	if err != nil {
		t.Fatal(err)
	}
	got := decode(t, r.JSON)
	codes := map[string]string{}
	for _, w := range got["_warnings"].([]any) {
		codes[w.(map[string]any)["field"].(string)] = w.(map[string]any)["code"].(string)
	}
	want := map[string]string{"status": "unmapped", "total": "invalid_number", "ordered_at": "impossible_date", "updated_at": "impossible_date"}
	if diff := cmp.Diff(want, codes); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]any{"value": "other", "native_code": "9", "native_label": nil}, got["status"]); diff != "" {
		t.Error(diff)
	}
	if got["updated_at"] != "2026-03-29T01:30:00Z" { // 02:30 does not exist: 03:30 summer time
		t.Errorf("updated_at %v", got["updated_at"])
	}
}

func TestPagesNeitherSkipNorRepeat(t *testing.T) {
	p := newPlant(t, orders("205"), "INSERT INTO po_line SELECT po_id, 1, 5, '1' FROM po")
	for _, query := range []string{"limit=37", "limit=37&status=approved", "limit=3&colour=red", "limit=500"} {
		t.Run(query, func(t *testing.T) {
			p.t = t
			seen, cursor := map[string]bool{}, ""
			for range 300 {
				page, err := p.list(query + cursor)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range page.Data {
					if seen[r.ID] || !strings.Contains(string(r.JSON), `"lines":[{`) {
						t.Fatalf("record %s twice, or without its lines", r.ID)
					}
					seen[r.ID] = true
				}
				if cursor = "&cursor=" + page.NextCursor; !page.HasMore {
					break
				}
			}
			want := p.count("SELECT count(*) FROM po")
			if strings.Contains(query, "approved") {
				want = p.count("SELECT count(*) FROM po WHERE status = 2")
			} else if strings.Contains(query, "red") {
				want = p.count("SELECT count(*) FROM po WHERE colour = 'red'")
			}
			if len(seen) != want {
				t.Errorf("%d records, want %d", len(seen), want)
			}
		})
	}
}

func TestChildrenAreFetchedInBatches(t *testing.T) {
	p := newPlant(t, orders("450"), "INSERT INTO po_line SELECT po_id, 1, 5, '1' FROM po")
	before := p.fails.reads.Load()
	n, err := p.Stream(t.Context(), "purchase-orders", engine.Query{}, func(line []byte) error {
		if !json.Valid(line) || !strings.Contains(string(line), `"lines":[{"line":1`) {
			return fmt.Errorf("line %s", line)
		}
		return nil
	})
	if err != nil || n != 450 {
		t.Fatalf("%d records, %v", n, err)
	}
	if reads := p.fails.reads.Load() - before; reads != 1+3 {
		t.Errorf("%d queries for 450 orders, want 1 and 3 of lines", reads)
	}
}

func TestFilters(t *testing.T) {
	p := newPlant(t, orders("100"))
	for query, where := range map[string]string{
		"vendor_id=3":             "vendor = 3",
		"vendor_id=3&vendor_id=4": "vendor IN (3, 4)",
		"number=PO-5":             "po_no = 'PO-5'",
		"status=approved&status=pending_approval": "status IN (1, 2)",
		"status=closed":                       "0",
		"status=other":                        "status NOT IN (1, 2, 5)",
		"modified_after=2026-03-02T09:00:00Z": "modified > '2026-03-02 10:00:00'",
		"modified_after=2026-03-02T08:59:59Z": "modified > '2026-03-02 09:59:59'",
	} {
		t.Run(query, func(t *testing.T) {
			p.t = t
			values, _ := url.ParseQuery(query)
			n, err := p.Stream(t.Context(), "purchase-orders", engine.Query{Params: values}, func([]byte) error { return nil })
			if want := p.count("SELECT count(*) FROM po WHERE " + where); err != nil || n != want {
				t.Errorf("%d records, want %d; %v", n, want, err)
			}
		})
	}
}

func TestBadQueriesAreRefusedWhole(t *testing.T) {
	p := newPlant(t, orders("5"))
	first, err := p.list("limit=2&status=pending_approval")
	if err != nil {
		t.Fatal(err)
	}
	forged := first.NextCursor[:10] + "AAAA" + first.NextCursor[14:]
	for query, want := range map[string][]string{
		"colr=red&limit=0":                         {"colr", "limit"},
		"limit=501":                                {"limit"},
		"limit=5&limit=6":                          {"limit"},
		"total=5":                                  {"total"},
		"vendor_id=abc":                            {"vendor_id"},
		"status=nice":                              {"status"},
		"modified_after=yesterday":                 {"modified_after"},
		"created_after=2026-01-01T00:00:00Z":       {"created_after"},
		"fields=number,colr":                       {"fields"},
		"include=everything":                       {"include"},
		"cursor=" + first.NextCursor:               {"cursor"}, // of another query
		"status=pending_approval&cursor=" + forged: {"cursor"},
		"status=pending_approval&cursor=AAAA":      {"cursor"},
	} {
		t.Run(query, func(t *testing.T) {
			p.t = t
			_, err := p.list(query)
			f, ok := errors.AsType[*fault.Error](err)
			if !ok || f.Code != fault.InvalidRequest || f.Entity != "purchase-orders" {
				t.Fatalf("error %v", err)
			}
			var got []string
			for _, field := range f.Fields {
				got = append(got, field.Name)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	p.t = t
	if _, err := p.list("limit=3&status=pending_approval&cursor=" + first.NextCursor); err != nil {
		t.Errorf("another limit is the same query: %v", err)
	}
}

func TestHiddenFieldsShowNowhere(t *testing.T) {
	p := newPlant(t, orders("3"), "INSERT INTO po_line VALUES (1, 1, 5, '1')")
	q := engine.Query{Hidden: []string{"total", "lines.quantity", "colour", "number"}, Params: url.Values{"include": {"remote_data"}}}
	r, err := p.Get(t.Context(), "purchase-orders", "1", q)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{`"total"`, `"quantity"`, `"colour"`, `"number"`, `"po_no"`, "1.50"} {
		if strings.Contains(string(r.JSON), secret) {
			t.Errorf("%s shows in %s", secret, r.JSON)
		}
	}
	q.Params = nil
	for _, hidden := range [][]string{nil, {"total", "lines", "status", "updated_at", "deleted_at"}} {
		q.Hidden = hidden
		for id, want := range map[string]bool{"1": false, "2": true} { // a rule needs what the caller does not see
			r, err := p.Get(t.Context(), "purchase-orders", id, q)
			if err != nil {
				t.Fatal(err)
			}
			doc := decode(t, r.JSON)
			if slices.Contains(doc["_actions"].([]any), any("vanish")) != want {
				t.Errorf("order %s, without %v: %s", id, hidden, r.JSON)
			}
			for _, name := range hidden {
				if _, shown := doc[name]; shown {
					t.Errorf("%s shows in %s", name, r.JSON)
				}
			}
		}
	}
	q.Hidden, q.Params = []string{"number"}, url.Values{"number": {"PO-1"}}
	if _, err := p.List(t.Context(), "purchase-orders", q); !fault.Is(err, fault.InvalidRequest) {
		t.Errorf("a hidden field can be asked for: %v", err)
	}
}

func TestRowCap(t *testing.T) {
	p := newPlant(t, orders("20"))
	n, err := p.Stream(t.Context(), "purchase-orders", engine.Query{MaxRows: 10}, func([]byte) error { return nil })
	if n != 10 || !fault.Is(err, fault.RowLimit) {
		t.Errorf("stream: %d, %v", n, err)
	}
	if n, err := p.Stream(t.Context(), "purchase-orders", engine.Query{MaxRows: 20}, func([]byte) error { return nil }); n != 20 || err != nil {
		t.Errorf("stream at the cap: %d, %v", n, err)
	}
	if _, err := p.List(t.Context(), "purchase-orders", engine.Query{MaxRows: 10}); !fault.Is(err, fault.RowLimit) {
		t.Errorf("list: %v", err)
	}
	page, err := p.List(t.Context(), "purchase-orders", engine.Query{MaxRows: 10, Params: url.Values{"limit": {"10"}}})
	if err != nil || len(page.Data) != 10 || !page.HasMore {
		t.Errorf("list within the cap: %d, %v", len(page.Data), err)
	}
}

func TestCompositeKeys(t *testing.T) {
	p := newPlant(t, "INSERT INTO stock VALUES ('a~b', 'c', '1'), ('a', 'b~c', '2'), ('a%7Eb', 'c', '3'), ('', '', '4')")
	page, err := p.List(t.Context(), "inventory", engine.Query{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range page.Data {
		again, err := p.Get(t.Context(), "inventory", r.ID, engine.Query{})
		if err != nil || seen[r.ID] || !cmp.Equal(again.JSON, r.JSON) {
			t.Errorf("id %q leads to %s, %v", r.ID, again.JSON, err)
		}
		seen[r.ID] = true
	}
	for _, id := range []string{"", "a", "a~b~c", "a%7eb~c", "a%~c"} {
		if _, err := p.Get(t.Context(), "inventory", id, engine.Query{}); !fault.Is(err, fault.NotFound) {
			t.Errorf("id %q: %v", id, err)
		}
	}
}

func TestProjection(t *testing.T) {
	p := newPlant(t, orders("1"))
	page, err := p.list("fields=number,status")
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"1","number":"PO-1","status":{"value":"pending_approval","native_code":"1","native_label":"Pending"},"etag":"1"}`
	if got := string(page.Data[0].JSON); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestHugeRecordsMakeSmallPages: a page ends before it is too large for an answer, and the next ones bring the rest.
func TestHugeRecordsMakeSmallPages(t *testing.T) {
	const records, text = 200, 200 << 10
	p := newPlant(t, orders(strconv.Itoa(records)), "UPDATE po SET ship_city = printf('%.*c', "+strconv.Itoa(text)+", '<')")
	seen, pages := map[string]bool{}, 0
	for cursor := ""; ; pages++ {
		page, err := p.list("limit=500&cursor=" + url.QueryEscape(cursor))
		if err != nil {
			t.Fatal(err)
		}
		raw := page.AppendJSON(nil)
		if len(raw) > 17<<20 || page.HasMore && len(raw) < 15<<20 {
			t.Errorf("a page of %d bytes, %d records", len(raw), len(page.Data))
		}
		if doc := decode(t, raw); len(doc["data"].([]any)) != len(page.Data) || doc["has_more"] != page.HasMore || (doc["next_cursor"] != nil) != page.HasMore {
			t.Error("the document is not the page")
		}
		for _, r := range page.Data {
			if seen[r.ID] {
				t.Errorf("%s twice", r.ID)
			}
			seen[r.ID] = true
		}
		if cursor = page.NextCursor; !page.HasMore {
			break
		}
	}
	if len(seen) != records || pages < 2 {
		t.Errorf("%d records on %d pages", len(seen), pages+1)
	}
}

// TestNotFoundAdvises: nobody is sent to a list that there is not.
func TestNotFoundAdvises(t *testing.T) {
	yaml := strings.Replace(plantYAML, `    operations: {list: {sql: "SELECT item, bin, qty FROM stock"}}`,
		`    operations: {get: {sql: "SELECT item, bin, qty FROM stock WHERE item = :item AND bin = :bin"}}`, 1)
	if yaml == plantYAML {
		t.Fatal("the plant's stock is listed otherwise")
	}
	p := newPlantOf(t, yaml)
	for entity, test := range map[string]struct{ id, want string }{
		"inventory":       {"a~b", "gives no list of inventory"},
		"purchase-orders": {"4711", "list the collection"},
		"assets":          {"1", "GET /connection/capabilities"},
	} {
		_, err := p.Get(t.Context(), entity, test.id, engine.Query{})
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Code != fault.NotFound || !strings.Contains(f.Advice, test.want) {
			t.Errorf("%s: %+v", entity, f)
		}
	}
}
