package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// maxSupportRuns is how many runs are kept.
const maxSupportRuns = 1000

// SupportRun is one thing that support did from afar, or was refused.
type SupportRun struct {
	At         time.Time
	Actor      string // as the relay names it
	Action     string // diagnose, bundle or logs
	Connection string // empty: the agent as a whole
	RequestID  string
	Result     string // OK, or a code of docs/errors.md
	Took       time.Duration
}

// SupportUntil reads until when somebody at the plant lets support in; the zero time: not.
func (d *DB) SupportUntil(ctx context.Context) (time.Time, error) {
	var until int64
	err := d.sql.QueryRowContext(ctx, "SELECT until FROM support").Scan(&until)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("read support's time: %w", err)
	}
	return time.UnixMilli(until).UTC(), nil
}

// SetSupportUntil stores it.
func (d *DB) SetSupportUntil(ctx context.Context, until time.Time) error {
	return d.write(ctx, "store support's time", func(tx *sql.Tx) error {
		if until.IsZero() {
			_, err := tx.ExecContext(ctx, "DELETE FROM support")
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO support (one, until) VALUES (1, ?)", until.UnixMilli())
		return err
	})
}

// AddSupportRun keeps a run, and forgets those that are too many.
func (d *DB) AddSupportRun(ctx context.Context, r SupportRun) error {
	return d.write(ctx, "store run of support", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO support_runs (at, actor, action, connection, request_id, result, ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
			r.At.UnixMilli(), r.Actor, r.Action, r.Connection, r.RequestID, r.Result, r.Took.Milliseconds())
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM support_runs WHERE number <= (SELECT max(number) FROM support_runs) - ?", maxSupportRuns)
		return err
	})
}

// SupportRuns reads the last runs, the latest first.
func (d *DB) SupportRuns(ctx context.Context, limit int) ([]SupportRun, error) {
	rows, err := d.sql.QueryContext(ctx, "SELECT at, actor, action, connection, request_id, result, ms FROM support_runs ORDER BY number DESC LIMIT ?", limit)
	if err != nil {
		return nil, fmt.Errorf("read runs of support: %w", err)
	}
	defer rows.Close()
	var all []SupportRun
	for rows.Next() {
		var r SupportRun
		var at, ms int64
		if err := rows.Scan(&at, &r.Actor, &r.Action, &r.Connection, &r.RequestID, &r.Result, &ms); err != nil {
			return nil, fmt.Errorf("read runs of support: %w", err)
		}
		r.At, r.Took = time.UnixMilli(at).UTC(), time.Duration(ms)*time.Millisecond
		all = append(all, r)
	}
	return all, rows.Err()
}
