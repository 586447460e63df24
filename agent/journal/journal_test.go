package journal

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gantry/agent/state"
	"gantry/tunnel/fault"
)

// disk is a state folder that outlives journals, as it outlives crashes.
type disk struct {
	t   *testing.T
	dir string
}

func (d disk) open() *Journal {
	d.t.Helper()
	db, err := state.Open(d.t.Context(), d.dir)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = db.Close() })
	j, err := New(d.t.Context(), db.SQL())
	if err != nil {
		d.t.Fatal(err)
	}
	return j
}

func newDisk(t *testing.T) disk { return disk{t, t.TempDir()} }

func create(t *testing.T, key, body string) Call {
	t.Helper()
	f, err := Fingerprint("POST", "/purchase-orders", []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return Call{Connection: "con_1", Key: key, RequestID: "req_1", Method: "POST", Path: "/purchase-orders", Fingerprint: f}
}

func enter(t *testing.T, j *Journal, call Call) *Ticket {
	t.Helper()
	ticket, err := j.Enter(t.Context(), call)
	if err != nil {
		t.Fatalf("Enter: %v", err)
	}
	return ticket
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var created = Result{Status: 201, Header: map[string]string{"ETag": `"1"`}, Body: []byte(`{"id":"7"}`)}

// TestAfter tells, for each point at which an agent may die, what the same key gets from the next one.
func TestAfter(t *testing.T) {
	type want struct{ replay, unsettled bool }
	for _, tt := range []struct {
		name string
		do   func(t *testing.T, ticket *Ticket)
		want want
	}{
		{"nothing on disk", func(*testing.T, *Ticket) {}, want{}},
		{"killed after started", func(t *testing.T, k *Ticket) { must(t, k.Start(t.Context())) }, want{unsettled: true}},
		{"left after started, as by a panic", func(t *testing.T, k *Ticket) { must(t, k.Start(t.Context())); k.Leave() }, want{unsettled: true}},
		{"killed after done", func(t *testing.T, k *Ticket) {
			must(t, k.Start(t.Context()))
			must(t, k.Finish(t.Context(), Done, created))
		}, want{replay: true}},
		{"killed after rejected", func(t *testing.T, k *Ticket) {
			must(t, k.Start(t.Context()))
			must(t, k.Finish(t.Context(), Rejected, Result{Status: 409}))
		}, want{replay: true}},
		{"killed after unknown", func(t *testing.T, k *Ticket) {
			must(t, k.Start(t.Context()))
			must(t, k.Finish(t.Context(), Unknown, Result{Status: 504}))
		}, want{unsettled: true}},
		{"killed after not sent", func(t *testing.T, k *Ticket) { must(t, k.Start(t.Context())); must(t, k.Drop(t.Context())) }, want{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDisk(t)
			call := create(t, "k", `{"a":1}`)
			tt.do(t, enter(t, d.open(), call))
			next := enter(t, d.open(), call)
			_, replay := next.Replay()
			if got := (want{replay, next.Unsettled()}); got != tt.want {
				t.Errorf("the next agent sees %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestReplayIsTheFirstResult(t *testing.T) {
	j := newDisk(t).open()
	call := create(t, "k", `{"a":1,"b":2}`)
	first := enter(t, j, call)
	must(t, first.Start(t.Context()))
	must(t, first.Finish(t.Context(), Done, created))
	first.Leave()
	again := enter(t, j, create(t, "k", "{ \"b\": 2, \"a\": 1 }")) // the same body, otherwise written
	entry, ok := again.Replay()
	if !ok {
		t.Fatal("no replay")
	}
	if diff := cmp.Diff(created, entry.Result); diff != "" {
		t.Error(diff)
	}
}

func TestEmptyAndHugeResults(t *testing.T) {
	j := newDisk(t).open()
	for name, tt := range map[string]struct {
		body     []byte
		tooLarge bool
	}{"empty": {nil, false}, "huge": {make([]byte, MaxBody+1), true}, "largest": {make([]byte, MaxBody), false}} {
		ticket := enter(t, j, create(t, name, "{}"))
		must(t, ticket.Start(t.Context()))
		must(t, ticket.Finish(t.Context(), Done, Result{Status: 204, Body: tt.body}))
		ticket.Leave()
		entry, ok := enter(t, j, create(t, name, "{}")).Replay()
		if !ok || entry.Lost != tt.tooLarge {
			t.Errorf("%s: replay %v, too large %v", name, ok, entry.Lost)
		}
	}
}

func TestRefusals(t *testing.T) {
	j := newDisk(t).open()
	first := enter(t, j, create(t, "k", `{"a":1}`))
	if _, err := j.Enter(t.Context(), create(t, "k", `{"a":1}`)); !fault.Is(err, fault.Conflict) {
		t.Errorf("while the first runs: %v, want CONFLICT", err)
	}
	must(t, first.Start(t.Context()))
	must(t, first.Finish(t.Context(), Done, created))
	first.Leave()
	for _, other := range []string{`{"a":2}`, `{"a":1.0}`, ``} {
		if _, err := j.Enter(t.Context(), create(t, "k", other)); !fault.Is(err, fault.IdempotencyKeyReused) {
			t.Errorf("body %q: %v, want IDEMPOTENCY_KEY_REUSED", other, err)
		}
	}
	elsewhere := create(t, "k", `{"a":2}`)
	elsewhere.Connection = "con_2"
	enter(t, j, elsewhere).Leave()
}

// TestOneRunner has many callers with one key: exactly one may have the effect.
func TestOneRunner(t *testing.T) {
	j := newDisk(t).open()
	var mu sync.Mutex
	effects := 0
	var callers sync.WaitGroup
	call := create(t, "k", "{}")
	for range 16 {
		callers.Go(func() {
			ticket, err := j.Enter(context.Background(), call)
			if fault.Is(err, fault.Conflict) {
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
			defer ticket.Leave()
			if _, known := ticket.Replay(); known {
				return
			}
			if err := ticket.Start(context.Background()); err != nil {
				t.Error(err)
			}
			mu.Lock()
			effects++
			mu.Unlock()
			if err := ticket.Finish(context.Background(), Done, created); err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	if effects != 1 {
		t.Errorf("%d effects", effects)
	}
}

func TestKeptSevenDays(t *testing.T) {
	j := newDisk(t).open()
	now := time.Now()
	j.now = func() time.Time { return now }
	ticket := enter(t, j, create(t, "k", "{}"))
	must(t, ticket.Start(t.Context()))
	must(t, ticket.Finish(t.Context(), Done, created))
	ticket.Leave()
	now = now.Add(Keep - time.Minute)
	if n, err := j.Purge(t.Context()); n != 0 || err != nil {
		t.Fatalf("purged %d, %v before its time", n, err)
	}
	now = now.Add(2 * time.Minute)
	if _, err := j.db.ExecContext(t.Context(), "UPDATE journal SET state = 'unknown'"); err != nil {
		t.Fatal(err)
	}
	if n, err := j.Purge(t.Context()); n != 0 || err != nil {
		t.Fatalf("a write that nobody resolved was purged: %d, %v", n, err)
	}
	if _, err := j.db.ExecContext(t.Context(), "UPDATE journal SET state = 'done'"); err != nil {
		t.Fatal(err)
	}
	again := enter(t, j, create(t, "k", `{"other":true}`))
	if _, known := again.Replay(); known {
		t.Error("a key is replayed after its time")
	}
}

func TestUnresolved(t *testing.T) {
	d := newDisk(t)
	must(t, enter(t, d.open(), create(t, "k", "{}")).Start(t.Context()))
	all, err := d.open().Unresolved(t.Context(), 10)
	if err != nil || len(all) != 1 || all[0].Key != "k" || all[0].Path != "/purchase-orders" {
		t.Errorf("got %+v, %v", all, err)
	}
}

// TestResolve: what a person says decides what the key gets next.
func TestResolve(t *testing.T) {
	d := newDisk(t)
	must(t, enter(t, d.open(), create(t, "k", "{}")).Start(t.Context())) // and a crash
	j := d.open()
	id := Entry{Connection: "con_1", Key: "k"}.ID()
	if _, err := j.Resolve(t.Context(), "wrt_0", true); !errors.Is(err, ErrNoWrite) {
		t.Errorf("a foreign id: %v", err)
	}
	held := enter(t, j, create(t, "k", "{}"))
	if _, err := j.Resolve(t.Context(), id, true); !errors.Is(err, ErrRunning) {
		t.Errorf("while it is tried again: %v", err)
	}
	held.Leave()
	if n, err := j.CountUnresolved(t.Context()); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	for _, happened := range []bool{false, true} {
		ticket := enter(t, j, create(t, "k", "{}"))
		if !happened { // the first round begins with what the crash left
			ticket.Leave()
		} else {
			must(t, ticket.Start(t.Context()))
			ticket.Leave()
		}
		entry, err := j.Resolve(t.Context(), id, happened)
		if err != nil || entry.Key != "k" || entry.ID() != id {
			t.Fatalf("%+v, %v", entry, err)
		}
		next := enter(t, j, create(t, "k", "{}"))
		replayed, known := next.Replay()
		if known != happened || known && !replayed.Lost || next.Unsettled() {
			t.Errorf("happened %v: replay %v %+v", happened, known, replayed)
		}
		next.Leave()
	}
	if _, err := j.Resolve(t.Context(), id, true); !errors.Is(err, ErrNoWrite) {
		t.Errorf("a second time: %v", err)
	}
}

func TestSubject(t *testing.T) {
	for path, want := range map[string][3]string{
		"POST /items": {"items", "create", ""}, "PATCH /items/a%2Fb": {"items", "update", "a/b"}, "DELETE /items/7": {"items", "delete", "7"},
		"POST /purchase-orders/7/actions/approve":  {"purchase-orders", "approve", "7"},
		"POST /passthrough/POST%20%2Fapi%2Flabels": {"", "passthrough", "POST /api/labels"},
	} {
		method, path, _ := strings.Cut(path, " ")
		entity, operation, record := Entry{Method: method, Path: path}.Subject()
		if got := [3]string{entity, operation, record}; got != want {
			t.Errorf("%s %s is %q, want %q", method, path, got, want)
		}
	}
}

func FuzzFingerprint(f *testing.F) {
	f.Add([]byte(`{"a":1}`), []byte(`{"a":2}`))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		x, errA := Fingerprint("POST", "/p", a)
		y, errB := Fingerprint("POST", "/p", b)
		if errA != nil || errB != nil {
			return
		}
		ca, _ := canonical(a)
		cb, _ := canonical(b)
		if (x == y) != (string(ca) == string(cb)) {
			t.Errorf("fingerprints of %q and %q disagree with their canonical forms", a, b)
		}
	})
}
