package sqlite

import (
	"context"
	"math"

	"gantry/relay/records"
	"gantry/relay/store/database"
)

// within are the live records of the sync ?1 that its run should see: those that changed after ?2. unseen are those that it
// has not seen.
const (
	within = ` FROM records r WHERE r.sync = ?1 AND r.modified > ?2 AND r.deleted_at IS NULL`
	unseen = within + " AND NOT EXISTS (SELECT 1 FROM seen s WHERE s.sync = ?1 AND s.record = r.number)"
)

// comparing finds the sync of a run that is under way and compares, and where its window begins.
func (s *Store) comparing(ctx context.Context, key records.Key, run string) (number, from int64, err error) {
	found, err := find(ctx, s.file.Reader(), key)
	switch {
	case err != nil:
		return 0, 0, err
	case found.Run == nil || found.Run.ID != run || !found.Run.Compares:
		return 0, 0, records.ErrOver
	case found.Run.From.IsZero():
		return found.number, math.MinInt64, nil
	}
	return found.number, found.Run.From.UnixMicro(), nil
}

// Unseen implements records.Runs.
func (s *Store) Unseen(ctx context.Context, key records.Key, run, after string, limit int) ([]string, error) {
	number, from, err := s.comparing(ctx, key, run)
	if err != nil {
		return nil, err
	}
	return database.List(ctx, s.file.Reader(), scanText, "SELECT r.id"+unseen+" AND r.id > ?3 ORDER BY r.id LIMIT ?4", number, from, after, limit)
}

// CountUnseen implements records.Runs.
func (s *Store) CountUnseen(ctx context.Context, key records.Key, run string) (missed, live int, err error) {
	number, from, err := s.comparing(ctx, key, run)
	if err != nil {
		return 0, 0, err
	}
	if missed, err = database.One(ctx, s.file.Reader(), scanCount, "SELECT count(*)"+unseen, number, from); err != nil {
		return 0, 0, err
	}
	live, err = database.One(ctx, s.file.Reader(), scanCount, "SELECT count(*)"+within, number, from)
	return missed, live, err
}

func scanText(r database.Row) (text string, err error) { return text, r.Scan(&text) }
func scanCount(r database.Row) (n int, err error)      { return n, r.Scan(&n) }
