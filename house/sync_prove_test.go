//go:build prove

package house

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// awEntities are what AdventureWorks has.
var awEntities = []string{"purchase-orders", "vendors", "items", "inventory", "locations"}

// TestSyncUnderKills syncs all of AdventureWorks, and more, while rows change, appear and go, and relay and agent are killed
// twenty times in the middle. At the end the records equal the database, row by row, and what was told of each record is
// what happened to it.
func TestSyncUnderKills(t *testing.T) {
	aw := openAdventureWorks(t, "postgres", withRelay("webhooks: {allow_private: [127.0.0.0/8], allow_http: true}\n"))
	p := aw.plant
	aw.grow(t)
	ear := listen(t)
	p.must(http.MethodPost, "/webhooks", map[string]any{"url": ear.url, "events": []string{"record.*"}}, 201, nil)
	for _, entity := range awEntities {
		p.expect(aw.client, http.MethodPut, "/syncs/"+entity, map[string]any{"every": "1m"}, 200, nil)
	}
	life := &plantLife{aw: aw}
	ctx, stop := context.WithCancel(t.Context())
	life.start(ctx)
	runs := aw.keepRunning(ctx)
	middle := 0
	for kill := range 20 {
		time.Sleep(time.Duration(1500+rand.IntN(2500)) * time.Millisecond)
		if aw.isRunning() {
			middle++
		}
		if kill%2 == 0 {
			p.relay.kill()
			p.startRelay()
		} else {
			p.agent.kill()
			p.startAgent()
		}
	}
	stop()
	life.wait()
	runs.Wait()
	p.awaitAgent("connected")
	t.Logf("20 kills, %d of them while a run was under way; meanwhile the plant made %d changes", middle, life.changes.Load())
	if middle < 10 {
		t.Errorf("only %d kills met a run", middle)
	}
	totals := map[string]totals{}
	for _, entity := range awEntities {
		t.Run(entity, func(t *testing.T) { totals[entity] = aw.isEqual(t, entity) })
	}
	t.Run("webhooks", func(t *testing.T) { ear.heardAll(t, totals) })
}

// ear is an application that listens to webhooks.
type ear struct {
	url string

	mu      sync.Mutex
	bodies  map[string]string    // by message id
	records map[string][]telling // by entity and record, in the order in which they were first heard
	counts  map[string]*totals   // by entity
	again   int                  // came once more
	wrong   []string
}

// telling is what a webhook tells of a record.
type telling struct {
	Type      string
	Timestamp time.Time
	Data      struct {
		Entity string
		Record string `json:"record_id"`
	}
}

func listen(t *testing.T) *ear {
	t.Helper()
	e := &ear{bodies: map[string]string{}, records: map[string][]telling{}, counts: map[string]*totals{}}
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	e.url = server.URL
	return e
}

// ServeHTTP hears one message.
func (e *ear) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the relay was killed: it was not heard
	}
	id := r.Header.Get("webhook-id")
	e.mu.Lock()
	defer e.mu.Unlock()
	if before, heard := e.bodies[id]; heard {
		if e.again++; before != string(body) {
			e.wrong = append(e.wrong, fmt.Sprintf("%s said %s, and then %s", id, before, body))
		}
		return
	}
	e.bodies[id] = string(body)
	var m telling
	if err := json.Unmarshal(body, &m); err != nil {
		e.wrong = append(e.wrong, fmt.Sprintf("%s: %v", body, err))
		return
	}
	e.hear(m)
}

// hear checks a message against those of the same record before it.
func (e *ear) hear(m telling) {
	subject := m.Data.Entity + " " + m.Data.Record
	before := e.records[subject]
	there := len(before) > 0 && before[len(before)-1].Type != "record.deleted"
	if (m.Type == "record.created") == there || len(before) > 0 && m.Timestamp.Before(before[len(before)-1].Timestamp) {
		e.wrong = append(e.wrong, fmt.Sprintf("%s: %s after %v", subject, m.Type, before))
	}
	e.records[subject] = append(before, m)
	if e.counts[m.Data.Entity] == nil {
		e.counts[m.Data.Entity] = &totals{}
	}
	switch count := e.counts[m.Data.Entity]; m.Type {
	case "record.created":
		count.Created++
	case "record.updated":
		count.Updated++
	case "record.deleted":
		count.Deleted++
	}
}

// heardAll waits until every change was heard, and checks that nothing else was.
func (e *ear) heardAll(t *testing.T, want map[string]totals) {
	took := eventually(t, 2*time.Minute, "every change is told", func() error {
		e.mu.Lock()
		defer e.mu.Unlock()
		for entity, all := range want {
			if heard := e.counts[entity]; heard == nil || *heard != all {
				return fmt.Errorf("of %s %+v was told, %+v happened", entity, heard, all)
			}
		}
		return nil
	})
	e.mu.Lock()
	defer e.mu.Unlock()
	t.Logf("%d messages of %d records, the last %s after the end; %d came twice, with the id of before", len(e.bodies), len(e.records), took.Round(time.Millisecond), e.again)
	for _, wrong := range e.wrong[:min(len(e.wrong), 10)] {
		t.Error(wrong)
	}
}

// grow adds orders, so that a run takes a while.
func (aw *adventureWorks) grow(t *testing.T) {
	aw.as(t, `INSERT INTO purchaseorderheader (status, employeeid, vendorid, shipmethodid, orderdate, shipdate, subtotal, taxamt, freight, modifieddate)
		SELECT h.status, h.employeeid, h.vendorid, h.shipmethodid, h.orderdate, h.shipdate, h.subtotal, h.taxamt, h.freight, h.modifieddate
		FROM purchaseorderheader h, generate_series(1, 2)`)
	aw.as(t, `INSERT INTO purchaseorderdetail (purchaseorderid, duedate, orderqty, productid, unitprice, modifieddate)
		SELECT h.purchaseorderid, h.orderdate, 4, 1 + n, 12.5, h.modifieddate FROM purchaseorderheader h, generate_series(0, 1) n WHERE h.purchaseorderid > 4012`)
	aw.as(t, "ANALYZE")
}

// keepRunning asks for runs, full ones and others, until ctx ends.
func (aw *adventureWorks) keepRunning(ctx context.Context) *sync.WaitGroup {
	var running sync.WaitGroup
	running.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			for _, entity := range awEntities {
				_, _ = aw.client.Do(ctx, http.MethodPost, "/syncs/"+entity, map[string]any{"full": n%3 != 0}) // the relay may be dead just now
			}
			select {
			case <-ctx.Done():
			case <-time.After(700 * time.Millisecond):
			}
		}
	})
	return &running
}

// isRunning reports whether a run is under way now.
func (aw *adventureWorks) isRunning() bool {
	answer, err := aw.client.Do(aw.plant.t.Context(), http.MethodGet, "/sync-status", nil)
	if err != nil {
		return false
	}
	var all struct {
		Data []struct{ Run *struct{ ID string } }
	}
	if answer.JSON(&all) != nil {
		return false
	}
	for _, s := range all.Data {
		if s.Run != nil {
			return true
		}
	}
	return false
}

// plantLife is what the plant's people do meanwhile, around Gantry.
type plantLife struct {
	aw      *adventureWorks
	running sync.WaitGroup
	changes atomic.Int64
}

// stamp is the time of a change, as the plant's programs write it: when their transaction began.
const stamp = "(now() AT TIME ZONE 'utc')"

// changes of one kind each. %d is a random number.
var plantChanges = []string{
	"UPDATE purchaseorderheader SET freight = %[1]d %% 100, revisionnumber = revisionnumber + 1, modifieddate = " + stamp + " WHERE purchaseorderid = 1 + %[1]d %% 12000",
	"UPDATE purchaseorderheader SET status = 1 + %[1]d %% 4, modifieddate = " + stamp + " WHERE purchaseorderid %% 5000 = %[1]d %% 5000",
	"UPDATE purchaseorderdetail SET receivedqty = %[1]d %% 50 WHERE purchaseorderid = 1 + %[1]d %% 4000", // no stamp: for the full runs
	`WITH gone AS (SELECT purchaseorderid FROM purchaseorderheader WHERE purchaseorderid > 5000 AND purchaseorderid %% 4999 = %[1]d %% 4999 LIMIT 2),
		lines AS (DELETE FROM purchaseorderdetail WHERE purchaseorderid IN (SELECT purchaseorderid FROM gone))
		DELETE FROM purchaseorderheader WHERE purchaseorderid IN (SELECT purchaseorderid FROM gone)`,
	`WITH h AS (INSERT INTO purchaseorderheader (vendorid, orderdate, subtotal, modifieddate) VALUES (1492, ` + stamp + `, %[1]d %% 1000, ` + stamp + `) RETURNING purchaseorderid)
		INSERT INTO purchaseorderdetail (purchaseorderid, duedate, orderqty, productid, unitprice, modifieddate)
		SELECT purchaseorderid, ` + stamp + `, 1 + %[1]d %% 9, 1, 9.5, ` + stamp + ` FROM h`,
	"UPDATE vendor SET name = 'Vendor %[1]d', modifieddate = " + stamp + " WHERE businessentityid = 1492 + 2 * (%[1]d %% 100)",
	"UPDATE product SET standardcost = %[1]d %% 1000, modifieddate = " + stamp + " WHERE productid = 1 + %[1]d %% 999",
	"UPDATE productvendor SET standardprice = %[1]d %% 1000 WHERE productid = 1 + %[1]d %% 999", // a child, no stamp
	"UPDATE productinventory SET quantity = %[1]d %% 500, modifieddate = " + stamp + " WHERE productid = 1 + %[1]d %% 999",
	"DELETE FROM productinventory WHERE productid = 1 + %[1]d %% 999 AND %[1]d %% 7 = 0",
	"INSERT INTO location VALUES (1000 + %[1]d %% 1000, 'Hall %[1]d', 0, 0, " + stamp + ") ON CONFLICT (locationid) DO UPDATE SET name = EXCLUDED.name, modifieddate = EXCLUDED.modifieddate",
	"DELETE FROM location WHERE locationid = 1000 + %[1]d %% 1000",
}

// start lets four of them work. One transaction in eight stays open for a while, so that its stamp is old when others see it.
func (l *plantLife) start(ctx context.Context) {
	for range 4 {
		l.running.Go(func() {
			for ctx.Err() == nil {
				if err := l.change(); err != nil {
					l.aw.plant.t.Errorf("a change at the plant: %v", err)
					return
				}
				time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
			}
		})
	}
}

func (l *plantLife) wait() { l.running.Wait() }

func (l *plantLife) change() error {
	ctx := context.Background() // a transaction that began is ended
	tx, err := l.aw.database.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	if _, err := tx.ExecContext(ctx, fmt.Sprintf(plantChanges[rand.IntN(len(plantChanges))], rand.IntN(1_000_000))); err != nil {
		if strings.Contains(err.Error(), "40P01") { // two of them in each other's way
			return nil
		}
		return err
	}
	if rand.IntN(8) == 0 {
		time.Sleep(time.Duration(rand.IntN(3000)) * time.Millisecond)
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	l.changes.Add(1)
	return nil
}

// isEqual has one more full run, and compares everything, with the system's own list and with the database. It gives what all
// runs did.
func (aw *adventureWorks) isEqual(t *testing.T, entity string) totals {
	p := aw.plant
	p.awaitSync(aw.client, entity, func(s synced) bool { return s.State == "idle" })
	s := p.runSync(aw.client, entity, map[string]any{"full": true})
	if s.Error != nil || s.State != "idle" || s.LastRun.Kind != "full" {
		t.Fatalf("the last run: %+v", s)
	}
	live, stored, gone := aw.records(t, "/"+entity), aw.records(t, "/records/"+entity), aw.records(t, "/records/"+entity+"?deleted=only")
	if diff := cmp.Diff(live, stored); diff != "" {
		t.Errorf("the records are not those of the system (-system +records):\n%.3000s", diff)
	}
	rows := aw.rows(t, entity)
	if diff := cmp.Diff(rows, summaries(t, entity, stored)); diff != "" || len(rows) == 0 {
		t.Errorf("the records are not those of the database (-SQL +records):\n%.3000s", diff)
	}
	for id := range gone {
		if _, there := rows[id]; there {
			t.Errorf("%s is marked as deleted, and is in the database", id)
		}
	}
	if s.Records != len(rows) || s.Deleted != len(gone) {
		t.Errorf("sync-status counts %d and %d, there are %d and %d", s.Records, s.Deleted, len(rows), len(gone))
	}
	if s.Totals.Created-s.Totals.Deleted != len(rows) {
		t.Errorf("%d were created and %d deleted, %d are there", s.Totals.Created, s.Totals.Deleted, len(rows))
	}
	t.Logf("%d records equal the database, row by row; %d are kept as deleted; all runs together: %+v", len(rows), len(gone), s.Totals)
	return s.Totals
}

// records reads a whole list by one stream, by id.
func (aw *adventureWorks) records(t *testing.T, path string) map[string]string {
	t.Helper()
	var lines []json.RawMessage
	if _, err := aw.client.Stream(t.Context(), path, func(line []byte) error {
		lines = append(lines, slices.Clone(line))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return byID(t, lines)
}

// summary is how a record of each entity is compared with SQL: the same few values, as text, of either.
var summary = map[string]struct {
	query  string
	fields []string
}{
	"purchase-orders": {`SELECT h.purchaseorderid::text, concat_ws('|', h.status, h.vendorid, h.totaldue, count(d), coalesce(sum(d.receivedqty), 0)::numeric(18,2),
		` + rfc3339("h.modifieddate") + `) FROM purchaseorderheader h LEFT JOIN purchaseorderdetail d USING (purchaseorderid) GROUP BY h.purchaseorderid`,
		[]string{"status", "vendor_id", "total", "lines", "received", "updated_at"}},
	"vendors":   {`SELECT businessentityid::text, concat_ws('|', name, ` + rfc3339("modifieddate") + `) FROM vendor`, []string{"name", "updated_at"}},
	"items":     {`SELECT productid::text, concat_ws('|', productnumber, standardcost, ` + rfc3339("modifieddate") + `) FROM product`, []string{"number", "unit_cost", "updated_at"}},
	"inventory": {`SELECT productid || '~' || locationid, concat_ws('|', quantity, ` + rfc3339("modifieddate") + `) FROM productinventory`, []string{"on_hand", "updated_at"}},
	"locations": {`SELECT locationid::text, concat_ws('|', name, ` + rfc3339("modifieddate") + `) FROM location`, []string{"name", "updated_at"}},
}

// rfc3339 writes a column as records have it.
func rfc3339(column string) string {
	return `rtrim(rtrim(to_char(` + column + `, 'YYYY-MM-DD"T"HH24:MI:SS.MS'), '0'), '.') || 'Z'`
}

// rows asks the database.
func (aw *adventureWorks) rows(t *testing.T, entity string) map[string]string {
	t.Helper()
	found, err := aw.database.QueryContext(t.Context(), summary[entity].query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = found.Close() }()
	all := map[string]string{}
	for found.Next() {
		var id, text string
		var value sql.NullString
		if err := found.Scan(&id, &value); err != nil {
			t.Fatal(err)
		}
		text = value.String
		all[id] = text
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// summaries makes the same of records.
func summaries(t *testing.T, entity string, all map[string]string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		var record map[string]any
		if err := json.Unmarshal([]byte(all[id]), &record); err != nil {
			t.Fatal(err)
		}
		var parts []string
		for _, field := range summary[entity].fields {
			parts = append(parts, summarize(record, field))
		}
		out[id] = strings.Join(parts, "|")
	}
	return out
}

func summarize(record map[string]any, field string) string {
	lines, _ := record["lines"].([]any)
	switch field {
	case "status":
		status, _ := record["status"].(map[string]any)
		return fmt.Sprint(status["native_code"])
	case "lines":
		return fmt.Sprint(len(lines))
	case "received":
		sum := 0.0
		for _, l := range lines {
			line, _ := l.(map[string]any)
			var quantity float64
			_, _ = fmt.Sscan(fmt.Sprint(line["received_quantity"]), &quantity) // of null: 0
			sum += quantity
		}
		return fmt.Sprintf("%.2f", sum)
	}
	return fmt.Sprint(record[field])
}
