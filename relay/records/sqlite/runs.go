package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"gantry/relay/records"
	"gantry/relay/store"
)

// BeginRun implements records.Runs.
func (s *Store) BeginRun(ctx context.Context, key records.Key, run records.Run, capabilities, event []byte) (records.Sync, error) {
	now := s.clock()
	return s.change(ctx, key, func(ctx context.Context, tx *sql.Tx, found *sync) error {
		if found.Run != nil {
			return records.ErrRunning
		}
		run.StartedAt = run.StartedAt.UTC().Truncate(time.Microsecond)
		found.Run, found.Asked, found.Capabilities = &run, records.Asked{}, capabilities
		return found.beginOver(ctx, tx, event, now)
	})
}

// beginOver forgets what the last run has seen, and tells an event.
func (s *sync) beginOver(ctx context.Context, tx *sql.Tx, event []byte, now time.Time) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM seen WHERE sync = ?", s.number); err != nil {
		return err
	}
	return s.tell(ctx, tx, event, now)
}

// tell puts an event into the outbox.
func (s *sync) tell(ctx context.Context, tx *sql.Tx, event []byte, now time.Time) error {
	if event == nil {
		return nil
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO outbox (sync, message, kind, record, at, event) VALUES (?, '', ?, '', ?, ?)",
		s.number, string(records.Event), now.UnixMicro(), string(event))
	return err
}

// during is change for a step of the run that is under way.
func (s *Store) during(ctx context.Context, key records.Key, run string, do func(ctx context.Context, tx *sql.Tx, s *sync) error) (records.Sync, error) {
	found, err := s.change(ctx, key, func(ctx context.Context, tx *sql.Tx, found *sync) error {
		if found.Run == nil || found.Run.ID != run {
			return records.ErrOver
		}
		return do(ctx, tx, found)
	})
	if errors.Is(err, store.ErrNotFound) {
		err = records.ErrOver // it was erased
	}
	return found, err
}

// EndRun implements records.Runs.
func (s *Store) EndRun(ctx context.Context, key records.Key, ending records.Ending) (records.Sync, error) {
	now := s.clock()
	return s.during(ctx, key, ending.Run, func(ctx context.Context, tx *sql.Tx, found *sync) error {
		run := *found.Run
		run.FinishedAt, run.Cursor = now, ""
		found.Last, found.Run = &run, nil
		found.LastSuccessAt = run.StartedAt
		if run.Kind == records.Full {
			found.LastFullAt = run.StartedAt
		}
		found.Mark, found.Failures = ending.Mark, 0
		found.Problem, found.ProblemAt = nil, time.Time{}
		if ending.Problem != nil {
			found.Problem, found.ProblemAt = ending.Problem, now
		}
		found.next(ending.NextRunAt, now)
		return found.beginOver(ctx, tx, ending.Event, now)
	})
}

// next sets when the sync runs again: at once where somebody asked meanwhile, never where it is not enabled.
func (s *sync) next(at, now time.Time) {
	switch {
	case s.Asked.Kind != "":
		s.NextRunAt = now
	case s.Enabled:
		s.NextRunAt = at
	default:
		s.NextRunAt = time.Time{}
	}
}

// FailRun implements records.Runs.
func (s *Store) FailRun(ctx context.Context, key records.Key, run string, failure records.Failure) (records.Sync, error) {
	now := s.clock()
	note := func(ctx context.Context, tx *sql.Tx, found *sync) error {
		found.Failures++
		found.Problem, found.ProblemAt = failure.Problem, now
		found.NextRunAt = failure.RetryAt
		if failure.Abandon {
			found.Run = nil
		}
		return found.tell(ctx, tx, failure.Event, now)
	}
	if run == "" {
		return s.change(ctx, key, note)
	}
	return s.during(ctx, key, run, note)
}
