package syncs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"gantry/relay/records"
	"gantry/relay/store"
)

// Log is where a sync's events are told; store.Store is one.
type Log interface {
	AppendEvents(ctx context.Context, events ...store.NewEvent) error
	LastEvents(ctx context.Context, organisation, connection string, filter store.EventFilter, n int) ([]store.Event, error)
}

// Forwarder empties the outbox: the changes of records become deliveries to webhooks, the events of syncs go to the log. What
// was told and not yet taken out, because the relay was killed in between, is told again, and heard once.
type Forwarder struct {
	Outbox   records.Outbox
	Log      Log
	Stopping <-chan struct{} // closed when it should end; nil: never
	Logger   *slog.Logger

	known bool // what is in the outbox was not told by a relay before this one
}

// forwardPage is how many lines are told at a time.
const forwardPage = 500

// Forward tells what is in the outbox, in its order, until it is empty. No two may run at a time.
func (f *Forwarder) Forward(ctx context.Context) error {
	for !f.stopping() {
		page, err := f.Outbox.Changes(ctx, forwardPage)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			f.known = true
			return nil
		}
		if err := f.tell(ctx, page); err != nil {
			return fmt.Errorf("tell what syncs changed: %w", err)
		}
		if err := f.Outbox.Told(ctx, page[len(page)-1].Number); err != nil {
			return err
		}
	}
	return nil
}

func (f *Forwarder) stopping() bool {
	select {
	case <-f.Stopping:
		return true
	default:
		return false
	}
}

// tell tells a page, each line after those before it.
func (f *Forwarder) tell(ctx context.Context, page []records.Change) error {
	for _, change := range page {
		if change.Kind != records.Event {
			continue
		}
		if err := f.event(ctx, change); err != nil {
			return err
		}
	}
	return nil
}

// event tells an event of a sync. One whose organisation is gone interests nobody.
func (f *Forwarder) event(ctx context.Context, change records.Change) error {
	var e store.NewEvent
	if err := json.Unmarshal(change.Event, &e); err != nil {
		return err
	}
	if told, err := f.told(ctx, e); err != nil || told {
		return err
	}
	if err := f.Log.AppendEvents(ctx, e); !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return nil
}

// recent is how many events of a kind are looked at for one that was told already.
const recent = 50

// told reports whether the log has the event already. Only what a relay before this one left can have been told.
func (f *Forwarder) told(ctx context.Context, e store.NewEvent) (bool, error) {
	if f.known {
		return false, nil
	}
	last, err := f.Log.LastEvents(ctx, e.OrganisationID, e.ConnectionID, store.EventFilter{Entity: e.Entity, Kind: e.Kind}, recent)
	if err != nil {
		return false, err
	}
	for _, have := range last {
		if have.At.UnixMilli() == e.At.UnixMilli() && string(have.Data) == string(e.Data) {
			return true, nil
		}
	}
	return false, nil
}
