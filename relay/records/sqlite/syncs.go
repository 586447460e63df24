package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gantry/relay/records"
	"gantry/relay/store"
	"gantry/relay/store/database"
)

// sync is a row of syncs.
type sync struct {
	records.Sync
	number int64
	epoch  []byte
}

const selectSyncs = `SELECT number, epoch, organisation, connection, entity, every, since, enabled, capabilities, asked, asked_accepts, mark,
	mark_reached_at, mark_settled, last_success_at, last_full_at, next_run_at, failures, problem, problem_at, last, run, live, gone,
	created, updated, deleted FROM syncs`

func scanSync(r database.Row) (s sync, err error) {
	var every int64
	var capabilities, problem, last, run sql.NullString
	err = r.Scan(&s.number, &s.epoch, &s.OrganisationID, &s.Connection, &s.Entity, &every, moment{&s.Since}, &s.Enabled, &capabilities,
		&s.Asked.Kind, &s.Asked.Accepts, moment{&s.Mark.At}, moment{&s.Mark.ReachedAt}, &s.Mark.Settled, moment{&s.LastSuccessAt},
		moment{&s.LastFullAt}, moment{&s.NextRunAt}, &s.Failures, &problem, moment{&s.ProblemAt}, &last, &run, &s.Live, &s.Gone,
		&s.Total.Created, &s.Total.Updated, &s.Total.Deleted)
	s.Every = time.Duration(every) * time.Microsecond
	s.Capabilities, s.Problem = raw(capabilities), raw(problem)
	return s, errors.Join(err, decodeRun(last, &s.Last), decodeRun(run, &s.Run))
}

func raw(text sql.NullString) json.RawMessage {
	if !text.Valid {
		return nil
	}
	return json.RawMessage(text.String)
}

func decodeRun(text sql.NullString, into **records.Run) error {
	if !text.Valid {
		return nil
	}
	*into = new(records.Run)
	return json.Unmarshal([]byte(text.String), *into)
}

func encodeRun(run *records.Run) (any, error) {
	if run == nil {
		return nil, nil
	}
	text, err := json.Marshal(run)
	return string(text), err
}

func find(ctx context.Context, q database.Queryer, key records.Key) (sync, error) {
	return database.One(ctx, q, scanSync, selectSyncs+" WHERE connection = ? AND entity = ?", key.Connection, key.Entity)
}

// change reads a sync, lets it be changed, and writes it back, in one transaction.
func (s *Store) change(ctx context.Context, key records.Key, do func(ctx context.Context, tx *sql.Tx, s *sync) error) (records.Sync, error) {
	return database.Update(ctx, s.file, func(ctx context.Context, tx *sql.Tx) (records.Sync, error) {
		found, err := find(ctx, tx, key)
		if err != nil {
			return records.Sync{}, err
		}
		if err := do(ctx, tx, &found); err != nil {
			return records.Sync{}, err
		}
		return found.Sync, found.write(ctx, tx)
	})
}

func (s *sync) write(ctx context.Context, tx *sql.Tx) error {
	last, errLast := encodeRun(s.Last)
	run, errRun := encodeRun(s.Run)
	if err := errors.Join(errLast, errRun); err != nil {
		return fmt.Errorf("encode run: %w", err)
	}
	return database.Exec(ctx, tx, `UPDATE syncs SET every = ?, since = ?, enabled = ?, capabilities = ?, asked = ?, asked_accepts = ?, mark = ?,
		mark_reached_at = ?, mark_settled = ?, last_success_at = ?, last_full_at = ?, next_run_at = ?, failures = ?, problem = ?, problem_at = ?,
		last = ?, run = ?, live = ?, gone = ?, created = ?, updated = ?, deleted = ? WHERE number = ?`,
		s.Every.Microseconds(), micros(s.Since), s.Enabled, database.Document(s.Capabilities), string(s.Asked.Kind), s.Asked.Accepts, micros(s.Mark.At),
		micros(s.Mark.ReachedAt), s.Mark.Settled, micros(s.LastSuccessAt), micros(s.LastFullAt), micros(s.NextRunAt), s.Failures,
		database.Document(s.Problem), micros(s.ProblemAt), last, run, s.Live, s.Gone, s.Total.Created, s.Total.Updated, s.Total.Deleted, s.number)
}

// ensure makes a sync where there is none, with no schedule.
func ensure(ctx context.Context, tx *sql.Tx, organisation string, key records.Key) error {
	epoch := make([]byte, 16)
	_, _ = rand.Read(epoch) // never fails (crypto/rand)
	_, err := tx.ExecContext(ctx, `INSERT INTO syncs (organisation, connection, entity, epoch, every, enabled) VALUES (?, ?, ?, ?, 0, 0)
		ON CONFLICT (connection, entity) DO NOTHING`, organisation, key.Connection, key.Entity, epoch)
	return err
}

// PutSync implements records.Syncs.
func (s *Store) PutSync(ctx context.Context, organisation string, key records.Key, schedule records.Schedule) (records.Sync, error) {
	now := s.clock()
	return s.make(ctx, organisation, key, func(found *sync) {
		hastens := !found.Enabled || schedule.Every < found.Every
		if schedule.Enabled && !found.LastFullAt.IsZero() && !schedule.Since.Equal(found.Since) {
			found.Asked.Kind, hastens = records.Full, true
		}
		found.Schedule = schedule
		switch {
		case schedule.Enabled && hastens:
			found.NextRunAt = now
		case !schedule.Enabled && found.Asked.Kind == "":
			found.NextRunAt = time.Time{}
		}
	})
}

// AskRun implements records.Syncs.
func (s *Store) AskRun(ctx context.Context, organisation string, key records.Key, asked records.Asked) (records.Sync, error) {
	now := s.clock()
	return s.make(ctx, organisation, key, func(found *sync) { found.Asked, found.NextRunAt = asked, now })
}

func (s *Store) make(ctx context.Context, organisation string, key records.Key, change func(*sync)) (records.Sync, error) {
	return database.Update(ctx, s.file, func(ctx context.Context, tx *sql.Tx) (records.Sync, error) {
		if err := ensure(ctx, tx, organisation, key); err != nil {
			return records.Sync{}, err
		}
		found, err := find(ctx, tx, key)
		if err != nil {
			return records.Sync{}, err
		}
		change(&found)
		return found.Sync, found.write(ctx, tx)
	})
}

// Sync implements records.Syncs.
func (s *Store) Sync(ctx context.Context, key records.Key) (records.Sync, error) {
	found, err := find(ctx, s.file.Reader(), key)
	return found.Sync, err
}

// Syncs implements records.Syncs.
func (s *Store) Syncs(ctx context.Context, connection string) ([]records.Sync, error) {
	return bare(database.List(ctx, s.file.Reader(), scanSync, selectSyncs+" WHERE connection = ? ORDER BY entity", connection))
}

// Due implements records.Syncs.
func (s *Store) Due(ctx context.Context, now time.Time, limit int) ([]records.Sync, error) {
	return bare(database.List(ctx, s.file.Reader(), scanSync, selectSyncs+" WHERE next_run_at <= ? ORDER BY next_run_at, number LIMIT ?",
		now.UnixMicro(), min(limit, store.MaxPage)))
}

// Postpone implements records.Syncs.
func (s *Store) Postpone(ctx context.Context, key records.Key, until time.Time) error {
	return s.file.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE syncs SET next_run_at = ? WHERE connection = ? AND entity = ?", micros(until), key.Connection, key.Entity)
		return err
	})
}

func bare(rows []sync, err error) ([]records.Sync, error) {
	var all []records.Sync
	for _, row := range rows {
		all = append(all, row.Sync)
	}
	return all, err
}
