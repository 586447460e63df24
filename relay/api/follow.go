package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"gantry/relay/store"
	"gantry/tunnel/fault"
)

// eventStream is the media type of server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html).
const eventStream = "text/event-stream"

// How events are followed.
const (
	lookEvery    = time.Second // for new events: another node may have written them, so the store is asked
	beatEvery    = 15 * time.Second
	reconnectIn  = 3 * time.Second // what a client is told
	maxFollowers = 20              // of one connection
	eventsAtOnce = 100
)

// follower is somebody who follows a connection's events.
type follower struct {
	api    *API
	row    store.Connection
	filter store.EventFilter
	after  string // the last event that was looked at
	sink   *sink
}

// follow streams events as they come: those after the last one that the caller has seen (Last-Event-ID, which a browser
// sends by itself, or `after`), else from now on, with the `last` ones before. It ends when the caller leaves, the token is
// revoked, or the relay stops; whoever comes back with the last id misses nothing.
func (a *API) follow(ctx context.Context, w http.ResponseWriter, r *http.Request, row store.Connection, filter store.EventFilter, after string, last int) error {
	if seen := r.Header.Get("Last-Event-ID"); isEvent(seen) {
		after, last = seen, 0
	}
	leave, err := a.followers.enter(row.ID)
	if err != nil {
		return err
	}
	defer leave()
	f := &follower{api: a, row: row, filter: filter, after: after}
	first, err := f.begin(ctx, last)
	if err != nil {
		return err
	}
	f.sink = newSink(ctx, w, eventStream, a.limits.ClientStall)
	defer f.sink.release()
	if err := f.write(fmt.Appendf(nil, "retry: %d\n\n", reconnectIn.Milliseconds())); err != nil {
		return err
	}
	if err := f.tell(first); err != nil {
		return err
	}
	return f.run(ctx)
}

// begin finds what to begin with, and from where to go on.
func (f *follower) begin(ctx context.Context, last int) (first []store.Event, err error) {
	if f.after != "" {
		return nil, nil
	}
	newest, err := f.api.store.LastEvents(ctx, f.row.OrganisationID, f.row.ID, store.EventFilter{}, 1)
	if err != nil {
		return nil, err
	}
	if len(newest) > 0 {
		f.after = newest[0].ID
	}
	if last == 0 {
		return nil, nil
	}
	first, err = f.api.store.LastEvents(ctx, f.row.OrganisationID, f.row.ID, f.filter, last)
	for _, e := range first {
		f.after = max(f.after, e.ID)
	}
	return first, err
}

// run goes on until somebody ends it.
func (f *follower) run(ctx context.Context) error {
	look, beat := time.NewTicker(lookEvery), time.NewTicker(beatEvery)
	defer look.Stop()
	defer beat.Stop()
	for {
		err := f.catchUp(ctx)
		if err != nil && ctx.Err() == nil {
			return torn{fault.From(err, fault.HopRelay)}
		}
		select {
		case <-look.C:
		case <-beat.C:
			if err := f.write([]byte(": beat\n\n")); err != nil {
				return err
			}
		case <-f.api.stopping:
			return nil
		case <-ctx.Done():
			return f.end(ctx)
		}
	}
}

// catchUp tells what came since. All events are read, and the filter is held against them here: so that `after` moves on,
// and no look reads twice.
func (f *follower) catchUp(ctx context.Context) error {
	for {
		events, err := f.api.store.Events(ctx, f.row.OrganisationID, f.row.ID, store.EventFilter{}, store.Page{After: f.after, Limit: eventsAtOnce})
		if err != nil {
			return err
		}
		if len(events) == 0 {
			return nil
		}
		f.after = events[len(events)-1].ID
		var wanted []store.Event
		for _, e := range events {
			if f.filter.Takes(e) {
				wanted = append(wanted, e)
			}
		}
		if err := f.tell(wanted); err != nil {
			return err
		}
	}
}

// tell writes events.
func (f *follower) tell(events []store.Event) error {
	if len(events) == 0 {
		return nil
	}
	var out bytes.Buffer
	for _, e := range events {
		data, err := json.Marshal(showEvent(e)) // on one line
		if err != nil {
			return fmt.Errorf("encode event: %w", err)
		}
		fmt.Fprintf(&out, "id: %s\nevent: %s\ndata: %s\n\n", e.ID, e.Kind, data)
	}
	return f.write(out.Bytes())
}

func (f *follower) write(data []byte) error {
	if err := f.sink.write(data); err != nil {
		return unread(err)
	}
	f.sink.flush()
	return nil
}

// unread is a caller that is gone, or does not read.
func unread(err error) error {
	return fault.New(fault.Cancelled, "The caller stopped reading the events.").Because(err)
}

// end says why the stream is over, where that is not the caller's own doing.
func (f *follower) end(ctx context.Context) error {
	failure := endOf(ctx)
	if errors.Is(context.Cause(ctx), context.Canceled) {
		return unread(ctx.Err())
	}
	failure.RequestID, failure.ConnectionID = requestIDOf(ctx), f.row.ID
	data, err := json.Marshal(failure)
	if err != nil {
		return torn{failure}
	}
	if err := f.sink.end(fmt.Appendf(nil, "event: end\ndata: %s\n\n", data)); err != nil {
		return unread(err)
	}
	return told{failure}
}

// Retire ends the streams that have no end of their own: it is the first thing that a relay does when it stops.
func (a *API) Retire() { close(a.stopping) }
