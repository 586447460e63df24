package house

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gantry/tunnel/fault"
)

// synced is what these tests look at in the document of a sync.
type synced struct {
	Entity  string
	State   string
	Records int
	Deleted int
	Error   *struct {
		Code      string
		RequestID string `json:"request_id"`
	}
	LastRun *struct {
		ID                                   string
		Kind                                 string
		Created, Updated, Deleted, Unchanged int
	} `json:"last_run"`
	Totals     totals
	NextRunAt  *time.Time `json:"next_run_at"`
	LagSeconds *int       `json:"lag_seconds"`
}

// totals are what all runs of a sync did.
type totals struct{ Created, Updated, Deleted int }

// syncs gives the connection's syncs, by entity.
func (p *plant) syncs(c *Client, headers ...Header) map[string]synced {
	p.t.Helper()
	var answer struct{ Data []synced }
	p.expect(c, http.MethodGet, "/sync-status", nil, 200, &answer, headers...)
	all := map[string]synced{}
	for _, s := range answer.Data {
		all[s.Entity] = s
	}
	return all
}

// awaitSync waits until a sync has ended one more run, well or not, and gives it.
func (p *plant) awaitSync(c *Client, entity string, is func(synced) bool) (found synced) {
	p.t.Helper()
	eventually(p.t, time.Minute, "the sync of "+entity, func() error {
		if found = p.syncs(c)[entity]; !is(found) {
			return fmt.Errorf("it is %+v", found)
		}
		return nil
	})
	return found
}

// runSync asks for a run and waits for its end, also behind one that is under way.
func (p *plant) runSync(c *Client, entity string, body any) synced {
	p.t.Helper()
	last := ""
	if before := p.syncs(c)[entity]; before.LastRun != nil {
		last = before.LastRun.ID
	}
	p.expect(c, http.MethodPost, "/syncs/"+entity, body, 202, nil)
	return p.awaitSync(c, entity, func(s synced) bool {
		return s.LastRun != nil && s.LastRun.ID != last && s.State != "running" && s.State != "pending"
	})
}

// TestSync syncs the demo plant over the whole road, and reads what was synced.
func TestSync(t *testing.T) {
	t.Parallel()
	d := connected(t)
	p := d.plant
	p.expect(d.client, http.MethodPut, "/syncs/vendors", map[string]any{"every": "24h"}, 200, nil)
	p.expect(d.client, http.MethodPut, "/syncs/work-orders", map[string]any{"every": "1h"}, 200, nil)
	first := p.awaitSync(d.client, "work-orders", func(s synced) bool { return s.State == "idle" })
	p.awaitSync(d.client, "vendors", func(s synced) bool { return s.State == "idle" })
	if first.LastRun.Kind != "full" || first.LastRun.Created != first.Records || first.NextRunAt == nil || first.LagSeconds == nil {
		t.Errorf("after the first run: %+v", first)
	}

	t.Run("the same as the live ones", d.isCopied)
	t.Run("filters, cursor and stream", d.readsCopies)
	t.Run("refusals", d.refusesCopies)
	t.Run("what changes and what goes", d.followsChanges)
	t.Run("what the policy denies", d.showsDenials)
	t.Run("events", d.tellsSyncs)
	t.Run("after the disconnect", d.keepsCopies)
}

// copies reads records as they are stored or live, by id, without what holds only for the moment.
func (d *demoPlant) copies(t *testing.T, path string) map[string]string {
	t.Helper()
	rows, err := d.client.All(t.Context(), path, 100)
	if err != nil {
		t.Fatal(err)
	}
	return byID(t, rows)
}

func byID(t testing.TB, rows []json.RawMessage) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, row := range rows {
		var record map[string]any
		if err := json.Unmarshal(row, &record); err != nil {
			t.Fatal(err)
		}
		delete(record, "_actions")
		text, err := json.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		id, _ := record["id"].(string)
		if all[id] != "" {
			t.Errorf("%s was listed twice", id)
		}
		all[id] = string(text)
	}
	return all
}

func (d *demoPlant) isCopied(t *testing.T) {
	for _, entity := range []string{"vendors", "work-orders"} {
		live, stored := d.copies(t, "/"+entity), d.copies(t, "/records/"+entity)
		if diff := cmp.Diff(live, stored); diff != "" || len(live) == 0 {
			t.Errorf("%s: %d live, %d stored (-live +stored):\n%.2000s", entity, len(live), len(stored), diff)
		}
	}
}

func (d *demoPlant) readsCopies(t *testing.T) {
	since := "modified_after=2026-01-01T00:00:00Z"
	for _, query := range []string{"status=completed", "status=completed&status=closed", since, since + "&status=completed", "created_after=2025-06-01T00:00:00Z"} {
		live, stored := d.copies(t, "/work-orders?"+query), d.copies(t, "/records/work-orders?"+query)
		if diff := cmp.Diff(live, stored); diff != "" {
			t.Errorf("%s: %d live, %d stored (-live +stored):\n%.1000s", query, len(live), len(stored), diff)
		}
		t.Logf("%s: %d records", query, len(stored))
	}
	streamed := []json.RawMessage{}
	if _, err := d.client.Stream(t.Context(), "/records/work-orders", func(line []byte) error {
		streamed = append(streamed, slices.Clone(line))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d.copies(t, "/records/work-orders"), byID(t, streamed)); diff != "" {
		t.Errorf("the stream differs (-page +stream):\n%.1000s", diff)
	}
	var one map[string]any
	d.expect(d.client, http.MethodGet, "/records/vendors?limit=1&fields=name", nil, 200, &struct{ Data []*map[string]any }{[]*map[string]any{&one}})
	if one["name"] == nil || one["id"] == nil || one["active"] != nil {
		t.Errorf("fields=name gives %v", one)
	}
}

func (d *demoPlant) refusesCopies(t *testing.T) {
	invalid := fault.Error{Code: fault.InvalidRequest, Hop: fault.HopClient, Scope: fault.ScopeOperation}
	var page Page
	d.expect(d.client, http.MethodGet, "/records/work-orders?limit=1", nil, 200, &page)
	for _, query := range []string{
		"colour=red", "limit=0", "limit=501", "status=odd", "modified_after=yesterday", "fields=colour", "include=remote_data", "deleted=perhaps",
		"limit=1&limit=2", "cursor=abc", "status=completed&cursor=" + page.NextCursor, "title=x",
	} {
		d.refused(d.client, http.MethodGet, "/records/work-orders?"+query, nil, invalid)
	}
	for _, body := range []any{
		map[string]any{"every": "10s"}, map[string]any{"every": "1 hour"}, map[string]any{"every": "1000h"}, map[string]any{}, map[string]any{"every": "1h", "when": "now"},
	} {
		d.refused(d.client, http.MethodPut, "/syncs/items", body, invalid)
	}
	d.refused(d.client, http.MethodPost, "/syncs/items", map[string]any{"accept_deletions": true}, invalid)
	none := fault.Error{Code: fault.NotFound, Hop: fault.HopClient, Scope: fault.ScopeEntity}
	d.refused(d.client, http.MethodGet, "/records/items", nil, none)
	d.refused(d.client, http.MethodPut, "/syncs/submarines", map[string]any{"every": "1h"}, none)
	d.refused(d.client, http.MethodGet, "/records/vendors/none", nil, fault.Error{Code: fault.NotFound, Hop: fault.HopClient, Scope: fault.ScopeRecord})
}

func (d *demoPlant) followsChanges(t *testing.T) {
	stored := d.copies(t, "/records/vendors")
	var ids []string
	for id := range stored {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	changed, gone := ids[0], ids[1]
	for _, statement := range []string{
		"UPDATE vendor SET name = 'Renamed Ltd' WHERE " + d.key(t, "vendor") + " = '" + changed + "'",
		"PRAGMA foreign_keys = OFF",
		"DELETE FROM vendor WHERE " + d.key(t, "vendor") + " = '" + gone + "'",
	} {
		if _, err := d.database.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	s := d.runSync(d.client, "vendors", map[string]any{"full": true})
	if s.LastRun.Updated != 1 || s.LastRun.Deleted != 1 || s.Deleted != 1 || s.Records != len(ids)-1 {
		t.Errorf("after a change and a deletion: %+v, last run %+v", s, s.LastRun)
	}
	var record struct {
		Name    string
		Deleted *time.Time `json:"deleted_at"`
	}
	d.expect(d.client, http.MethodGet, "/records/vendors/"+changed, nil, 200, &record)
	if record.Name != "Renamed Ltd" || record.Deleted != nil {
		t.Errorf("the changed one is %+v", record)
	}
	d.expect(d.client, http.MethodGet, "/records/vendors/"+gone, nil, 200, &record)
	if record.Deleted == nil {
		t.Error("the deleted one is shown without deleted_at")
	}
	for query, want := range map[string]int{"": len(ids) - 1, "?deleted=exclude": len(ids) - 1, "?deleted=include": len(ids), "?deleted=only": 1} {
		if got := d.copies(t, "/records/vendors"+query); len(got) != want {
			t.Errorf("%q lists %d records, want %d", query, len(got), want)
		}
	}
}

// key gives the name of a table's key.
func (d *demoPlant) key(t *testing.T, table string) string {
	t.Helper()
	var name string
	if err := d.database.QueryRowContext(t.Context(), "SELECT name FROM pragma_table_info(?) WHERE pk = 1", table).Scan(&name); err != nil {
		t.Fatal(err)
	}
	return name
}

func (d *demoPlant) showsDenials(t *testing.T) {
	p := d.plant
	run(t, "gantry-agent", "policy", "deny", "entity", "items", "--config", p.path("agent.yaml"))
	p.expect(d.client, http.MethodPut, "/syncs/items", map[string]any{"every": "1h"}, 200, nil)
	s := p.awaitSync(d.client, "items", func(s synced) bool { return s.State == "failing" })
	if s.Error == nil || s.Error.Code != string(fault.PolicyDenied) || s.Error.RequestID == "" || s.NextRunAt == nil {
		t.Errorf("an entity that the policy denies: %+v", s)
	}
	p.expect(d.client, http.MethodPut, "/syncs/items", map[string]any{"every": "1h", "enabled": false}, 200, nil)
}

// tellsSyncs waits for the events: they are kept in batches, a moment after the state.
func (d *demoPlant) tellsSyncs(t *testing.T) {
	wanted := []string{"sync.started vendors", "sync.completed vendors", "sync.completed work-orders", "sync.failed items POLICY_DENIED"}
	eventually(t, 10*time.Second, "the events tell of the runs", func() error {
		var answer struct {
			Data []struct{ Kind, Entity, Code string }
		}
		d.must(http.MethodGet, "/connections/"+d.id+"/events?limit=500", nil, 200, &answer)
		seen := map[string]bool{}
		for _, e := range answer.Data {
			seen[strings.TrimSpace(e.Kind+" "+e.Entity+" "+e.Code)] = true
		}
		if missing := slices.DeleteFunc(slices.Clone(wanted), func(event string) bool { return seen[event] }); len(missing) > 0 {
			return fmt.Errorf("no %q among %v", missing, seen)
		}
		return nil
	})
}

func (d *demoPlant) keepsCopies(t *testing.T) {
	p, named := d.plant, Header{"Gantry-Connection", d.id}
	before := d.copies(t, "/records/vendors")
	p.must(http.MethodPost, "/connections/"+d.id+"/disconnect", nil, 200, nil)
	p.refused(d.client, http.MethodGet, "/records/vendors", nil,
		fault.Error{Code: fault.ConnectionDisconnected, Hop: fault.HopRelay, Scope: fault.ScopeConnection})
	p.refused(p.admin, http.MethodGet, "/records/vendors", nil, fault.Error{Code: fault.InvalidRequest, Hop: fault.HopClient, Scope: fault.ScopeOperation})
	var page Page
	p.expect(p.admin, http.MethodGet, "/records/vendors?limit=500", nil, 200, &page, named)
	if diff := cmp.Diff(before, byID(t, page.Data)); diff != "" {
		t.Errorf("after the disconnect (-before +after):\n%.1000s", diff)
	}
	if s := p.syncs(p.admin, named)["vendors"]; s.State != "disconnected" || s.Records != len(before) {
		t.Errorf("after the disconnect: %+v", s)
	}
	p.must(http.MethodDelete, "/connections/"+d.id+"/records", nil, 204, nil)
	p.refused(p.admin, http.MethodGet, "/records/vendors", nil, fault.Error{Code: fault.NotFound, Hop: fault.HopClient, Scope: fault.ScopeEntity}, named)
	p.refused(p.admin, http.MethodDelete, "/connections/con_none/records", nil, fault.Error{Code: fault.NotFound, Hop: fault.HopClient, Scope: fault.ScopeRecord})
}
