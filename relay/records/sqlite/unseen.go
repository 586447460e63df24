package sqlite

import (
	"context"

	"gantry/relay/records"
	"gantry/relay/store/database"
)

// unseen are the live records of the sync ?1 that its run has not seen.
const unseen = ` FROM records r WHERE r.sync = ?1 AND r.deleted_at IS NULL
	AND NOT EXISTS (SELECT 1 FROM seen s WHERE s.sync = ?1 AND s.record = r.number)`

// comparing finds the sync of a run that is under way and compares.
func (s *Store) comparing(ctx context.Context, key records.Key, run string) (int64, error) {
	found, err := find(ctx, s.file.Reader(), key)
	if err == nil && (found.Run == nil || found.Run.ID != run || !found.Run.Compares) {
		err = records.ErrOver
	}
	return found.number, err
}

// Unseen implements records.Runs.
func (s *Store) Unseen(ctx context.Context, key records.Key, run, after string, limit int) ([]string, error) {
	number, err := s.comparing(ctx, key, run)
	if err != nil {
		return nil, err
	}
	return database.List(ctx, s.file.Reader(), scanText, "SELECT r.id"+unseen+" AND r.id > ?2 ORDER BY r.id LIMIT ?3", number, after, limit)
}

// CountUnseen implements records.Runs.
func (s *Store) CountUnseen(ctx context.Context, key records.Key, run string) (int, error) {
	number, err := s.comparing(ctx, key, run)
	if err != nil {
		return 0, err
	}
	return database.One(ctx, s.file.Reader(), scanCount, "SELECT count(*)"+unseen, number)
}

func scanText(r database.Row) (text string, err error) { return text, r.Scan(&text) }
func scanCount(r database.Row) (n int, err error)      { return n, r.Scan(&n) }
