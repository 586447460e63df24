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

// logbook is a Log in memory that can fail.
type logbook struct {
	events []store.Event
	fail   error
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
	run := func(id string) {
		t.Helper()
		event := encode(store.NewEvent{OrganisationID: "org_1", ConnectionID: items.Connection, Entity: items.Entity, Kind: store.SyncStarted,
			At: time.Now(), Data: encode(eventData{Run: id})})
		_, errPut := file.PutSync(ctx, "org_1", items, records.Schedule{Every: time.Hour, Enabled: true})
		_, errBegin := file.BeginRun(ctx, items, records.Run{ID: id, Kind: records.Full, StartedAt: time.Now()}, nil, event)
		_, errEnd := file.EndRun(ctx, items, records.Ending{Run: id})
		if err := errors.Join(errPut, errBegin, errEnd); err != nil {
			t.Fatal(err)
		}
	}
	log := &logbook{fail: errors.New("the disk is full")}
	forwarder := func() *Forwarder {
		return &Forwarder{Outbox: file, Log: log, Logger: slog.New(slog.DiscardHandler)}
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
	same(t, "told", 2, len(log.events))
	left, err := file.Changes(ctx, 10)
	if err != nil || len(left) > 0 {
		t.Errorf("left in the outbox: %v (%v)", left, err)
	}
}
