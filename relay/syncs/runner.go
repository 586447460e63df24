package syncs

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"gantry/relay/records"
	"gantry/relay/store"
	"gantry/tunnel/fault"
)

// Hold gives a connection as it is now, and a context that also ends, with a *fault.Error as its cause, when the connection
// is paused, linked anew or disconnected; (*auth.Authenticator).Hold is one.
type Hold func(ctx context.Context, organisation, id string) (held context.Context, connection store.Connection, release func(), err error)

// Options are what a runner works with.
type Options struct {
	Store    records.Store
	Source   Source
	Hold     Hold
	Changed  func()          // there is something in the outbox
	Stopping <-chan struct{} // closed when steps should end; nil: never
	Logger   *slog.Logger
}

// Runner moves syncs on. It is safe for concurrent use.
type Runner struct {
	Options
	places places
}

// New makes a runner. It starts nothing.
func New(o Options) *Runner {
	if o.Changed == nil {
		o.Changed = func() {}
	}
	return &Runner{Options: o, places: places{held: map[string]int{}}}
}

// slice is how long one step works on a sync, before others that wait have their turn.
const slice = 15 * time.Second

// Times at which a sync is looked at again that cannot run now.
const (
	pausedWait = 30 * time.Second
	busyWait   = 2 * time.Second
)

// Step moves one sync on, if it is due, for some seconds, and gives the time of its next step; zero: there is none. The caller
// sees to it that no two steps of one sync run at a time. The error is the store's: what fails at the plant stands in the
// sync.
func (r *Runner) Step(ctx context.Context, key records.Key) (next time.Time, err error) {
	s, err := r.Store.Sync(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return time.Time{}, nil
	}
	if err != nil || s.NextRunAt.IsZero() || s.NextRunAt.After(time.Now()) {
		return s.NextRunAt, err
	}
	held, connection, release, err := r.Hold(ctx, s.OrganisationID, key.Connection)
	defer release()
	if err != nil {
		return r.resting(ctx, key, err)
	}
	leave, ok := r.places.enter(connection.AgentID)
	if !ok {
		return time.Now().Add(busyWait), nil
	}
	defer leave()
	return r.work(ctx, &step{Runner: r, connection: connection, sync: s, until: time.Now().Add(slice)}, held)
}

// resting puts a sync off whose connection makes no calls.
func (r *Runner) resting(ctx context.Context, key records.Key, err error) (time.Time, error) {
	switch {
	case fault.Is(err, fault.ConnectionPaused):
		next := time.Now().Add(pausedWait)
		return next, r.Store.Postpone(ctx, key, next)
	case fault.Is(err, fault.ConnectionDisconnected), fault.Is(err, fault.NotFound):
		return time.Time{}, r.Store.Postpone(ctx, key, time.Time{})
	}
	return time.Time{}, err
}

// work runs the step and notes how it ended.
func (r *Runner) work(ctx context.Context, s *step, held context.Context) (time.Time, error) {
	err := s.run(held)
	switch {
	case err == nil:
		return s.sync.NextRunAt, nil
	case errors.Is(err, records.ErrOver): // erased meanwhile
		return time.Time{}, nil
	case ctx.Err() != nil: // the relay stops: the run goes on where it is
		return time.Time{}, ctx.Err()
	case held.Err() != nil: // paused, linked anew or disconnected: nobody's failure
		return time.Now().Add(busyWait), nil
	}
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return time.Time{}, err
	}
	return s.fail(ctx, f)
}

// fail notes a try that failed. A cursor that the source does not take any more, as after a change of its definition, ends
// the run: the next one begins anew.
func (s *step) fail(ctx context.Context, f *fault.Error) (time.Time, error) {
	f = f.Clone()
	if f.Operation == "" {
		f.Operation = "list"
	}
	f.Entity, f.ConnectionID = s.sync.Entity, s.connection.ID
	run := ""
	if s.sync.Run != nil {
		run = s.sync.Run.ID
	}
	failures := s.sync.Failures + 1
	failure := records.Failure{
		Problem: encode(f), RetryAt: time.Now().Add(wait(failures, f)),
		Abandon: run != "" && f.Code == fault.InvalidRequest && s.sync.Run.Cursor != "",
	}
	s.Logger.WarnContext(ctx, "sync failed", "connection_id", s.connection.ID, "entity", s.sync.Entity, "run", run, "failures", failures,
		"code", f.Code, "hop", f.Hop, "request_id", f.RequestID, "retry_at", failure.RetryAt, "error", f)
	if failures == 1 || codeOf(s.sync.Problem) != f.Code { // once, and not with each try
		failure.Event = s.event(store.NewEvent{
			Level: store.LevelError, Kind: store.SyncFailed, Operation: f.Operation, Code: string(f.Code), RequestID: f.RequestID,
			Message: "The sync of " + s.sync.Entity + " fails: " + f.Detail + " It is tried again by itself.",
			Data:    encode(eventData{Run: run, Problem: f}),
		})
	}
	failed, err := s.Store.FailRun(ctx, s.sync.Key, run, failure)
	if err != nil {
		if errors.Is(err, records.ErrOver) {
			return time.Time{}, nil
		}
		return time.Time{}, err
	}
	s.Changed()
	return failed.NextRunAt, nil
}

func codeOf(problem json.RawMessage) fault.Code {
	var p struct {
		Code fault.Code `json:"code"`
	}
	if json.Unmarshal(problem, &p) != nil {
		return "" // there is none
	}
	return p.Code
}
