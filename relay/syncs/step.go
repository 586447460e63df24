package syncs

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"gantry/connectors/wire"
	"gantry/relay/records"
	"gantry/relay/store"
	"gantry/tunnel/fault"
)

// fullEvery is how often a full run looks for what changed without a word, and for what is gone.
const fullEvery = 24 * time.Hour

// pageSize is how many records one page has, at most.
const pageSize = 500

// step is one step's work on a sync.
type step struct {
	*Runner
	connection store.Connection
	sync       records.Sync
	until      time.Time // when others have their turn
	size       int       // of a page
}

// run moves the sync on until its run ends or its time is over.
func (s *step) run(ctx context.Context) error {
	if s.sync.Run == nil {
		if err := s.begin(ctx); err != nil {
			return err
		}
	}
	for !s.over() {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		var err error
		switch s.sync.Run.Stage {
		case records.Reading:
			err = s.read(ctx)
		case records.Deciding:
			err = s.decide(ctx)
		case records.Confirming:
			err = s.confirm(ctx)
		}
		if err != nil || s.sync.Run == nil {
			return err
		}
	}
	return nil // the run stays due
}

func (s *step) over() bool {
	select {
	case <-s.Stopping:
		return true
	default:
		return time.Now().After(s.until)
	}
}

// begin starts a run: a full one for the first, where somebody asked for it, where the source cannot tell what changed, and
// when the last is a day old.
func (s *step) begin(ctx context.Context) error {
	can, err := s.capabilities(ctx)
	if err != nil {
		return err
	}
	snapshot, err := json.Marshal(can)
	if err != nil {
		return fmt.Errorf("encode capabilities: %w", err)
	}
	now := time.Now()
	tells := slices.Contains(can.Filters, "modified_after")
	run := records.Run{
		ID: store.NewID("run", now), StartedAt: now, Kind: records.Full, Stage: records.Reading,
		Manual: s.sync.Asked.Kind != "", Accepts: s.sync.Asked.Accepts, Compares: s.sync.Live > 0,
	}
	due := s.sync.LastFullAt.IsZero() || now.Sub(s.sync.LastFullAt) >= fullEvery
	switch {
	case tells && !due && s.sync.Asked.Kind != records.Full && !s.sync.Mark.At.IsZero():
		run.Kind, run.From, run.Compares = records.Incremental, from(s.sync.Mark), false
	case tells:
		run.From = s.sync.Since
	}
	s.sync, err = s.Store.BeginRun(ctx, s.sync.Key, run, snapshot, s.event(store.NewEvent{
		Level: store.LevelInfo, Kind: store.SyncStarted, Operation: "list", Message: fmt.Sprintf("A sync of %s began (%s).", s.sync.Entity, run.Kind),
		Data: encode(eventData{Run: run.ID, Kind: run.Kind, Manual: run.Manual}),
	}))
	s.Changed()
	return err
}

// capabilities asks what the connection may do with the entity now.
func (s *step) capabilities(ctx context.Context) (wire.EntityCapabilities, error) {
	all, err := s.Source.Capabilities(ctx, s.connection)
	if err != nil {
		return wire.EntityCapabilities{}, err
	}
	can, known := all.Entities[s.sync.Entity]
	if list := can.Operations["list"]; !known || !list.Allowed && list.DeniedBy == wire.ByDefinition {
		return can, fault.New(fault.OperationNotSupported, "This system cannot list %s, so that they cannot be synced.", s.sync.Entity)
	}
	return can, nil // any other no is the agent's to say, when it is asked: with its advice, and an id that its log has
}

// read takes one page. Where the plant's row cap is smaller than a page, the page becomes smaller.
func (s *step) read(ctx context.Context) error {
	run := s.sync.Run
	if s.size == 0 {
		s.size = pageSize
	}
	query := url.Values{"limit": {strconv.Itoa(s.size)}}
	if !run.From.IsZero() {
		query.Set("modified_after", run.From.UTC().Format(time.RFC3339Nano))
	}
	if run.Cursor != "" {
		query.Set("cursor", run.Cursor)
	}
	page, err := s.Source.List(ctx, s.connection, s.sync.Entity, query)
	if fault.Is(err, fault.RowLimit) && s.size > 1 {
		s.size /= 2
		return nil
	}
	if err != nil {
		return err
	}
	stage := records.Reading
	if page.Next == "" {
		stage = records.Deciding
	}
	return s.keep(ctx, records.Page{Stage: stage, Cursor: page.Next, Newest: newest(page.Records, run.StartedAt), Records: page.Records})
}

// keep gives a page to the store.
func (s *step) keep(ctx context.Context, page records.Page) error {
	page.Run = s.sync.Run.ID
	before := s.sync.Run.Counts
	run, err := s.Store.Keep(ctx, s.sync.Key, page)
	if err != nil {
		return err
	}
	s.sync.Run, s.sync.Failures = &run, 0
	if changed := run.Counts; changed.Created+changed.Updated+changed.Deleted > before.Created+before.Updated+before.Deleted {
		s.Changed()
	}
	return nil
}

// end ends the run well; problem is what has to be told nevertheless.
func (s *step) end(ctx context.Context, problem *fault.Error) error {
	now, run := time.Now(), *s.sync.Run
	ending := records.Ending{
		Run: run.ID, Mark: advance(s.sync.Mark, run, now), NextRunAt: run.StartedAt.Add(s.sync.Every), Event: s.event(s.ended(run, problem)),
	}
	if ending.NextRunAt.Before(now) {
		ending.NextRunAt = now // it took longer than its interval
	}
	if problem != nil {
		ending.Problem = encode(problem)
	}
	var err error
	s.sync, err = s.Store.EndRun(ctx, s.sync.Key, ending)
	s.Changed()
	return err
}

// eventData is the Data of a sync's events.
type eventData struct {
	Run       string          `json:"run,omitempty"`
	Kind      records.Kind    `json:"kind,omitempty"`
	Manual    bool            `json:"manual"`
	StartedAt time.Time       `json:"started_at,omitzero"`
	Counts    *records.Counts `json:"counts,omitempty"`
	Problem   *fault.Error    `json:"problem,omitempty"`
}

func (s *step) ended(run records.Run, problem *fault.Error) store.NewEvent {
	about := eventData{Run: run.ID, Kind: run.Kind, Manual: run.Manual, StartedAt: run.StartedAt, Counts: &run.Counts, Problem: problem}
	if problem != nil {
		return store.NewEvent{
			Level: store.LevelWarning, Kind: store.SyncFailed, Operation: "list", Code: string(problem.Code),
			Message: "The sync of " + s.sync.Entity + ": " + problem.Detail, Data: encode(about),
		}
	}
	return store.NewEvent{
		Level: store.LevelInfo, Kind: store.SyncCompleted, Operation: "list",
		Message: fmt.Sprintf("A sync of %s ended (%s): %d created, %d updated, %d deleted, %d unchanged.", s.sync.Entity, run.Kind,
			run.Created, run.Updated, run.Deleted, run.Unchanged),
		Data: encode(about),
	}
}

// event completes an event, as the outbox carries it.
func (s *step) event(e store.NewEvent) json.RawMessage {
	e.OrganisationID, e.SiteID, e.AgentID, e.ConnectionID = s.connection.OrganisationID, s.connection.SiteID, s.connection.AgentID, s.connection.ID
	e.Entity, e.At = s.sync.Entity, time.Now()
	if len(e.Data) > store.MaxEventData { // a problem with much to say: the sync's status has it
		e.Data = nil
	}
	return encode(e)
}

// encode writes a document of ours.
func encode(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil { // every member is a plain value: this cannot happen
		return json.RawMessage("null")
	}
	return text
}
