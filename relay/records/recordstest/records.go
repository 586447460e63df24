package recordstest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"gantry/relay/records"
)

func testLife(t *testing.T, b *bench) {
	ctx := t.Context()
	first, second := b.record("1", `"n":1`), b.record("2", `"n":1`)
	same(t, "new ones", records.Counts{Created: 2}, b.sync(orders, []records.Record{first, second}))
	same(t, "the same again", records.Counts{Unchanged: 2}, b.sync(orders, []records.Record{first, second}))
	same(t, "a changed one", records.Counts{Updated: 1, Unchanged: 1}, b.sync(orders, []records.Record{b.record("1", `"n":2`), second}))
	b.pass(time.Minute)
	same(t, "one that is gone", records.Counts{Deleted: 1}, b.sync(orders, nil, "2", "3"))
	same(t, "gone again", records.Counts{}, b.sync(orders, nil, "2"))

	found := got(b.Record(ctx, orders, "2")).or(t)
	var document struct {
		ID      string    `json:"id"`
		Deleted time.Time `json:"deleted_at"`
	}
	if err := json.Unmarshal(found.Document, &document); err != nil {
		t.Fatal(err)
	}
	if document.ID != "2" || !document.Deleted.Equal(b.now()) || !found.Modified.Equal(b.now()) {
		t.Errorf("what is gone is shown as %s, changed at %s", found.Document, found.Modified)
	}
	same(t, "listed", []string{"1"}, b.list(orders, records.Query{}))
	s := got(b.Sync(ctx, orders)).or(t)
	same(t, "live and gone", [2]int{1, 1}, [2]int{s.Live, s.Gone})

	same(t, "back again", records.Counts{Created: 1}, b.sync(orders, []records.Record{second}))
	same(t, "as it was", string(second.Document), string(got(b.Record(ctx, orders, "2")).or(t).Document))
	same(t, "what is told", []string{
		"record.created 1", "record.created 2", "record.updated 1", "record.deleted 2", "record.created 2",
	}, b.told())
	s = got(b.Sync(ctx, orders)).or(t)
	same(t, "live and gone", [2]int{2, 0}, [2]int{s.Live, s.Gone})
	same(t, "all runs together", records.Totals{Created: 3, Updated: 1, Deleted: 1}, s.Total)
	is(t, "no such record", got(b.Record(ctx, orders, "9")).err, errNotFound)
}

func testFlag(t *testing.T, b *bench) {
	flagged := `"deleted_at":"2025-01-01T00:00:00Z"`
	same(t, "never seen alive", records.Counts{Unchanged: 1}, b.sync(orders, []records.Record{b.record("1", flagged)}))
	same(t, "a live one", records.Counts{Created: 1}, b.sync(orders, []records.Record{b.record("2", `"deleted_at":null`)}))
	same(t, "flagged", records.Counts{Deleted: 1}, b.sync(orders, []records.Record{b.record("2", flagged)}))
	same(t, "changed while gone", records.Counts{Unchanged: 1}, b.sync(orders, []records.Record{b.record("2", flagged+`,"n":1`)}))
	same(t, "back", records.Counts{Created: 1}, b.sync(orders, []records.Record{b.record("2", `"deleted_at":null`)}))
	same(t, "what is told", []string{"record.created 2", "record.deleted 2", "record.created 2"}, b.told())
}

func testUnseen(t *testing.T, b *bench) {
	ctx := t.Context()
	b.sync(orders, []records.Record{b.record("1", ""), b.record("2", ""), b.record("3", ""), b.record("4", `"deleted_at":"2025-01-01T00:00:00Z"`)})
	b.begin(orders, records.Run{ID: "run_1", Kind: records.Full, Compares: true})
	got(b.Keep(ctx, orders, records.Page{Run: "run_1", Records: []records.Record{b.record("2", ""), b.record("5", "")}})).or(t)
	same(t, "count", [2]int{2, 4}, b.unseen("run_1"))
	same(t, "all", []string{"1", "3"}, got(b.Unseen(ctx, orders, "run_1", "", 10)).or(t))
	same(t, "after", []string{"3"}, got(b.Unseen(ctx, orders, "run_1", "1", 10)).or(t))
	same(t, "a page", []string{"1"}, got(b.Unseen(ctx, orders, "run_1", "", 1)).or(t))
	got(b.Keep(ctx, orders, records.Page{Run: "run_1", Records: []records.Record{b.record("1", "")}, Gone: []string{"3"}})).or(t)
	same(t, "none is left", [2]int{0, 3}, b.unseen("run_1"))
	got(b.EndRun(ctx, orders, records.Ending{Run: "run_1"})).or(t)
	is(t, "after its end", got(b.Unseen(ctx, orders, "run_1", "", 1)).err, records.ErrOver)

	b.begin(orders, records.Run{ID: "run_2", Kind: records.Full, Compares: true})
	same(t, "the next run has seen nothing", [2]int{3, 3}, b.unseen("run_2"))
}

// testWindow has a run that is not to see what changed before its window.
func testWindow(t *testing.T, b *bench) {
	ctx := t.Context()
	b.sync(orders, []records.Record{
		b.record("old", `"updated_at":"2020-01-01T00:00:00Z"`), b.record("1", `"updated_at":"2026-01-01T00:00:00Z"`), b.record("2", `"updated_at":"2026-01-02T00:00:00Z"`),
	})
	b.begin(orders, records.Run{ID: "run", Kind: records.Full, Compares: true, From: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)})
	got(b.Keep(ctx, orders, records.Page{Run: "run", Records: []records.Record{b.record("2", `"updated_at":"2026-01-02T00:00:00Z"`)}})).or(t)
	same(t, "count", [2]int{1, 2}, b.unseen("run"))
	same(t, "ids", []string{"1"}, got(b.Unseen(ctx, orders, "run", "", 10)).or(t))
}

func testLists(t *testing.T, b *bench) {
	at := func(hour int) string { return fmt.Sprintf(`"updated_at":"2026-01-01T%02d:00:00.5Z"`, hour) }
	b.sync(orders, []records.Record{
		b.record("1", at(4)+`,"created_at":"2026-01-01T01:00:00Z","status":{"value":"approved"}`),
		b.record("2", at(3)+`,"created_at":"2026-01-01T02:00:00Z","status":{"value":"closed"}`),
		b.record("3", at(2)), b.record("4", at(1)),
	})
	b.sync(orders, nil, "4")
	since := time.Date(2026, 1, 1, 2, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		query records.Query
		want  []string
	}{
		"all":                 {records.Query{}, []string{"1", "2", "3"}},
		"with gone":           {records.Query{Gone: records.WithGone}, []string{"1", "2", "3", "4"}},
		"only gone":           {records.Query{Gone: records.OnlyGone}, []string{"4"}},
		"modified":            {records.Query{ModifiedAfter: since}, []string{"3", "2", "1"}},
		"modified, at":        {records.Query{ModifiedAfter: since.Add(500 * time.Millisecond)}, []string{"2", "1"}},
		"gone is a change":    {records.Query{ModifiedAfter: since, Gone: records.WithGone}, []string{"3", "2", "1", "4"}},
		"created":             {records.Query{CreatedAfter: since.Add(-30 * time.Minute)}, []string{"2"}},
		"status":              {records.Query{Status: []string{"approved", "other"}}, []string{"1"}},
		"status and modified": {records.Query{Status: []string{"approved"}, ModifiedAfter: since}, []string{"1"}},
		"a limit":             {records.Query{Limit: 2}, []string{"1", "2"}},
	} {
		t.Run(name, func(t *testing.T) { same(t, "ids", test.want, b.list(orders, test.query)) })
	}
	is(t, "no sync", got(b.Records(t.Context(), records.Key{}, records.Query{})).err, errNotFound)
}

func testFilters(t *testing.T, b *bench) {
	b.sync(orders, []records.Record{
		b.record("1", `"vendor_id":"7","total":"12.50","count":3,"active":true,"custom_fields":{"colour":"red' OR 1=1"}`),
		b.record("2", `"vendor_id":"8","total":"12.5","count":4,"active":false,"custom_fields":{"colour":null}`),
		b.record("3", `"vendor_id":null`),
	})
	for name, test := range map[string]struct {
		filters []records.Filter
		want    []string
	}{
		"text":         {[]records.Filter{{Path: "$.vendor_id", Form: records.Text, Values: []string{"7", "9"}}}, []string{"1"}},
		"text is text": {[]records.Filter{{Path: "$.vendor_id", Form: records.Text, Values: []string{"07"}}}, []string{}},
		"a decimal":    {[]records.Filter{{Path: "$.total", Form: records.Number, Values: []string{"12.500"}}}, []string{"1", "2"}},
		"a number":     {[]records.Filter{{Path: "$.count", Form: records.Number, Values: []string{"4"}}}, []string{"2"}},
		"true":         {[]records.Filter{{Path: "$.active", Form: records.Boolean, Values: []string{"true"}}}, []string{"1"}},
		"false":        {[]records.Filter{{Path: "$.active", Form: records.Boolean, Values: []string{"false"}}}, []string{"2"}},
		"custom":       {[]records.Filter{{Path: "$.custom_fields.colour", Form: records.Text, Values: []string{"red' OR 1=1"}}}, []string{"1"}},
		"both": {[]records.Filter{
			{Path: "$.vendor_id", Form: records.Text, Values: []string{"7", "8"}}, {Path: "$.active", Form: records.Boolean, Values: []string{"false"}},
		}, []string{"2"}},
	} {
		t.Run(name, func(t *testing.T) { same(t, "ids", test.want, b.list(orders, records.Query{Filters: test.filters})) })
	}
}

// testPages pages through records while others change.
func testPages(t *testing.T, b *bench) {
	var all []records.Record
	for i := range 20 {
		all = append(all, b.record(fmt.Sprintf("%02d", i), fmt.Sprintf(`"updated_at":"2026-01-01T00:%02d:00Z"`, (20-i)/3))) // many at one time
	}
	b.sync(orders, all)
	for name, query := range map[string]records.Query{
		"by id": {}, "by change": {ModifiedAfter: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		t.Run(name, func(t *testing.T) {
			seen := map[string]int{}
			query.Limit = 3
			for step := 0; ; step++ {
				page := got(b.Records(t.Context(), orders, query)).or(t)
				for _, r := range page {
					seen[r.ID]++
				}
				if len(page) < query.Limit {
					break
				}
				last := page[len(page)-1]
				query.After = records.Position{ID: last.ID, Modified: last.Modified}
				b.sync(orders, []records.Record{b.record(fmt.Sprintf("new-%s-%d", name, step), `"updated_at":"2026-01-02T00:00:00Z"`)})
			}
			for _, r := range all {
				if seen[r.ID] != 1 {
					t.Errorf("%s was listed %d times", r.ID, seen[r.ID])
				}
			}
		})
	}
}

func testOutbox(t *testing.T, b *bench) {
	ctx := t.Context()
	b.sync(orders, []records.Record{b.record("1", ""), b.record("2", "")})
	b.sync(orders, []records.Record{b.record("1", `"n":1`)})
	all := got(b.Changes(ctx, 10)).or(t)
	want := records.Change{Number: all[0].Number, Message: all[0].Message, OrganisationID: organisation, Key: orders, Kind: records.Created, Record: "1", At: b.now()}
	same(t, "the first", want, all[0])
	same(t, "a page", all[:2], got(b.Changes(ctx, 2)).or(t))
	if err := b.Told(ctx, all[1].Number); err != nil {
		t.Fatal(err)
	}
	same(t, "what is left", all[2:], got(b.Changes(ctx, 10)).or(t))
	b.sync(orders, []records.Record{b.record("3", "")})
	after := got(b.Changes(ctx, 10)).or(t)
	if len(after) != 2 || after[1].Number <= after[0].Number {
		t.Errorf("the order is lost: %+v", after)
	}
}

// testEvents sees that a sync's own events stand among its changes.
func testEvents(t *testing.T, b *bench) {
	ctx := t.Context()
	got(b.PutSync(ctx, organisation, orders, records.Schedule{Every: time.Hour, Enabled: true})).or(t)
	event := func(text string) []byte { return fmt.Appendf(nil, `{"kind":%q}`, text) }
	got(b.BeginRun(ctx, orders, records.Run{ID: "run"}, nil, event("began"))).or(t)
	got(b.Keep(ctx, orders, records.Page{Run: "run", Records: []records.Record{b.record("1", "")}})).or(t)
	got(b.FailRun(ctx, orders, "run", records.Failure{Event: event("failed")})).or(t)
	got(b.FailRun(ctx, orders, "run", records.Failure{})).or(t)
	got(b.EndRun(ctx, orders, records.Ending{Run: "run", Event: event("ended")})).or(t)
	var lines []string
	for _, c := range got(b.Changes(ctx, 10)).or(t) {
		lines = append(lines, string(c.Kind)+" "+c.Record+string(c.Event))
	}
	same(t, "the outbox", []string{`event {"kind":"began"}`, "record.created 1", `event {"kind":"failed"}`, `event {"kind":"ended"}`}, lines)
}

// testMessages sees that the same change has the same id, and another one another.
func testMessages(t *testing.T, b *bench) {
	b.sync(orders, []records.Record{b.record("1", ""), b.record("2", "")})
	b.sync(orders, []records.Record{b.record("1", `"n":1`)})
	b.sync(orders, []records.Record{b.record("1", "")})
	b.sync(orders, nil, "1")
	ids := map[string]bool{}
	for _, c := range got(b.Changes(t.Context(), 10)).or(t) {
		ids[c.Message] = true
	}
	same(t, "ids", 5, len(ids))
}

func testErase(t *testing.T, b *bench) {
	ctx := t.Context()
	other := records.Key{Connection: "con_2", Entity: orders.Entity}
	one := []records.Record{b.record("1", "")}
	b.sync(orders, one)
	b.sync(other, one)
	first := got(b.Changes(ctx, 10)).or(t)
	b.begin(orders, records.Run{ID: "run_2", Kind: records.Full, Compares: true})
	if err := b.Erase(ctx, orders.Connection); err != nil {
		t.Fatal(err)
	}
	is(t, "the sync", got(b.Sync(ctx, orders)).err, errNotFound)
	is(t, "the record", got(b.Record(ctx, orders, "1")).err, errNotFound)
	is(t, "the run", got(b.Keep(ctx, orders, records.Page{Run: "run_2", Records: one})).err, records.ErrOver)
	same(t, "another's", []string{"1"}, b.list(other, records.Query{}))
	same(t, "the outbox", []string{"record.created 1"}, b.told())
	is(t, "again", b.Erase(ctx, orders.Connection), nil)
	is(t, "sweeping", b.Sweep(ctx), nil)

	same(t, "synced anew", records.Counts{Created: 1}, b.sync(orders, one))
	again := got(b.Changes(ctx, 10)).or(t)
	if again[1].Message == first[0].Message {
		t.Error("what was erased and synced anew has the ids of before")
	}
}

// testMany runs several syncs at once, while others read.
func testMany(t *testing.T, b *bench) {
	const each = 300
	var all sync.WaitGroup
	for i := range 4 {
		key := records.Key{Connection: fmt.Sprint("con_", i), Entity: "items"}
		b.begin(key, records.Run{ID: "run", Kind: records.Full})
		all.Go(func() {
			for page := range 10 {
				var rows []records.Record
				for n := range each / 10 {
					rows = append(rows, b.record(fmt.Sprintf("%04d", page*each/10+n), ""))
				}
				if _, err := b.Keep(context.Background(), key, records.Page{Run: "run", Records: rows}); err != nil {
					t.Error(err)
				}
				if ids := b.list(key, records.Query{}); !slices.IsSorted(ids) || len(ids) < (page+1)*each/10 {
					t.Errorf("%d records after page %d", len(ids), page)
				}
			}
		})
	}
	all.Wait()
	same(t, "told", 4*each, len(b.told())+200) // one call gives a thousand
}
