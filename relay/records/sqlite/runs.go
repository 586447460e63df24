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
func (s *Store) BeginRun(ctx context.Context, key records.Key, run records.Run, capabilities []byte) (records.Sync, error) {
	return s.change(ctx, key, func(ctx context.Context, tx *sql.Tx, found *sync) error {
		if found.Run != nil {
			return records.ErrRunning
		}
		run.StartedAt = run.StartedAt.UTC().Truncate(time.Microsecond)
		found.Run, found.Asked, found.Capabilities = &run, records.Asked{}, capabilities
		_, err := tx.ExecContext(ctx, "DELETE FROM seen WHERE sync = ?", found.number)
		return err
	})
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
		_, err := tx.ExecContext(ctx, "DELETE FROM seen WHERE sync = ?", found.number)
		return err
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
	note := func(_ context.Context, _ *sql.Tx, found *sync) error {
		found.Failures++
		found.Problem, found.ProblemAt = failure.Problem, now
		found.NextRunAt = failure.RetryAt
		if failure.Abandon {
			found.Run = nil
		}
		return nil
	}
	if run == "" {
		return s.change(ctx, key, note)
	}
	return s.during(ctx, key, run, note)
}
