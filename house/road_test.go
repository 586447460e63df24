package house

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gantry/tunnel/fault"
)

// order is what these tests look at in a purchase order.
type order struct {
	ID     string `json:"id"`
	Number string `json:"number"`
	Status struct {
		Value string `json:"value"`
	} `json:"status"`
	VendorID  string `json:"vendor_id"`
	Net       string `json:"net"`
	Total     string `json:"total"`
	ETag      string `json:"etag"`
	UpdatedAt string `json:"updated_at"`
	Lines     []struct {
		Line     int    `json:"line"`
		ItemID   string `json:"item_id"`
		Quantity string `json:"quantity"`
		Price    string `json:"price"`
		Amount   string `json:"amount"`
	} `json:"lines"`
	Actions []string `json:"_actions"`
}

// TestAdventureWorks drives a real data set in real databases through relay and agent.
func TestAdventureWorks(t *testing.T) {
	t.Parallel()
	for _, database := range []string{"postgres", "mariadb"} {
		t.Run(database, func(t *testing.T) {
			aw := openAdventureWorks(t, database)
			t.Run("every order once, by page and by stream", aw.readsEverything)
			t.Run("modified after is what SQL says", aw.readsTheModified)
			t.Run("an order's life", aw.livesAnOrder)
			t.Run("two clients with one etag", aw.countsVersions)
		})
	}
}

func (aw *adventureWorks) readsEverything(t *testing.T) {
	paged, err := aw.client.All(t.Context(), "/purchase-orders", 137)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	streamed := map[string]string{}
	count, err := aw.client.Stream(t.Context(), "/purchase-orders", func(record []byte) error {
		var o order
		if err := json.Unmarshal(record, &o); err != nil {
			return err
		}
		if _, twice := streamed[o.ID]; twice {
			return fmt.Errorf("order %s came twice", o.ID)
		}
		streamed[o.ID] = string(record)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d orders by paging, %d by one stream in %s", len(paged), count, time.Since(begin).Round(time.Millisecond))
	if len(paged) != 4012 || count != 4012 {
		t.Errorf("got %d and %d orders, want 4012", len(paged), count)
	}
	lines, total, net := 0, new(big.Rat), new(big.Rat)
	for _, record := range paged {
		var o order
		if err := json.Unmarshal(record, &o); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(streamed[o.ID], string(record)); diff != "" {
			t.Fatalf("order %s differs (-stream +page):\n%s", o.ID, diff)
		}
		lines += len(o.Lines)
		add(t, total, o.Total)
		add(t, net, o.Net)
	}
	if lines != 8845 {
		t.Errorf("got %d lines, want 8845", lines)
	}
	aw.sumsTo(t, "SELECT sum(totaldue) FROM purchaseorderheader", total)
	aw.sumsTo(t, "SELECT sum(subtotal) FROM purchaseorderheader", net)
}

func add(t *testing.T, sum *big.Rat, decimal string) {
	t.Helper()
	value, ok := new(big.Rat).SetString(decimal)
	if !ok {
		t.Fatalf("%q is no decimal", decimal)
	}
	sum.Add(sum, value)
}

// sumsTo compares with the database's own sum, exactly.
func (aw *adventureWorks) sumsTo(t *testing.T, query string, got *big.Rat) {
	t.Helper()
	var text string
	if err := aw.database.QueryRowContext(t.Context(), query).Scan(&text); err != nil {
		t.Fatal(err)
	}
	want := new(big.Rat)
	add(t, want, text)
	if got.Cmp(want) != 0 {
		t.Errorf("%s: the database says %s, the API %s", query, text, got.FloatString(4))
	}
	t.Logf("%s = %s", query, text)
}

func (aw *adventureWorks) readsTheModified(t *testing.T) {
	const since = "2014-06-01T00:00:00Z"
	var want []string
	rows, err := aw.database.QueryContext(t.Context(), "SELECT purchaseorderid FROM purchaseorderheader WHERE modifieddate > '2014-06-01 00:00:00'")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		want = append(want, id)
	}
	if len(want) == 0 || len(want) == 4012 {
		t.Fatalf("%d orders are modified after %s: the test tells nothing", len(want), since)
	}
	records, err := aw.client.All(t.Context(), "/purchase-orders?modified_after="+since, 500)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, record := range records {
		var o order
		if err := json.Unmarshal(record, &o); err != nil {
			t.Fatal(err)
		}
		got = append(got, o.ID)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-SQL +API):\n%s", diff)
	}
	t.Logf("%d orders modified after %s, in SQL and in the API", len(want), since)
}

// newOrder is the body of an order with three lines.
func newOrder(quantity string) map[string]any {
	line := func(item, quantity, price string) map[string]any {
		return map[string]any{"item_id": item, "quantity": quantity, "price": price, "due_at": "2026-12-01T00:00:00Z"}
	}
	return map[string]any{
		"vendor_id": "1580", "ordered_at": "2026-11-01T00:00:00Z",
		"lines": []any{line("1", quantity, "50.26"), line("359", "3", "45.12"), line("360", "10", "45.5805")},
	}
}

func (aw *adventureWorks) livesAnOrder(t *testing.T) {
	p := aw.plant
	var made order
	answer := p.expect(aw.client, http.MethodPost, "/purchase-orders", newOrder("4"), 201, &made, Header{"Idempotency-Key", "life-" + t.Name()})
	if at := answer.Header.Get("Location"); !strings.HasSuffix(at, "/purchase-orders/"+made.ID) {
		t.Errorf("Location is %q for order %s", at, made.ID)
	}
	var read order
	p.expect(aw.client, http.MethodGet, "/purchase-orders/"+made.ID, nil, 200, &read)
	if diff := cmp.Diff(made, read); diff != "" {
		t.Errorf("what was created is not what is read (-created +read):\n%s", diff)
	}
	if len(read.Lines) != 3 || read.Status.Value != "pending_approval" {
		t.Errorf("got %d lines and status %s", len(read.Lines), read.Status.Value)
	}
	net := new(big.Rat)
	for _, l := range read.Lines {
		add(t, net, l.Amount)
	}
	aw.sumsTo(t, "SELECT subtotal FROM purchaseorderheader WHERE purchaseorderid = "+read.ID, net)

	var changed order
	p.expect(aw.client, http.MethodPatch, "/purchase-orders/"+made.ID, map[string]any{"vendor_id": "1492"}, 200, &changed, Header{"If-Match", `"` + strings.Trim(read.ETag, `"`) + `"`})
	if changed.VendorID != "1492" || len(changed.Lines) != 3 || changed.ETag == read.ETag {
		t.Errorf("after the change: %+v", changed)
	}
	var approved order
	p.expect(aw.client, http.MethodPost, "/purchase-orders/"+made.ID+"/actions/approve", map[string]any{}, 200, &approved)
	if approved.Status.Value != "approved" || slices.Contains(approved.Actions, "update") || slices.Contains(approved.Actions, "approve") {
		t.Errorf("after the approval: status %s, actions %v", approved.Status.Value, approved.Actions)
	}
	p.refused(aw.client, http.MethodPatch, "/purchase-orders/"+made.ID, map[string]any{"vendor_id": "1580"},
		fault.Error{Code: fault.RecordLocked, Hop: fault.HopSystem, Scope: fault.ScopeRecord, Outcome: fault.Rejected})
}

func (aw *adventureWorks) countsVersions(t *testing.T) {
	p := aw.plant
	var made order
	p.expect(aw.client, http.MethodPost, "/purchase-orders", newOrder("1"), 201, &made)
	etag := Header{"If-Match", `"` + strings.Trim(made.ETag, `"`) + `"`}
	p.expect(aw.client, http.MethodPatch, "/purchase-orders/"+made.ID, map[string]any{"vendor_id": "1492"}, 200, nil, etag)
	p.refused(aw.client, http.MethodPatch, "/purchase-orders/"+made.ID, map[string]any{"vendor_id": "1494"},
		fault.Error{Code: fault.PreconditionFailed, Hop: fault.HopSystem, Scope: fault.ScopeRecord, Outcome: fault.Rejected}, etag)
}

// count asks the database for one number.
func count(t testing.TB, db *sql.DB, query string, args ...any) int {
	t.Helper()
	var n int
	if err := db.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}
