//go:build systems

package house

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"gantry/tunnel/fault"

	"github.com/google/go-cmp/cmp"
)

// The order desk that `make systems` starts, and its database: the second path by which every write is looked at.
const (
	deskAddress = "http://127.0.0.1:18096/"
	deskFile    = "../.systems/soap/desk.sqlite"
)

func TestSOAPOrderDesk(t *testing.T) {
	db, err := sql.Open("sqlite", "file:"+deskFile+"?mode=rw&_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.Exec("DELETE FROM orders"); err != nil {
		t.Fatalf("there is no SOAP service with its database; run `make systems`: %v", err)
	}
	for i := range 120 { // more than the service gives at once, whatever it is asked for
		if _, err := db.Exec("INSERT INTO orders (number, vendor, status, items) VALUES (?, ?, ?, '[]')", i+1, fmt.Sprintf("V%d", i%3), []string{"DRAFT", "RELEASED"}[i%2]); err != nil {
			t.Fatal(err)
		}
	}
	count := func() (n int) {
		if err := db.QueryRow("SELECT count(*) FROM orders").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	p := open(t)
	p.allow("writes")
	p.allow("target", "127.0.0.1:18096")
	l := login{System: "soap-order-desk", Site: p.site, Name: "desk", Credentials: map[string]string{"password": "wrong"},
		Settings: map[string]any{"address": deskAddress, "username": "agent", "login": "wsse-digest"}}
	p.refused(p.admin, http.MethodPost, "/connections", l, fault.Error{Code: fault.CredentialsExpired, Hop: fault.HopSystem, Scope: fault.ScopeConnection, Outcome: fault.Rejected})
	l.Credentials["password"] = "Soap-pw-2026"
	client, _ := p.connect(l)

	for query, want := range map[string]int{"": 120, "?status=draft": 60, "?vendor_id=V1": 40, "?status=approved&vendor_id=V0": 20, "?number=7": 1} {
		all, err := client.All(t.Context(), "/purchase-orders"+query, 33)
		if err != nil || len(all) != want {
			t.Errorf("%q: %d records, %v; want %d", query, len(all), err, want)
		}
	}

	order := map[string]any{"vendor_id": `<V&"1">`, "ordered_at": "2026-03-01T00:00:00Z", "lines": []any{
		map[string]any{"item_id": "A-1", "quantity": "1.50"}, map[string]any{"item_id": "B-2", "quantity": "3"},
	}}
	key := Header{"Idempotency-Key", "soap-order-1"}
	var made map[string]any
	p.expect(client, http.MethodPost, "/purchase-orders", order, 201, &made, key)
	var vendor, reference, day, items string
	if err := db.QueryRow("SELECT vendor, reference, day, items FROM orders WHERE number = ?", made["id"]).Scan(&vendor, &reference, &day, &items); err != nil {
		t.Fatal(err)
	}
	var stored []map[string]string
	if err := json.Unmarshal([]byte(items), &stored); err != nil {
		t.Fatal(err)
	}
	want := []map[string]string{{"ItemNo": "1", "Material": "A-1", "Quantity": "1.50"}, {"ItemNo": "2", "Material": "B-2", "Quantity": "3"}}
	if diff := cmp.Diff(want, stored); diff != "" || vendor != `<V&"1">` || reference != "soap-order-1" || day != "2026-03-01" {
		t.Errorf("%s %s %s %s", vendor, reference, day, diff)
	}
	if len(made["lines"].([]any)) != 2 || made["vendor_id"] != vendor {
		t.Errorf("made %v", made)
	}

	before := count()
	at := "/purchase-orders/" + made["id"].(string)
	p.refused(client, http.MethodPost, "/purchase-orders", map[string]any{"lines": order["lines"]},
		fault.Error{Code: fault.FieldRequired, Hop: fault.HopAgent, Scope: fault.ScopeRecord, Outcome: fault.NotSent}, Header{"Idempotency-Key", "2"})
	f := p.refused(client, http.MethodPost, "/purchase-orders", map[string]any{"vendor_id": "X9", "lines": order["lines"]},
		fault.Error{Code: fault.BusinessRule, Hop: fault.HopSystem, Scope: fault.ScopeRecord, Outcome: fault.Rejected}, Header{"Idempotency-Key", "3"})
	if f.Source == nil || f.Source.Status != "VENDOR_BLOCKED" || !strings.Contains(f.Source.Message, "blocked & may") || len(f.Fields) != 1 || f.Fields[0].Name != "vendor_id" {
		t.Errorf("the system's own code and words: %+v", f)
	}
	p.refused(client, http.MethodGet, "/purchase-orders/99999", nil, fault.Error{Code: fault.NotFound, Hop: fault.HopSystem, Scope: fault.ScopeRecord})
	if count() != before {
		t.Error("a refused order is in the database")
	}

	var released map[string]any
	p.expect(client, http.MethodPost, at+"/actions/approve", nil, 200, &released, Header{"Idempotency-Key", "4"})
	if err := db.QueryRow("SELECT status FROM orders WHERE number = ?", made["id"]).Scan(&day); err != nil || day != "RELEASED" {
		t.Errorf("released: %s, %v", day, err)
	}
	p.refused(client, http.MethodPost, at+"/actions/approve", nil, fault.Error{Code: fault.RecordLocked, Hop: fault.HopSystem, Scope: fault.ScopeRecord, Outcome: fault.Rejected}, Header{"Idempotency-Key", "5"})
}
