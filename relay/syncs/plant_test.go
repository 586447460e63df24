package syncs

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gantry/connectors/wire"
	"gantry/relay/records"
	"gantry/relay/records/sqlite"
	"gantry/relay/store"
	"gantry/tunnel/fault"
)

// plant is a Source in memory: one entity, listed in the order of changes and ids, as most systems are.
type plant struct {
	mu    sync.Mutex
	rows  map[string]row
	asked []string // the queries, in their order

	capabilities wire.EntityCapabilities
	cap          int            // rows that one call may read; 0: any
	down         *fault.Error   // what every call gets
	once         *fault.Error   // what the next page gets
	before       func(call int) // runs before a page is read, without the lock
	calls        int
}

// row is one record at the source.
type row struct {
	at time.Time // updated_at
	n  int
}

func newPlant() *plant {
	yes := wire.OperationCapability{Verdict: wire.Verdict{Allowed: true}}
	return &plant{rows: map[string]row{}, capabilities: wire.EntityCapabilities{
		Operations: map[string]wire.OperationCapability{"list": yes, "get": yes}, Filters: []string{"modified_after"},
	}}
}

func (p *plant) put(id string, at time.Time, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rows[id] = row{at, n}
}

func (p *plant) remove(ids ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range ids {
		delete(p.rows, id)
	}
}

func (p *plant) breaks(f *fault.Error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = f
}

// took gives what was asked since the last time.
func (p *plant) took() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked := p.asked
	p.asked = nil
	return asked
}

func (p *plant) record(id string) records.Record {
	r, err := records.Parse(fmt.Appendf(nil, `{"id":%q,"n":%d,"updated_at":%q}`, id, p.rows[id].n, p.rows[id].at.UTC().Format(time.RFC3339Nano)))
	if err != nil {
		panic(err)
	}
	return r
}

func (p *plant) Capabilities(context.Context, store.Connection) (wire.Capabilities, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down != nil {
		return wire.Capabilities{}, p.down
	}
	return wire.Capabilities{Entities: map[string]wire.EntityCapabilities{items.Entity: p.capabilities}}, nil
}

// place is where a row stands in the order; cursors are places.
func (p *plant) place(id string) string {
	return fmt.Sprintf("%020d/%s", p.rows[id].at.UnixNano(), id)
}

func (p *plant) List(_ context.Context, _ store.Connection, _ string, q url.Values) (Page, error) {
	p.mu.Lock()
	p.calls++
	before, call := p.before, p.calls
	p.mu.Unlock()
	if before != nil {
		before(call)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, q.Encode())
	limit, err := strconv.Atoi(q.Get("limit"))
	once := p.once
	p.once = nil
	switch {
	case once != nil:
		return Page{}, once
	case p.down != nil:
		return Page{}, p.down
	case err != nil:
		return Page{}, err
	case p.cap > 0 && limit > p.cap:
		return Page{}, fault.New(fault.RowLimit, "too many")
	}
	var ids []string
	for id, r := range p.rows {
		after, err := time.Parse(time.RFC3339Nano, q.Get("modified_after"))
		if (err != nil || r.at.After(after)) && p.place(id) > q.Get("cursor") {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int { return strings.Compare(p.place(a), p.place(b)) })
	var page Page
	if len(ids) > limit {
		ids = ids[:limit]
		page.Next = p.place(ids[limit-1])
	}
	for _, id := range ids {
		page.Records = append(page.Records, p.record(id))
	}
	return page, nil
}

func (p *plant) Get(_ context.Context, _ store.Connection, _, id string) (records.Record, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, "get "+id)
	if p.down != nil {
		return records.Record{}, p.down
	}
	if _, ok := p.rows[id]; !ok {
		return records.Record{}, fault.New(fault.NotFound, "none").At(fault.HopSystem)
	}
	return p.record(id), nil
}

var items = records.Key{Connection: "con_1", Entity: "items"}

// bench is a runner over a plant and a real store. It lives in a bubble of synctest.
type bench struct {
	*Runner
	t      *testing.T
	plant  *plant
	refuse error // of the hold
	stop   chan struct{}
}

func newBench(t *testing.T) *bench {
	t.Helper()
	file, err := sqlite.Open(t.Context(), t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, plant: newPlant(), stop: make(chan struct{})}
	b.Runner = New(Options{
		Store: file, Source: b.plant, Hold: b.hold, Stopping: b.stop, Logger: slog.New(slog.DiscardHandler),
	})
	return b
}

// close must run within the bubble.
func (b *bench) close() {
	if err := b.Store.Close(); err != nil {
		b.t.Error(err)
	}
}

func (b *bench) hold(ctx context.Context, organisation, id string) (context.Context, store.Connection, func(), error) {
	return ctx, store.Connection{ID: id, OrganisationID: organisation, AgentID: "agt_1"}, func() {}, b.refuse
}

// happened gives the events since the last time, as `kind code` lines, and takes them out of the outbox, with the changes.
func (b *bench) happened() []string {
	b.t.Helper()
	log := &logbook{}
	if err := (&Forwarder{Outbox: b.Store, Store: log, Logger: b.Logger}).Forward(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	lines := []string{}
	for _, e := range log.events {
		lines = append(lines, strings.TrimSpace(string(e.Kind)+" "+e.Code))
	}
	return lines
}

func (b *bench) enable(every time.Duration) {
	b.t.Helper()
	if _, err := b.Store.PutSync(b.t.Context(), "org_1", items, records.Schedule{Every: every, Enabled: true}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) ask(asked records.Asked) records.Sync {
	b.t.Helper()
	if _, err := b.Store.AskRun(b.t.Context(), "org_1", items, asked); err != nil {
		b.t.Fatal(err)
	}
	return b.run()
}

// run makes steps until no run is under way and none is due.
func (b *bench) run() records.Sync {
	b.t.Helper()
	for {
		next, err := b.Step(b.t.Context(), items)
		if err != nil {
			b.t.Fatal(err)
		}
		s := b.sync()
		if next.IsZero() || s.Run == nil && next.After(time.Now()) {
			return s
		}
		time.Sleep(time.Until(next))
	}
}

// pass lets time pass as the relay does: what is due runs.
func (b *bench) pass(d time.Duration) records.Sync {
	b.t.Helper()
	for end := time.Now().Add(d); ; {
		next, err := b.Step(b.t.Context(), items)
		if err != nil {
			b.t.Fatal(err)
		}
		if next.IsZero() || next.After(end) {
			time.Sleep(time.Until(end))
			return b.sync()
		}
		time.Sleep(time.Until(next))
	}
}

func (b *bench) sync() records.Sync {
	b.t.Helper()
	s, err := b.Store.Sync(b.t.Context(), items)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// equal checks that what is stored is what the source has.
func (b *bench) equal() {
	b.t.Helper()
	stored := map[string]string{}
	query := records.Query{}
	for {
		page, err := b.Store.Records(b.t.Context(), items, query)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, r := range page {
			stored[r.ID] = string(r.Document)
		}
		if len(page) < records.MaxPage {
			break
		}
		query.After.ID = page[len(page)-1].ID
	}
	differ := 0
	for id := range b.plant.rows {
		if want := string(b.plant.record(id).Document); stored[id] != want {
			if differ++; differ < 4 {
				b.t.Errorf("stored is %s, the source has %s", stored[id], want)
			}
		}
		delete(stored, id)
	}
	if differ > 0 || len(stored) > 0 {
		b.t.Errorf("%d records differ, %d are stored and gone at the source", differ, len(stored))
	}
}
