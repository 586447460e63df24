// Package recordstest is what every records.Store must pass. A store's own test opens an empty store and calls Run.
package recordstest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gantry/relay/records"
	"gantry/relay/store"
)

// Open opens an empty store whose clock is now. The test closes it.
type Open func(t *testing.T, now func() time.Time) records.Store

// Run runs the suite, with an empty store for every test.
func Run(t *testing.T, open Open) {
	tests := []struct {
		name string
		run  func(*testing.T, *bench)
	}{
		{"schedules", testSchedules},
		{"what is due", testDue},
		{"a run that is asked for", testAsked},
		{"one run at a time", testOneRun},
		{"the life of a record", testLife},
		{"the system's own flag", testFlag},
		{"what a run did not see", testUnseen},
		{"what a run need not see", testWindow},
		{"a run's end", testEnd},
		{"a try that fails", testFail},
		{"lists", testLists},
		{"filters", testFilters},
		{"pages miss and repeat nothing", testPages},
		{"the outbox", testOutbox},
		{"events of a sync", testEvents},
		{"messages keep their ids", testMessages},
		{"erasing", testErase},
		{"many at once", testMany},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.run(t, newBench(t, open)) })
	}
}

const organisation = "org_1"

var orders = records.Key{Connection: "con_1", Entity: "purchase-orders"}

// bench is an empty store with a clock that stands still until it is told to go on.
type bench struct {
	records.Store
	t *testing.T

	mu   sync.Mutex
	time time.Time
}

func newBench(t *testing.T, open Open) *bench {
	b := &bench{t: t, time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	b.Store = open(t, b.now)
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return b
}

func (b *bench) now() time.Time { b.mu.Lock(); defer b.mu.Unlock(); return b.time }

func (b *bench) pass(d time.Duration) { b.mu.Lock(); defer b.mu.Unlock(); b.time = b.time.Add(d) }

// begin makes a sync and starts a run.
func (b *bench) begin(key records.Key, run records.Run) {
	b.t.Helper()
	got(b.PutSync(b.t.Context(), organisation, key, records.Schedule{Every: time.Hour, Enabled: true})).or(b.t)
	run.StartedAt = b.now()
	got(b.BeginRun(b.t.Context(), key, run, nil, nil)).or(b.t)
}

// sync is a whole run that sees the records and loses the ids, and gives its counts.
func (b *bench) sync(key records.Key, seen []records.Record, gone ...string) records.Counts {
	b.t.Helper()
	b.begin(key, records.Run{ID: "run", Kind: records.Full})
	run := got(b.Keep(b.t.Context(), key, records.Page{Run: "run", Records: seen, Gone: gone})).or(b.t)
	got(b.EndRun(b.t.Context(), key, records.Ending{Run: "run"})).or(b.t)
	return run.Counts
}

// record makes one; members are more JSON.
func (b *bench) record(id, members string) records.Record {
	b.t.Helper()
	if members != "" {
		members = "," + members
	}
	return got(records.Parse(fmt.Appendf(nil, `{"id":%q%s}`, id, members))).or(b.t)
}

// list gives the ids that a query finds, in their order.
func (b *bench) list(key records.Key, q records.Query) []string {
	b.t.Helper()
	ids := []string{}
	for _, r := range got(b.Records(b.t.Context(), key, q)).or(b.t) {
		ids = append(ids, r.ID)
	}
	return ids
}

// unseen gives what the run did not see, and how many there are.
func (b *bench) unseen(run string) [2]int {
	b.t.Helper()
	unseen, live, err := b.CountUnseen(b.t.Context(), orders, run)
	if err != nil {
		b.t.Fatal(err)
	}
	return [2]int{unseen, live}
}

// told gives the outbox as `kind id` lines.
func (b *bench) told() []string {
	b.t.Helper()
	lines := []string{}
	for _, c := range got(b.Changes(b.t.Context(), 1000)).or(b.t) {
		lines = append(lines, string(c.Kind)+" "+c.Record)
	}
	return lines
}

// outcome is what a call gave.
type outcome[T any] struct {
	value T
	err   error
}

// got takes what a call gives: got(store.Sync(…)).
func got[T any](value T, err error) outcome[T] { return outcome[T]{value, err} }

// or ends the test unless the call succeeded.
func (o outcome[T]) or(t *testing.T) T {
	t.Helper()
	if o.err != nil {
		t.Fatal(o.err)
	}
	return o.value
}

// is checks the error of a call.
func is(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error is %v, want %v", what, err, want)
	}
}

// same compares what was found with what is wanted.
func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

var errNotFound = store.ErrNotFound
