package syncs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"gantry/relay/records"
	"gantry/relay/store"
)

// Hearers are those who are told; store.Store is one.
type Hearers interface {
	Connection(ctx context.Context, organisation, id string) (store.Connection, error)
	AppendEvents(ctx context.Context, events ...store.NewEvent) error
	LastEvents(ctx context.Context, organisation, connection string, filter store.EventFilter, n int) ([]store.Event, error)
	AddDeliveries(ctx context.Context, organisation string, messages []store.NewDelivery) error
}

// Forwarder empties the outbox: the changes of records become deliveries to webhooks, the events of syncs go to the log. What
// was told and not yet taken out, because the relay was killed in between, is told again, and heard once.
type Forwarder struct {
	Outbox   records.Outbox
	Store    Hearers
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

// tell tells a page, each line after those before it: what follows one another for one connection is told at once.
func (f *Forwarder) tell(ctx context.Context, page []records.Change) error {
	for len(page) > 0 {
		if page[0].Kind == records.Event {
			if err := f.event(ctx, page[0]); err != nil {
				return err
			}
			page = page[1:]
			continue
		}
		end := slices.IndexFunc(page, func(c records.Change) bool {
			return c.Kind == records.Event || c.Connection != page[0].Connection
		})
		if end < 0 {
			end = len(page)
		}
		if err := f.changes(ctx, page[:end]); err != nil {
			return err
		}
		page = page[end:]
	}
	return nil
}

// changes tells what became of records of one connection. A message names the record and does not hold it: a first run of a
// million records must not fill the store of the relay's tokens, and who reads the record gets it as it is then.
func (f *Forwarder) changes(ctx context.Context, all []records.Change) error {
	organisation, id := all[0].OrganisationID, all[0].Connection
	c, err := f.Store.Connection(ctx, organisation, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	messages := make([]store.NewDelivery, len(all))
	for i, change := range all {
		messages[i] = store.NewDelivery{
			ID: change.Message, Kind: store.EventKind(change.Kind), At: change.At, SiteID: c.SiteID, ConnectionID: id,
			Subject: id + "/" + change.Entity + "/" + change.Record, Data: encode(changeData{c.SiteID, id, change.Entity, change.Record}),
		}
	}
	return f.Store.AddDeliveries(ctx, organisation, messages)
}

// changeData is what a message tells of a record. It is read at /records/{entity}/{id}, or at its own path.
type changeData struct {
	Site       string `json:"site_id"`
	Connection string `json:"connection_id"`
	Entity     string `json:"entity"`
	Record     string `json:"record_id"`
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
	if err := f.Store.AppendEvents(ctx, e); !errors.Is(err, store.ErrNotFound) {
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
	last, err := f.Store.LastEvents(ctx, e.OrganisationID, e.ConnectionID, store.EventFilter{Entity: e.Entity, Kind: e.Kind}, recent)
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
