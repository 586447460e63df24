package house

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// TestOverlayFromTheCloud maps columns that a plant added to its system: the plant has to allow it, the system has to have them, and
// from then on they are fields like others.
func TestOverlayFromTheCloud(t *testing.T) {
	t.Parallel()
	d := connected(t)
	if _, err := d.database.ExecContext(t.Context(), `ALTER TABLE PO_HDR ADD "Gate No" INTEGER; ALTER TABLE PO_HDR ADD PACKED DATE; ALTER TABLE PO_HDR ADD PHOTO BLOB;
		UPDATE PO_HDR SET "Gate No" = PO_NO % 5`); err != nil {
		t.Fatal(err)
	}
	overlay := "/connections/" + d.id + "/overlay"
	var found wire.Discovered
	d.must(http.MethodGet, "/connections/"+d.id+"/discovered?entity=purchase-orders", nil, 200, &found)
	columns := found.Entities["purchase-orders"].Columns
	gate := columns[slices.IndexFunc(columns, func(c wire.DiscoveredColumn) bool { return c.Name == "Gate No" })]
	if gate.Native != "integer" || gate.Filled != 20 || len(found.Entities) != 1 || !slices.Contains(gate.Types, "integer") {
		t.Errorf("%+v of %d entities", gate, len(found.Entities))
	}
	d.must(http.MethodGet, "/connections/"+d.id+"/discovered", nil, 200, &found)
	if len(found.Entities) != 12 {
		t.Errorf("%d entities", len(found.Entities))
	}

	mapping := mapped(map[string]any{
		"gate":      map[string]any{"from": "Gate No", "type": "integer", "title": "Gate", "write": []string{"create", "update"}, "filterable": true},
		"packed_on": map[string]any{"from": "PACKED", "type": "date", "write": []string{"update"}},
	})
	refusal := d.refused(d.admin, http.MethodPut, overlay, mapping, fault.Error{Code: fault.PolicyDenied, Hop: fault.HopPolicy, Scope: fault.ScopeSite})
	if !strings.HasSuffix(refusal.Advice, "gantry-agent policy allow overlays") {
		t.Errorf("advice: %s", refusal.Advice)
	}
	d.allow("overlays")
	d.inForce(t)
	for name, bad := range map[string]any{
		"entities.purchase-orders.custom_fields.x.from": mapped(map[string]any{"x": map[string]any{"from": "NO_SUCH", "type": "string"}}),
		"entities.purchase-orders.custom_fields.x.type": mapped(map[string]any{"x": map[string]any{"from": "Gate No", "type": "datetime"}}),
		"entities.purchase-orders.custom_fields.x.sql":  mapped(map[string]any{"x": map[string]any{"from": "Gate No", "type": "integer", "sql": "SELECT 1"}}),
		"entities.purchase-orders.custom_fields.total":  mapped(map[string]any{"total": map[string]any{"from": "Gate No", "type": "integer"}}),
		"entities.purchase-orders.custom_fields.p.from": mapped(map[string]any{"p": map[string]any{"from": "PHOTO", "type": "string"}}),
		"entities.vendors.custom_fields.x.write":        map[string]any{"entities": map[string]any{"vendors": map[string]any{"custom_fields": map[string]any{"x": map[string]any{"from": "VEND_NOTE", "type": "string", "write": []string{"delete"}}}}}},
		"login":                                         map[string]any{"entities": map[string]any{}, "login": map[string]any{}},
	} {
		f := d.refused(d.admin, http.MethodPut, overlay, bad, fault.Error{Code: fault.InvalidRequest, Hop: fault.HopClient, Scope: scopeOf(name)})
		if len(f.Fields) == 0 || f.Fields[0].Name != name {
			t.Errorf("%s: %+v", name, f.Fields)
		}
	}

	var state wire.OverlayState
	d.must(http.MethodPut, overlay, mapping, 200, &state)
	if !state.InForce || state.Entities["purchase-orders"].CustomFields["gate"].Native != "integer" {
		t.Errorf("%+v", state)
	}
	d.readsOverlay(t)
	d.writesOverlay(t)
	d.syncsOverlay(t)

	d.agent.stop() // a restart keeps it
	d.startAgent()
	d.awaitAgent("connected")
	d.readsOverlay(t)
	d.losesColumn(t, overlay)

	d.must(http.MethodDelete, overlay, nil, 204, nil)
	state = wire.OverlayState{}
	d.must(http.MethodGet, overlay, nil, 200, &state)
	if len(state.Entities) > 0 || state.InForce {
		t.Errorf("after the end: %+v", state)
	}
	record := d.first(t, "/purchase-orders?limit=1")
	if custom := record["custom_fields"].(map[string]any); len(custom) != 1 {
		t.Errorf("after the end: %v", custom)
	}
}

func scopeOf(name string) fault.Scope {
	if strings.HasSuffix(name, ".sql") || name == "login" || strings.HasSuffix(name, ".write") { // they do not reach the system
		return fault.ScopeOperation
	}
	return fault.ScopeConnection
}

func mapped(fields map[string]any) map[string]any {
	return map[string]any{"entities": map[string]any{"purchase-orders": map[string]any{"custom_fields": fields}}}
}

// inForce waits until the agent has read its policy.
func (d *demoPlant) inForce(t *testing.T) {
	t.Helper()
	run(t, "gantry-agent", "reload", "--config", d.path("agent.yaml"))
	var can wire.Capabilities
	eventually(t, 30*time.Second, "the policy is in force", func() error {
		answer, err := d.client.Do(t.Context(), http.MethodGet, "/connection/capabilities", nil)
		if err != nil {
			return err
		}
		if p := answer.Problem(); p != nil {
			return p
		}
		return answer.JSON(&can)
	})
	if o := can.Entities["purchase-orders"].Overlay; !o.Allowed || len(o.Writable) != 2 {
		t.Errorf("%+v", o)
	}
}

func (d *demoPlant) first(t *testing.T, path string) map[string]any {
	t.Helper()
	var page struct{ Data []map[string]any }
	d.expect(d.client, http.MethodGet, path, nil, 200, &page)
	if len(page.Data) == 0 {
		t.Fatalf("%s: no record", path)
	}
	return page.Data[0]
}

func (d *demoPlant) readsOverlay(t *testing.T) {
	t.Helper()
	custom := d.first(t, "/purchase-orders?gate=3&fields=number,gate,packed_on")["custom_fields"].(map[string]any)
	if custom["gate"] != 3.0 || len(custom) != 2 {
		t.Errorf("%v", custom)
	}
	count, err := d.client.Stream(t.Context(), "/purchase-orders?gate=3", func([]byte) error { return nil })
	var want int
	if err := d.database.QueryRowContext(t.Context(), `SELECT count(*) FROM PO_HDR WHERE "Gate No" = 3`).Scan(&want); err != nil {
		t.Fatal(err)
	}
	if err != nil || count != want {
		t.Errorf("a stream has %d of %d records: %v", count, want, err)
	}
	var can wire.Capabilities
	d.expect(d.client, http.MethodGet, "/connection/capabilities", nil, 200, &can)
	if f := can.Entities["purchase-orders"].Fields["custom_fields.gate"]; f.Type != "integer" || !f.Filterable || len(f.Writable) != 2 {
		t.Errorf("%+v", f)
	}
}

func (d *demoPlant) writesOverlay(t *testing.T) {
	t.Helper()
	var made map[string]any
	d.expect(d.client, http.MethodPost, "/purchase-orders", map[string]any{"vendor_id": "1", "site_id": "1", "ordered_at": "2026-03-01T08:00:00Z",
		"lines": []any{map[string]any{"item_id": "1", "quantity": "1", "price": "1.00"}}, "custom_fields": map[string]any{"gate": 9}}, 201, &made, Header{"Idempotency-Key", "gate"})
	id := made["id"].(string)
	if made["custom_fields"].(map[string]any)["gate"] != 9.0 {
		t.Errorf("%v", made["custom_fields"])
	}
	d.expect(d.client, http.MethodPatch, "/purchase-orders/"+id, map[string]any{"custom_fields": map[string]any{"packed_on": "2026-03-05"}}, 200, nil)
	var gate, packed string
	if err := d.database.QueryRowContext(t.Context(), `SELECT "Gate No", CAST(PACKED AS TEXT) FROM PO_HDR WHERE PO_NO = ?`, id).Scan(&gate, &packed); err != nil {
		t.Fatal(err)
	}
	if gate != "9" || !strings.HasPrefix(packed, "2026-03-05") {
		t.Errorf("the database has %s and %s", gate, packed)
	}
	f := d.refused(d.client, http.MethodPatch, "/purchase-orders/"+id, map[string]any{"custom_fields": map[string]any{"gate": "north"}},
		fault.Error{Code: fault.ValidationFailed, Hop: fault.HopAgent, Scope: fault.ScopeRecord, Outcome: fault.NotSent})
	if len(f.Fields) != 1 || f.Fields[0].Name != "custom_fields.gate" {
		t.Errorf("%+v", f.Fields)
	}
}

// syncsOverlay sees the fields in what is synced, and filters by them there.
func (d *demoPlant) syncsOverlay(t *testing.T) {
	t.Helper()
	d.expect(d.client, http.MethodPut, "/syncs/purchase-orders", map[string]any{"every": "1h", "enabled": true}, 200, nil)
	eventually(t, 60*time.Second, "the sync has the custom fields", func() error {
		var page struct{ Data []map[string]any }
		answer, err := d.client.Do(t.Context(), http.MethodGet, "/records/purchase-orders?gate=9", nil)
		if err != nil {
			return err
		}
		if p := answer.Problem(); p != nil {
			return p
		}
		if err := answer.JSON(&page); err != nil {
			return err
		}
		if len(page.Data) != 1 {
			return os.ErrNotExist
		}
		return nil
	})
}

// losesColumn takes a mapped column away from the system: the fault says which, and an overlay without it works again.
func (d *demoPlant) losesColumn(t *testing.T, overlay string) {
	t.Helper()
	if _, err := d.database.ExecContext(t.Context(), `ALTER TABLE PO_HDR DROP COLUMN "Gate No"`); err != nil {
		t.Fatal(err)
	}
	f := d.refused(d.client, http.MethodGet, "/purchase-orders?limit=1", nil, fault.Error{Code: fault.SystemError, Hop: fault.HopSystem, Scope: fault.ScopeEntity})
	if !strings.Contains(f.Detail, `"Gate No"`) || len(f.Fields) != 1 || f.Fields[0].Name != "custom_fields.gate" {
		t.Errorf("%s %+v", f.Detail, f.Fields)
	}
	d.must(http.MethodPut, overlay, mapped(map[string]any{"packed_on": map[string]any{"from": "PACKED", "type": "date"}}), 200, nil)
	if custom := d.first(t, "/purchase-orders?limit=1")["custom_fields"].(map[string]any); len(custom) != 2 {
		t.Errorf("%v", custom)
	}
}
