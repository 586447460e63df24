package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"gantry/relay/store"
)

// row is what *sql.Row and *sql.Rows have in common.
type row interface{ Scan(...any) error }

// queryer is what *sql.DB and *sql.Tx have in common.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// one reads a single row; store.ErrNotFound where there is none.
func one[T any](ctx context.Context, q queryer, scan func(row) (T, error), query string, args ...any) (T, error) {
	found, err := scan(q.QueryRowContext(ctx, query, args...))
	return found, classify(err)
}

// list reads every row of a query; queries of lists are bounded by their LIMIT or by what they list.
func list[T any](ctx context.Context, q queryer, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, classify(err)
	}
	defer rows.Close() //nolint:errcheck // Err tells
	var all []T
	for rows.Next() {
		found, err := scan(rows)
		if err != nil {
			return nil, classify(err)
		}
		all = append(all, found)
	}
	return all, classify(rows.Err())
}

// exec runs a statement that must change exactly one row; store.ErrNotFound where it changes none.
func exec(ctx context.Context, tx *sql.Tx, query string, args ...any) error {
	result, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	changed, err := result.RowsAffected()
	if err == nil && changed == 0 {
		return store.ErrNotFound
	}
	return err
}

// update runs a write that gives a row.
func update[T any](ctx context.Context, w *writer, write func(context.Context, *sql.Tx) (T, error)) (T, error) {
	var result T
	err := w.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var err error
		result, err = write(ctx, tx)
		return err
	})
	if err != nil {
		var none T
		return none, err
	}
	return result, nil
}

// moment reads and writes a time as Unix milliseconds; the zero time is NULL.
type moment struct{ time *time.Time }

// Scan implements sql.Scanner.
func (m moment) Scan(value any) error {
	switch v := value.(type) {
	case nil:
		*m.time = time.Time{}
	case int64:
		*m.time = time.UnixMilli(v).UTC()
	default:
		return fmt.Errorf("a time is stored as %T", value)
	}
	return nil
}

// millis writes a time.
func millis(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

// document writes JSON; none is NULL.
func document(d []byte) any {
	if d == nil {
		return nil
	}
	return string(d)
}

// jsonText reads JSON that may be NULL.
type jsonText struct{ data *json.RawMessage }

// Scan implements sql.Scanner.
func (j jsonText) Scan(value any) error {
	switch v := value.(type) {
	case nil:
		*j.data = nil
	case string:
		*j.data = json.RawMessage(v)
	default:
		return fmt.Errorf("a document is stored as %T", value)
	}
	return nil
}

// hashBlob reads a hash.
type hashBlob struct{ hash *store.Hash }

// Scan implements sql.Scanner.
func (h hashBlob) Scan(value any) error {
	b, ok := value.([]byte)
	if !ok || len(b) != len(h.hash) {
		return fmt.Errorf("a hash is stored as %T of another length", value)
	}
	copy(h.hash[:], b)
	return nil
}

// clock gives the store's time with the precision that it keeps.
func (s *Store) clock() time.Time { return s.now().UTC().Truncate(time.Millisecond) }
