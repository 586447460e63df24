package house

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"gantry/connectors/entity"
	"gantry/tunnel/fault"
)

// demoTables are the tables behind the entities of the demo plant.
func demoTables() map[string]string {
	return map[string]string{
		"sites": "SITE", "locations": "LOCN", "assets": "EQUIP", "work-orders": "WKORD", "service-requests": "SVCREQ", "pm-plans": "PMPLAN",
		"items": "ITEM", "inventory": "STOCK", "purchase-orders": "PO_HDR", "goods-receipts": "GR_HDR", "vendors": "VENDOR", "meter-readings": "METER_RDG",
	}
}

// TestTourOfTheAPI walks through the public contract on the demo plant.
func TestTourOfTheAPI(t *testing.T) {
	d := connected(t, withRelay("limits: {rate_per_token: 5000, burst_per_token: 5000}\n"))
	t.Run("all twelve entities: list, get and stream tell what SQL tells", d.readsEverything)
	t.Run("filters, fields and native records", d.narrows)
	t.Run("what a list refuses", d.refusesLists)
	t.Run("a dry run changes nothing", d.runsDry)
	t.Run("a key makes a write happen once", d.writesOnce)
	t.Run("a condition guards delete and actions", d.guards)
	t.Run("who may speak for the connection", d.knowsItsCallers)
	t.Run("the organisation's own things", d.showsTheOrganisation)
	t.Run("a disconnect is final, also for a stream under way", d.disconnects)
}

func (d *demoPlant) readsEverything(t *testing.T) {
	tables := demoTables()
	for _, e := range entity.Catalogue() {
		t.Run(e.Name, func(t *testing.T) {
			path := "/entities/" + e.Name
			want := count(t, d.database, "SELECT count(*) FROM "+tables[e.Name])
			paged, err := d.client.All(t.Context(), path, 499)
			if err != nil {
				t.Fatal(err)
			}
			var streamed []string
			if _, err := d.client.Stream(t.Context(), path, func(record []byte) error {
				streamed = append(streamed, string(record))
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if len(paged) != want || len(streamed) != want || want == 0 {
				t.Fatalf("%d records by paging, %d by a stream, %d in the table", len(paged), len(streamed), want)
			}
			for _, record := range paged {
				if !slices.Contains(streamed, string(record)) {
					t.Fatalf("the stream has not what the page has: %s", record)
				}
			}
			var last struct{ ID string }
			if err := json.Unmarshal(paged[want-1], &last); err != nil {
				t.Fatal(err)
			}
			one := d.expect(d.client, http.MethodGet, path+"/"+url.PathEscape(last.ID), nil, 200, nil)
			if string(one.Body) != string(paged[want-1]) {
				t.Errorf("get and list differ:\n%s\n%s", one.Body, paged[want-1])
			}
		})
	}
	d.refused(d.client, http.MethodGet, "/sites", nil, fault.Error{Code: fault.Forbidden, Hop: fault.HopRelay, Scope: fault.ScopeOperation})
}

// ids reads a list's ids.
func (d *demoPlant) ids(t *testing.T, path string) (ids []string) {
	t.Helper()
	records, err := d.client.All(t.Context(), path, 500)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	for _, record := range records {
		var r struct{ ID string }
		if err := json.Unmarshal(record, &r); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.ID)
	}
	slices.Sort(ids)
	return ids
}

func (d *demoPlant) narrows(t *testing.T) {
	for path, where := range map[string]string{
		"/purchase-orders?status=pending_approval":                             "PO_HDR WHERE stat = 20",
		"/purchase-orders?vendor_id=7":                                         "PO_HDR WHERE vend_no = 7",
		"/purchase-orders?created_after=2026-01-01T00:00:00Z":                  "PO_HDR WHERE crt_utc > '2026-01-01 00:00:00'",
		"/purchase-orders?modified_after=2026-01-01T01:00:00%2B01:00":          "PO_HDR WHERE chg_utc > '2026-01-01 00:00:00'",
		"/purchase-orders?status=approved&modified_after=2025-06-01T00:00:00Z": "PO_HDR WHERE stat = 30 AND chg_utc > '2025-06-01 00:00:00'",
	} {
		want := count(t, d.database, "SELECT count(*) FROM "+where)
		if got := len(d.ids(t, path)); got != want {
			t.Errorf("%s: %d records, SQL says %d", path, got, want)
		}
		if want == 0 {
			t.Errorf("%s: no record: the test tells nothing", path)
		}
	}
	var page struct{ Data []map[string]any }
	d.expect(d.client, http.MethodGet, "/vendors?limit=1&fields=name", nil, 200, &page)
	if r := page.Data[0]; r["name"] == nil || r["id"] == nil || r["code"] != nil || r["tax_id"] != nil {
		t.Errorf("fields=name gives %v", r)
	}
	page.Data = nil
	d.expect(d.client, http.MethodGet, "/vendors?limit=1&include=remote_data", nil, 200, &page)
	if native, _ := page.Data[0]["remote_data"].(map[string]any); native["vend_no"] == nil {
		t.Errorf("include=remote_data gives %v", page.Data[0]["remote_data"])
	}
}

func (d *demoPlant) refusesLists(t *testing.T) {
	var page Page
	d.expect(d.client, http.MethodGet, "/purchase-orders?limit=3", nil, 200, &page)
	for path, member := range map[string]string{
		"/vendors?colour=red":                                        "colour",
		"/vendors?limit=0":                                           "limit",
		"/vendors?limit=501":                                         "limit",
		"/vendors?fields=colour":                                     "fields",
		"/vendors?include=everything":                                "include",
		"/vendors?modified_after=yesterday":                          "modified_after",
		"/purchase-orders?status=excellent":                          "status",
		"/vendors?cursor=abc":                                        "cursor",
		"/vendors?cursor=" + page.NextCursor:                         "cursor",
		"/purchase-orders?status=draft&cursor=" + page.NextCursor:    "cursor",
		"/purchase-orders?limit=3&cursor=" + forged(page.NextCursor): "cursor",
	} {
		answer, err := d.client.Do(t.Context(), http.MethodGet, path, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := answer.Problem()
		if got == nil || got.Code != fault.InvalidRequest || len(got.Fields) != 1 || got.Fields[0].Name != member {
			t.Errorf("%s: %d %s", path, answer.Status, answer.Body)
		}
	}
}

// forged changes a character in the middle of a cursor.
func forged(cursor string) string {
	middle := len(cursor) / 2
	return cursor[:middle] + map[bool]string{true: "B", false: "A"}[cursor[middle] == 'A'] + cursor[middle+1:]
}

// orders counts the orders and the lines that there are.
func (d *demoPlant) orders(t *testing.T) [2]int {
	t.Helper()
	return [2]int{count(t, d.database, "SELECT count(*) FROM PO_HDR"), count(t, d.database, "SELECT count(*) FROM PO_LINE")}
}

func demoOrder(title string) map[string]any {
	return map[string]any{
		"title": title, "vendor_id": "7", "site_id": "1", "ordered_at": "2026-07-01T07:30:00Z",
		"lines": []any{map[string]any{"item_id": "2", "quantity": "4", "price": "12.50"}},
	}
}

func (d *demoPlant) runsDry(t *testing.T) {
	before := d.orders(t)
	d.expect(d.client, http.MethodPost, "/purchase-orders?dry_run=true", demoOrder("dry"), 200, nil, Header{"Idempotency-Key", "dry"})
	d.expect(d.client, http.MethodPatch, "/purchase-orders/"+d.pendingOrder(t)+"?dry_run=true", map[string]any{"title": "dry"}, 200, nil)
	d.expect(d.client, http.MethodPost, "/purchase-orders/"+d.pendingOrder(t)+"/actions/approve?dry_run=true", nil, 200, nil)
	d.refused(d.client, http.MethodPost, "/purchase-orders?dry_run=true", map[string]any{"title": "dry"},
		fault.Error{Code: fault.FieldRequired, Hop: fault.HopAgent, Scope: fault.ScopeRecord, Outcome: fault.NotSent})
	if after := d.orders(t); after != before || count(t, d.database, "SELECT count(*) FROM PO_HDR WHERE title = 'dry'") > 0 {
		t.Errorf("orders and lines were %v and are %v", before, after)
	}
	if count(t, d.database, "SELECT stat FROM PO_HDR WHERE po_no = ?", d.pendingOrder(t)) != 20 {
		t.Error("the order was approved")
	}
}

func (d *demoPlant) writesOnce(t *testing.T) {
	before, key := d.orders(t), Header{"Idempotency-Key", "tour-1"}
	first := d.expect(d.client, http.MethodPost, "/purchase-orders", demoOrder("once"), 201, nil, key)
	second := d.expect(d.client, http.MethodPost, "/purchase-orders", demoOrder("once"), 201, nil, key)
	if string(first.Body) != string(second.Body) || first.Header.Get("Location") != second.Header.Get("Location") {
		t.Errorf("the replay differs:\n%s\n%s", first.Body, second.Body)
	}
	if first.Header.Get("Idempotency-Replayed") != "" || second.Header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("Idempotency-Replayed is %q, then %q", first.Header.Get("Idempotency-Replayed"), second.Header.Get("Idempotency-Replayed"))
	}
	d.refused(d.client, http.MethodPost, "/purchase-orders", demoOrder("another"),
		fault.Error{Code: fault.IdempotencyKeyReused, Hop: fault.HopAgent, Scope: fault.ScopeOperation, Outcome: fault.NotSent}, key)
	if after := d.orders(t); after[0] != before[0]+1 || after[1] != before[1]+1 {
		t.Errorf("orders and lines were %v and are %v", before, after)
	}
}

func (d *demoPlant) guards(t *testing.T) {
	var made, approved order
	d.expect(d.client, http.MethodPost, "/purchase-orders", demoOrder("guarded"), 201, &made)
	path := "/purchase-orders/" + made.ID
	old := Header{"If-Match", `"` + strings.Trim(made.ETag, `"`) + `"`}
	d.expect(d.client, http.MethodPost, path+"/actions/approve", nil, 200, &approved, old)
	if approved.Status.Value != "approved" {
		t.Errorf("status %q after the approval", approved.Status.Value)
	}
	changed := fault.Error{Code: fault.PreconditionFailed, Hop: fault.HopSystem, Scope: fault.ScopeRecord, Outcome: fault.Rejected}
	d.refused(d.client, http.MethodDelete, path, nil, changed, old)
	d.refused(d.client, http.MethodPost, path+"/actions/cancel", nil, changed, old)
	answer := d.expect(d.client, http.MethodDelete, path, nil, 200, nil, Header{"If-Match", `"` + strings.Trim(approved.ETag, `"`) + `"`})
	if mode := answer.Header.Get("X-Delete-Mode"); mode != "status" {
		t.Errorf("X-Delete-Mode is %q", mode)
	}
	d.expect(d.client, http.MethodGet, path, nil, 200, &made)
	if made.Status.Value != "cancelled" {
		t.Errorf("status %q after the delete", made.Status.Value)
	}
}

func (d *demoPlant) knowsItsCallers(t *testing.T) {
	named := Header{"Gantry-Connection", d.id}
	d.expect(d.admin, http.MethodGet, "/vendors/1", nil, 200, nil, named)
	d.refused(d.admin, http.MethodGet, "/vendors/1", nil, fault.Error{Code: fault.InvalidRequest, Hop: fault.HopClient, Scope: fault.ScopeOperation})
	d.refused(d.admin, http.MethodGet, "/vendors/1", nil, fault.Error{Code: fault.NotFound, Hop: fault.HopClient, Scope: fault.ScopeConnection},
		Header{"Gantry-Connection", "con_00000000000000000000000000"})
	var shown struct{ ID, State string }
	d.expect(d.client, http.MethodGet, "/connection", nil, 200, &shown)
	if shown.ID != d.id || shown.State != "active" {
		t.Errorf("GET /connection: %+v", shown)
	}
	var other, key struct{ ID, Key, Token string }
	d.relayCommand(&other, "orgs", "create", "Somebody else", "--credits", "5")
	d.relayCommand(&key, "keys", "create", "--org", other.ID, "--role", "admin", "--name", "stranger")
	stranger := &Client{URL: d.url, Token: key.Key + key.Token, HTTP: d.http}
	d.refused(stranger, http.MethodGet, "/vendors/1", nil, fault.Error{Code: fault.NotFound, Hop: fault.HopClient, Scope: fault.ScopeConnection}, named)
	for _, path := range []string{"/connections/" + d.id, "/sites/" + d.site} {
		answer, err := stranger.Do(t.Context(), http.MethodGet, path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Status != http.StatusNotFound {
			t.Errorf("a stranger reads %s: %d", path, answer.Status)
		}
	}
}

func (d *demoPlant) showsTheOrganisation(t *testing.T) {
	var systems struct {
		Data []struct {
			ID, Name string
			Login    map[string]any
		}
	}
	d.must(http.MethodGet, "/systems?site="+d.site, nil, 200, &systems)
	at := slices.IndexFunc(systems.Data, func(s struct {
		ID, Name string
		Login    map[string]any
	}) bool {
		return s.ID == "demo-plant"
	})
	if at < 0 || systems.Data[at].Name == "" || systems.Data[at].Login["properties"] == nil {
		t.Errorf("GET /systems: %+v", systems.Data)
	}
	var credits struct{ Total, Used, Available int }
	d.must(http.MethodGet, "/credits", nil, 200, &credits)
	if credits.Total != 50 || credits.Used != 1 || credits.Available != 49 {
		t.Errorf("credits: %+v", credits)
	}
	if may := d.capabilities(t, d.client); len(may.Entities) != 12 || !may.Entities["purchase-orders"].Operations["create"].Allowed {
		t.Errorf("capabilities of %d entities", len(may.Entities))
	}
}

// disconnects ends the connection while a caller reads a stream, slowly enough to be under way.
func (d *demoPlant) disconnects(t *testing.T) {
	if _, err := d.database.ExecContext(t.Context(), `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
		INSERT INTO METER_RDG SELECT `+d.copiedReading(t)+` FROM n, (SELECT * FROM METER_RDG LIMIT 1) m`); err != nil {
		t.Fatal(err)
	}
	answer, err := d.client.open(t.Context(), http.MethodGet, "/meter-readings", nil, Header{"Accept", "application/x-ndjson"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	lines := bufio.NewReader(answer.Body)
	if _, err := lines.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	d.must(http.MethodPost, "/connections/"+d.id+"/disconnect", nil, 200, nil)
	last, read := "", 0
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break
		}
		last, read = line, read+1
	}
	took := time.Since(begin)
	t.Logf("the stream ended %s after the disconnect, %d records later: %.200s", took.Round(time.Millisecond), read, last)
	if took > time.Second || strings.HasPrefix(last, `{"end"`) {
		t.Errorf("the stream went on: %s, %.200s", took, last)
	}
	d.refused(d.client, http.MethodGet, "/vendors", nil, fault.Error{Code: fault.ConnectionDisconnected, Hop: fault.HopRelay, Scope: fault.ScopeConnection})
	var credits struct{ Used int }
	d.must(http.MethodGet, "/credits", nil, 200, &credits)
	if credits.Used != 0 {
		t.Errorf("%d credits are still in use", credits.Used)
	}
}

// copiedReading lists the columns of one reading, with a new number.
func (d *demoPlant) copiedReading(t *testing.T) string {
	t.Helper()
	rows, err := d.database.QueryContext(t.Context(), "SELECT name, pk FROM pragma_table_info('METER_RDG') ORDER BY cid")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var columns []string
	for rows.Next() {
		var name string
		var key int
		if err := rows.Scan(&name, &key); err != nil {
			t.Fatal(err)
		}
		columns = append(columns, map[bool]string{true: "1000000 + n.i", false: "m." + name}[key > 0])
	}
	return strings.Join(columns, ", ")
}
