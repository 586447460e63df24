package syncs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"gantry/relay/records"
	"gantry/relay/records/sqlite"
	"gantry/relay/store"
)

// logbook hears everything, in memory, and can fail.
type logbook struct {
	events   []store.Event
	messages []store.NewDelivery
	fail     error
}

func (l *logbook) AppendEvents(_ context.Context, events ...store.NewEvent) error {
	if l.fail != nil {
		return l.fail
	}
	for _, e := range events {
		l.events = append(l.events, store.Event{ID: fmt.Sprint(len(l.events)), NewEvent: e})
	}
	return nil
}

func (l *logbook) Connection(_ context.Context, organisation, id string) (store.Connection, error) {
	return store.Connection{ID: id, OrganisationID: organisation, SiteID: "site_1"}, nil
}

func (l *logbook) AddDeliveries(_ context.Context, _ string, messages []store.NewDelivery) error {
	if l.fail != nil {
		return l.fail
	}
	l.messages = append(l.messages, messages...)
	return nil
}

func (l *logbook) LastEvents(_ context.Context, _, _ string, filter store.EventFilter, n int) ([]store.Event, error) {
	var found []store.Event
	for _, e := range l.events {
		if e.Kind == filter.Kind && e.Entity == filter.Entity {
			found = append(found, e)
		}
	}
	return found[max(0, len(found)-n):], nil
}

// TestForward empties an outbox, fails in between, and meets what was told and not taken out.
func TestForward(t *testing.T) {
	ctx := t.Context()
	file, err := sqlite.Open(ctx, t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	row := func(id, n string) records.Record {
		r, err := records.Parse(fmt.Appendf(nil, `{"id":%q,"n":%q}`, id, n))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	run := func(id string) {
		t.Helper()
		event := encode(store.NewEvent{OrganisationID: "org_1", ConnectionID: items.Connection, Entity: items.Entity, Kind: store.SyncStarted,
			At: time.Now(), Data: encode(eventData{Run: id})})
		_, errPut := file.PutSync(ctx, "org_1", items, records.Schedule{Every: time.Hour, Enabled: true})
		_, errBegin := file.BeginRun(ctx, items, records.Run{ID: id, Kind: records.Full, StartedAt: time.Now()}, nil, event)
		_, errKeep := file.Keep(ctx, items, records.Page{Run: id, Records: []records.Record{row(id, "1"), row("both", id)}})
		_, errEnd := file.EndRun(ctx, items, records.Ending{Run: id})
		if err := errors.Join(errPut, errBegin, errKeep, errEnd); err != nil {
			t.Fatal(err)
		}
	}
	log := &logbook{fail: errors.New("the disk is full")}
	forwarder := func() *Forwarder {
		return &Forwarder{Outbox: file, Store: log, Logger: slog.New(slog.DiscardHandler)}
	}
	run("run_1")
	f := forwarder()
	if err := f.Forward(ctx); !errors.Is(err, log.fail) {
		t.Fatalf("a log that fails: %v", err)
	}
	log.fail = nil
	page, err := file.Changes(ctx, 10)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.tell(ctx, page); err != nil { // and the relay is killed
		t.Fatal(err)
	}
	run("run_2")
	if err := forwarder().Forward(ctx); err != nil {
		t.Fatal(err)
	}
	same(t, "events", 2, len(log.events))
	ids, order := map[string]bool{}, []string{}
	for _, m := range log.messages {
		if !ids[m.ID] {
			order = append(order, string(m.Kind)+" "+m.Subject)
		}
		ids[m.ID] = true
	}
	same(t, "messages, twice what was told twice", 6, len(log.messages))
	same(t, "heard once, in order", []string{
		"record.created con_1/items/run_1", "record.created con_1/items/both", "record.created con_1/items/run_2", "record.updated con_1/items/both",
	}, order)
	same(t, "data", `{"site_id":"site_1","connection_id":"con_1","entity":"items","record_id":"run_1"}`, string(log.messages[0].Data))
	left, err := file.Changes(ctx, 10)
	if err != nil || len(left) > 0 {
		t.Errorf("left in the outbox: %v (%v)", left, err)
	}
}
