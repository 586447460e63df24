// Package sqlite keeps records in one SQLite file of the data folder, beside the main store's (package database).
//
// Its commits are synchronous=NORMAL: killing the relay loses nothing, and a power cut may take back the last pages of a run
// with all that belongs to them, its place included, so that they are read again. A change's message id follows from what
// changed, so that what was told before the power cut is told under the same id after it. The main store's lock on the folder
// holds for this file as well.
package sqlite

import (
	"context"
	"embed"
	"fmt"
	"path/filepath"
	"time"

	"gantry/relay/records"
	"gantry/relay/store/database"
)

// schema holds the migrations, 0001.sql first. One that was released is never changed.
//
//go:embed schema/*.sql
var schema embed.FS

// application marks our files in their header ("GNRC").
const application = 0x474e5243

// File is the database's name in the data folder.
const File = "records.db"

// readers is how many reads run at a time.
const readers = 4

// Store is an open records.Store. It is safe for concurrent use.
type Store struct {
	file *database.File
	now  func() time.Time
}

var _ records.Store = (*Store)(nil)

// Open opens the file in dir, whose lock the caller holds, and brings its schema up to date. now is the clock; nil: time.Now.
func Open(ctx context.Context, dir string, now func() time.Time) (*Store, error) {
	if now == nil {
		now = time.Now
	}
	file, err := database.Open(ctx, filepath.Join(dir, File), database.Settings{
		Schema: schema, Application: application, Synchronous: database.Normal, Readers: readers, Large: true,
	})
	if err != nil {
		return nil, fmt.Errorf("open records in %s: %w", dir, err)
	}
	return &Store{file: file, now: now}, nil
}

// Close implements records.Store.
func (s *Store) Close() error { return s.file.Close() }

// clock gives the store's time with the precision that it keeps.
func (s *Store) clock() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

// moment reads a time; NULL is the zero time.
type moment struct{ time *time.Time }

// Scan implements sql.Scanner.
func (m moment) Scan(value any) error {
	switch v := value.(type) {
	case nil:
		*m.time = time.Time{}
	case int64:
		*m.time = time.UnixMicro(v).UTC()
	default:
		return fmt.Errorf("a time is stored as %T", value)
	}
	return nil
}

// micros writes a time.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}
