package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"gantry/relay/store"
	"gantry/relay/store/database"
)

// row and queryer are package database's, under the short names of this package; so are the functions below.
type (
	row     = database.Row
	queryer = database.Queryer
)

// writer is the file as writes see it.
type writer struct{ file *database.File }

func (w writer) do(ctx context.Context, write func(context.Context, *sql.Tx) error) error {
	return w.file.Write(ctx, write)
}

func one[T any](ctx context.Context, q queryer, scan func(row) (T, error), query string, args ...any) (T, error) {
	return database.One(ctx, q, scan, query, args...)
}

func list[T any](ctx context.Context, q queryer, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	return database.List(ctx, q, scan, query, args...)
}

func exec(ctx context.Context, tx *sql.Tx, query string, args ...any) error {
	return database.Exec(ctx, tx, query, args...)
}

func update[T any](ctx context.Context, w writer, write func(context.Context, *sql.Tx) (T, error)) (T, error) {
	return database.Update(ctx, w.file, write)
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
