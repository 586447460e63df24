//go:build systems

package house

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gantry/tunnel/fault"
)

// The order desk that `make systems` starts: its strict front, and SAP's mock server behind it, the second path by which every write
// is looked at.
const (
	odataFront = "http://127.0.0.1:18095"
	odataMock  = "http://127.0.0.1:18094"
)

// odataDesk is one version of the order desk, connected through relay and agent.
type odataDesk struct {
	*plant
	client *Client
	system string
	v4     bool
}

func openODataDesk(t *testing.T, system string, v4 bool) *odataDesk {
	t.Helper()
	p := open(t)
	p.allow("writes")
	p.allow("target", "127.0.0.1:18095")
	d := &odataDesk{plant: p, system: system, v4: v4}
	d.front(t, "/house/reset")
	l := login{System: system, Site: p.site, Name: "desk", Credentials: map[string]string{"password": "wrong"},
		Settings: map[string]any{"address": odataFront, "username": "agent"}}
	p.refused(p.admin, http.MethodPost, "/connections", l, fault.Error{Code: fault.CredentialsExpired, Hop: fault.HopSystem, Scope: fault.ScopeConnection, Outcome: fault.Rejected})
	l.Credentials["password"] = "Agent-pw-2026"
	d.client, _ = p.connect(l)
	return d
}

// front asks the front's own page, and gives its counts.
func (d *odataDesk) front(t *testing.T, path string) (counts map[string]int) {
	t.Helper()
	response, err := http.Post(odataFront+path, "", nil)
	if err != nil {
		t.Fatalf("there is no order desk; run `make systems`: %v", err)
	}
	defer func() { _ = response.Body.Close() }()
	if err := json.NewDecoder(response.Body).Decode(&counts); err != nil {
		t.Fatal(err)
	}
	return counts
}

// stored reads records past the front.
func (d *odataDesk) stored(t *testing.T, set, filter string) (out []map[string]any) {
	t.Helper()
	root := "/sap/opu/odata/sap/ORDER_DESK_SRV/"
	if d.v4 {
		root = "/odata/v4/orderdesk/"
	}
	response, err := http.Get(odataMock + root + set + "?$filter=" + strings.ReplaceAll(url.QueryEscape(filter), "+", "%20"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		D     struct{ Results []map[string]any }
		Value []map[string]any
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return append(answer.D.Results, answer.Value...)
}

func TestODataV2(t *testing.T) {
	d := openODataDesk(t, "odata-order-desk", false)
	d.lists(t)
	d.writes(t, "PurchaseOrders", "PurchaseOrderItems", "PurchaseOrder", "Note", "Reference")
}

func TestODataV4(t *testing.T) {
	d := openODataDesk(t, "odata-order-desk-v4", true)
	d.lists(t)
	d.writes(t, "purchaseOrders", "lines", "id", "note", "reference")
	d.drafts(t)
}

// lists: pages of the server's own size under another host's name, filters, and a session that ends between two pages.
func (d *odataDesk) lists(t *testing.T) {
	for query, want := range map[string]int{
		"": 57, "?status=closed": 14, "?vendor_id=V1&vendor_id=V2": 29, "?modified_after=2026-03-29T10:00:00Z": 13, "?number=none": 0,
	} {
		all, err := d.client.All(t.Context(), "/purchase-orders"+query, 25)
		if err != nil || len(all) != want {
			t.Errorf("%q: %d records, %v; want %d", query, len(all), err, want)
		}
	}
	all, err := d.client.All(t.Context(), "/vendors?name="+url.QueryEscape("O'Neil Valves"), 25)
	if err != nil || len(all) != 1 {
		t.Errorf("a quote in a filter: %d records, %v", len(all), err)
	}
	for _, how := range []string{"/house/expire", "/house/expire?silent=1"} {
		seen := map[string]int{}
		count, err := d.client.Stream(t.Context(), "/purchase-orders", func(raw []byte) error {
			var record struct{ ID string }
			if err := json.Unmarshal(raw, &record); err != nil {
				return err
			}
			if seen[record.ID]++; len(seen) == 5 {
				d.front(t, how)
			}
			return nil
		})
		if err != nil || count != 57 || len(seen) != 57 {
			t.Errorf("%s in the middle of a list: %d records, %d of them different, %v", how, count, len(seen), err)
		}
		d.front(t, how)
		if all, err := d.client.All(t.Context(), "/purchase-orders", 25); err != nil || len(all) != 57 {
			t.Errorf("%s before a list: %d records, %v", how, len(all), err)
		}
	}
}

// writes: deep insert, stale ETag, action, change sets of which one member fails, a session that ended before a write.
func (d *odataDesk) writes(t *testing.T, orders, items, key, note, reference string) {
	order := map[string]any{"vendor_id": "V1", "title": `"quoted" & O'Neil`, "currency": "EUR", "ordered_at": "2026-03-01T00:00:00Z", "lines": []any{
		map[string]any{"item_id": "I-1", "quantity": "3.5", "price": "13.05", "description": "first"}, map[string]any{"item_id": "I-2", "quantity": "1"},
	}}
	mark := unique("order")
	d.front(t, "/house/expire")
	var made map[string]any
	var first Answer
	for range 2 { // the second finds the first
		first = d.expect(d.client, http.MethodPost, "/purchase-orders", order, 201, &made, Header{"Idempotency-Key", mark})
	}
	id := made["id"].(string)
	is := fmt.Sprintf("%s eq '%s'", key, id)
	if d.v4 {
		is = key + " eq " + id
	}
	stored := d.stored(t, orders, reference+" eq '"+mark+"'")
	if len(stored) != 1 || stored[0][key] != id || stored[0][note] != order["title"] {
		t.Errorf("stored %v", stored)
	}
	line := map[bool]string{false: "PurchaseOrder eq '" + id + "'", true: "orderId eq " + id}[d.v4]
	if lines := d.stored(t, items, line); len(lines) != 2 || len(made["lines"].([]any)) != 2 {
		t.Errorf("%d lines stored, made %v", len(lines), made["lines"])
	}
	f := d.refused(d.client, http.MethodPost, "/purchase-orders", map[string]any{"vendor_id": "V5", "lines": order["lines"]},
		fault.Error{Code: fault.BusinessRule, Hop: fault.HopSystem, Scope: fault.ScopeRecord, Outcome: fault.Rejected}, Header{"Idempotency-Key", mark + "b"})
	if f.Source == nil || f.Source.Status != "400" || f.Source.Message != map[bool]string{false: "Supplier V5 is blocked", true: "Vendor V5 is blocked"}[d.v4] || len(f.Fields) == 0 || f.Fields[0].Name != "vendor_id" {
		t.Errorf("the service's own words: %+v %+v", f, f.Source)
	}

	at := "/purchase-orders/" + id
	var changed map[string]any
	d.expect(d.client, http.MethodPatch, at, map[string]any{"title": "changed"}, 200, &changed, Header{"Idempotency-Key", mark + "c"})
	d.refused(d.client, http.MethodPatch, at, map[string]any{"title": "late"}, fault.Error{Code: fault.PreconditionFailed, Hop: fault.HopSystem, Scope: fault.ScopeRecord, Outcome: fault.Rejected},
		Header{"If-Match", first.Header.Get("ETag")}, Header{"Idempotency-Key", mark + "d"})
	if got := d.stored(t, orders, is); len(got) != 1 || got[0][note] != "changed" {
		t.Errorf("after a stale write: %v", got)
	}

	d.refused(d.client, http.MethodPost, at+"/actions/extend", extension(d.v4, "0"), fault.Error{Code: fault.ValidationFailed, Hop: fault.HopSystem, Scope: fault.ScopeRecord, Outcome: fault.Rejected}, Header{"Idempotency-Key", mark + "i"})
	if lines, head := d.stored(t, items, line), d.stored(t, orders, is); len(lines) != 2 || head[0][note] != "changed" {
		t.Errorf("a change set that failed left %d lines and %v", len(lines), head)
	}
	d.expect(d.client, http.MethodPost, at+"/actions/extend", extension(d.v4, "2"), 200, nil, Header{"Idempotency-Key", mark + "e"})
	if lines, head := d.stored(t, items, line), d.stored(t, orders, is); len(lines) != 4 || head[0][note] != "extended" {
		t.Errorf("a change set left %d lines and %v", len(lines), head)
	}

	d.expect(d.client, http.MethodPost, at+"/actions/release", nil, 200, nil, Header{"Idempotency-Key", mark + "f"})
	d.refused(d.client, http.MethodPost, at+"/actions/release", nil, fault.Error{Code: fault.RecordLocked, Hop: fault.HopSystem, Scope: fault.ScopeRecord, Outcome: fault.Rejected}, Header{"Idempotency-Key", mark + "g"})
	d.expect(d.client, http.MethodDelete, at, nil, 204, nil, Header{"Idempotency-Key", mark + "h"})
	if got := d.stored(t, orders, is); len(got) != 0 {
		t.Errorf("after the delete: %v", got)
	}
}

// extension is a change set of an order and two new lines.
func extension(v4 bool, last string) map[string]any {
	line := func(n int, quantity string) map[string]any {
		if v4 {
			return map[string]any{"line": n, "item_id": "I-3", "quantity": quantity}
		}
		return map[string]any{"line": fmt.Sprintf("%05d", n), "item_id": "I-3", "quantity": quantity}
	}
	return map[string]any{"note": "extended", "items": []any{line(30, "1.5"), line(40, last)}}
}

// drafts: a record that is made as a draft is in no list until it was activated.
func (d *odataDesk) drafts(t *testing.T) {
	var made map[string]any
	d.expect(d.client, http.MethodPost, "/service-requests", map[string]any{"title": "Seal worn"}, 201, &made, Header{"Idempotency-Key", unique("draft")})
	all, err := d.client.All(t.Context(), "/service-requests", 25)
	if err != nil || len(all) != 2 || made["title"] != "Seal worn" {
		t.Errorf("%d requests, %v; made %v", len(all), err, made)
	}
}
