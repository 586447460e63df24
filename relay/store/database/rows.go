package database

import (
	"context"
	"database/sql"

	"gantry/relay/store"
)

// Row is what *sql.Row and *sql.Rows have in common.
type Row interface{ Scan(...any) error }

// Queryer is what *sql.DB and *sql.Tx have in common.
type Queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// One reads a single row; store.ErrNotFound where there is none.
func One[T any](ctx context.Context, q Queryer, scan func(Row) (T, error), query string, args ...any) (T, error) {
	found, err := scan(q.QueryRowContext(ctx, query, args...))
	return found, Classify(err)
}

// List reads every row of a query; queries of lists are bounded by their LIMIT or by what they list.
func List[T any](ctx context.Context, q Queryer, scan func(Row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, Classify(err)
	}
	defer rows.Close() //nolint:errcheck // Err tells
	var all []T
	for rows.Next() {
		found, err := scan(rows)
		if err != nil {
			return nil, Classify(err)
		}
		all = append(all, found)
	}
	return all, Classify(rows.Err())
}

// Exec runs a statement that must change exactly one row; store.ErrNotFound where it changes none.
func Exec(ctx context.Context, tx *sql.Tx, query string, args ...any) error {
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

// Update runs a write that gives a value.
func Update[T any](ctx context.Context, f *File, write func(context.Context, *sql.Tx) (T, error)) (T, error) {
	var result T
	err := f.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
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

// Document writes JSON; none is NULL.
func Document(d []byte) any {
	if d == nil {
		return nil
	}
	return string(d)
}
