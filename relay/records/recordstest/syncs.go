package recordstest

import (
	"testing"
	"time"

	"gantry/relay/records"
)

func testSchedules(t *testing.T, b *bench) {
	ctx := t.Context()
	is(t, "no sync", got(b.Sync(ctx, orders)).err, errNotFound)
	schedule := records.Schedule{Every: 15 * time.Minute, Since: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), Enabled: true}
	made := got(b.PutSync(ctx, organisation, orders, schedule)).or(t)
	want := records.Sync{Key: orders, OrganisationID: organisation, Schedule: schedule, NextRunAt: b.now()}
	same(t, "made", want, made)
	same(t, "found", want, got(b.Sync(ctx, orders)).or(t))

	schedule.Enabled, want.Enabled, want.NextRunAt = false, false, time.Time{}
	same(t, "not enabled", want, got(b.PutSync(ctx, organisation, orders, schedule)).or(t))

	vendors := records.Key{Connection: orders.Connection, Entity: "vendors"}
	got(b.PutSync(ctx, organisation, vendors, schedule)).or(t)
	got(b.PutSync(ctx, organisation, records.Key{Connection: "con_2", Entity: "items"}, schedule)).or(t)
	var entities []string
	for _, s := range got(b.Syncs(ctx, orders.Connection)).or(t) {
		entities = append(entities, s.Entity)
	}
	same(t, "those of the connection", []string{"purchase-orders", "vendors"}, entities)
}

func testDue(t *testing.T, b *bench) {
	ctx := t.Context()
	due := func() []string {
		entities := []string{}
		for _, s := range got(b.Due(ctx, b.now(), 10)).or(t) {
			entities = append(entities, s.Entity)
		}
		return entities
	}
	for _, entity := range []string{"vendors", "items", "assets"} {
		got(b.PutSync(ctx, organisation, records.Key{Connection: "con_1", Entity: entity}, records.Schedule{Every: time.Hour, Enabled: entity != "assets"})).or(t)
		b.pass(time.Second)
	}
	same(t, "the longest due first", []string{"vendors", "items"}, due())
	if err := b.Postpone(ctx, records.Key{Connection: "con_1", Entity: "vendors"}, b.now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	same(t, "postponed", []string{"items"}, due())
	b.pass(time.Minute)
	same(t, "later", []string{"items", "vendors"}, due())
	is(t, "postponing what is gone", b.Postpone(ctx, records.Key{Connection: "con_9"}, b.now()), nil)
}

func testAsked(t *testing.T, b *bench) {
	ctx := t.Context()
	asked := records.Asked{Kind: records.Full, Accepts: true}
	made := got(b.AskRun(ctx, organisation, orders, asked)).or(t)
	same(t, "made", records.Sync{Key: orders, OrganisationID: organisation, Asked: asked, NextRunAt: b.now()}, made)
	begun := got(b.BeginRun(ctx, orders, records.Run{ID: "run_1", Kind: records.Full, StartedAt: b.now()}, nil, nil)).or(t)
	same(t, "taken as done", records.Asked{}, begun.Asked)
	got(b.AskRun(ctx, organisation, orders, records.Asked{Kind: records.Incremental})).or(t)
	b.pass(time.Minute)
	ended := got(b.EndRun(ctx, orders, records.Ending{Run: "run_1", NextRunAt: b.now().Add(time.Hour)})).or(t)
	same(t, "asked during a run", b.now(), ended.NextRunAt)
	got(b.BeginRun(ctx, orders, records.Run{ID: "run_2", StartedAt: b.now()}, nil, nil)).or(t)
	ended = got(b.EndRun(ctx, orders, records.Ending{Run: "run_2", NextRunAt: b.now().Add(time.Hour)})).or(t)
	same(t, "not enabled: never again", time.Time{}, ended.NextRunAt)
}

func testOneRun(t *testing.T, b *bench) {
	ctx := t.Context()
	run := records.Run{ID: "run_1", Kind: records.Full, Stage: records.Reading, StartedAt: b.now(), From: b.now().Add(-time.Hour)}
	is(t, "no sync", got(b.BeginRun(ctx, orders, run, nil, nil)).err, errNotFound)
	b.begin(orders, run)
	found := got(b.Sync(ctx, orders)).or(t)
	same(t, "the run", &run, found.Run)
	is(t, "a second", got(b.BeginRun(ctx, orders, records.Run{ID: "run_2"}, nil, nil)).err, records.ErrRunning)
	is(t, "another's page", got(b.Keep(ctx, orders, records.Page{Run: "run_2"})).err, records.ErrOver)
	is(t, "another's end", got(b.EndRun(ctx, orders, records.Ending{Run: "run_2"})).err, records.ErrOver)
	kept := got(b.Keep(ctx, orders, records.Page{Run: "run_1", Stage: records.Confirming, Cursor: "next", Newest: b.now()})).or(t)
	run.Stage, run.Cursor, run.Newest = records.Confirming, "next", b.now()
	same(t, "moved on", run, kept)
	got(b.Keep(ctx, orders, records.Page{Run: "run_1", Stage: records.Confirming, Cursor: "next", Newest: b.now().Add(-time.Hour)})).or(t)
	same(t, "the newest stays", &run, got(b.Sync(ctx, orders)).or(t).Run)
}

func testEnd(t *testing.T, b *bench) {
	ctx := t.Context()
	begun := b.now()
	b.begin(orders, records.Run{ID: "run_1", Kind: records.Full})
	b.pass(time.Minute)
	mark := records.Mark{At: begun, ReachedAt: b.now(), Settled: true}
	next := b.now().Add(time.Hour)
	ended := got(b.EndRun(ctx, orders, records.Ending{Run: "run_1", Mark: mark, NextRunAt: next, Problem: []byte(`{"code":"CONFLICT"}`)})).or(t)
	want := records.Sync{
		Key: orders, OrganisationID: organisation, Schedule: records.Schedule{Every: time.Hour, Enabled: true}, Mark: mark,
		LastSuccessAt: begun, LastFullAt: begun, NextRunAt: next, Problem: []byte(`{"code":"CONFLICT"}`), ProblemAt: b.now(),
		Last: &records.Run{ID: "run_1", Kind: records.Full, StartedAt: begun, FinishedAt: b.now()},
	}
	same(t, "ended", want, ended)
	is(t, "over", got(b.EndRun(ctx, orders, records.Ending{Run: "run_1"})).err, records.ErrOver)

	since := records.Schedule{Every: time.Hour, Since: begun.Add(-time.Hour), Enabled: true}
	same(t, "another window wants a full run", records.Asked{Kind: records.Full}, got(b.PutSync(ctx, organisation, orders, since)).or(t).Asked)

	b.begin(orders, records.Run{ID: "run_2", Kind: records.Incremental})
	ended = got(b.EndRun(ctx, orders, records.Ending{Run: "run_2", Mark: mark, NextRunAt: next})).or(t)
	same(t, "the problem is over", time.Time{}, ended.ProblemAt)
	same(t, "the last full run stays", begun, ended.LastFullAt)
	same(t, "the last success does not", b.now(), ended.LastSuccessAt)
}

func testFail(t *testing.T, b *bench) {
	ctx := t.Context()
	b.begin(orders, records.Run{ID: "run_1", Kind: records.Full, Cursor: "here"})
	retry := b.now().Add(time.Minute)
	for try := range 2 {
		failed := got(b.FailRun(ctx, orders, "run_1", records.Failure{Problem: []byte(`{"code":"SYSTEM_TIMEOUT"}`), RetryAt: retry})).or(t)
		same(t, "failures", try+1, failed.Failures)
		same(t, "where it is", "here", failed.Run.Cursor)
		same(t, "the next try", retry, failed.NextRunAt)
	}
	got(b.Keep(ctx, orders, records.Page{Run: "run_1"})).or(t)
	found := got(b.Sync(ctx, orders)).or(t)
	if found.Failures != 0 || found.Problem != nil {
		t.Errorf("after a page came: %d failures, %s", found.Failures, found.Problem)
	}
	failed := got(b.FailRun(ctx, orders, "run_1", records.Failure{Abandon: true, RetryAt: retry})).or(t)
	if failed.Run != nil {
		t.Error("an abandoned run is still under way")
	}
	is(t, "of a run that is over", got(b.FailRun(ctx, orders, "run_1", records.Failure{})).err, records.ErrOver)
	got(b.FailRun(ctx, orders, "", records.Failure{RetryAt: retry})).or(t)
	is(t, "of no sync", got(b.FailRun(ctx, records.Key{}, "", records.Failure{})).err, errNotFound)
}
