package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"gantry/relay/store"
	"gantry/relay/store/database"
)

// eraseRows is how many rows one transaction removes, so that no page of another sync waits long.
const eraseRows = 5_000

// Erase implements records.Store.
func (s *Store) Erase(ctx context.Context, connection string) error {
	gone, err := database.Update(ctx, s.file, func(ctx context.Context, tx *sql.Tx) ([]int64, error) {
		numbers, err := database.List(ctx, tx, scanNumber, "DELETE FROM syncs WHERE connection = ? RETURNING number", connection)
		if err != nil {
			return nil, err
		}
		for _, number := range numbers {
			if _, err := tx.ExecContext(ctx, "INSERT INTO erased (sync) VALUES (?)", number); err != nil {
				return nil, err
			}
		}
		return numbers, nil
	})
	if err != nil || len(gone) == 0 {
		return err
	}
	return s.Sweep(ctx)
}

func scanNumber(r database.Row) (n int64, err error) { return n, r.Scan(&n) }

// Sweep implements records.Store.
func (s *Store) Sweep(ctx context.Context) error {
	left, err := database.List(ctx, s.file.Reader(), scanNumber, "SELECT sync FROM erased ORDER BY sync LIMIT ?", store.MaxPage)
	if err != nil {
		return err
	}
	for _, number := range left {
		if err := s.sweep(ctx, number); err != nil {
			return fmt.Errorf("erase records: %w", err)
		}
	}
	if len(left) == 0 {
		return nil
	}
	return s.file.Shrink(ctx)
}

// sweep removes the rows of one sync that was erased.
func (s *Store) sweep(ctx context.Context, number int64) error {
	for _, statement := range []string{
		"DELETE FROM outbox WHERE number IN (SELECT number FROM outbox WHERE sync = ?1 LIMIT ?2)",
		"DELETE FROM seen WHERE sync = ?1 AND record IN (SELECT record FROM seen WHERE sync = ?1 LIMIT ?2)",
		"DELETE FROM records WHERE number IN (SELECT number FROM records WHERE sync = ?1 LIMIT ?2)",
	} {
		for {
			removed, err := s.remove(ctx, statement, number, eraseRows)
			if err != nil {
				return err
			}
			if removed < eraseRows {
				break
			}
		}
	}
	_, err := s.remove(ctx, "DELETE FROM erased WHERE sync = ?", number)
	return err
}

func (s *Store) remove(ctx context.Context, statement string, args ...any) (int64, error) {
	return database.Update(ctx, s.file, func(ctx context.Context, tx *sql.Tx) (int64, error) {
		result, err := tx.ExecContext(ctx, statement, args...)
		if err != nil {
			return 0, err
		}
		return result.RowsAffected()
	})
}
