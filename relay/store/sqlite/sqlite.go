// Package sqlite is the store of a relay on one machine: one SQLite file in the data folder, no server.
//
// One connection writes; the file is in WAL mode with synchronous=FULL, so that what was answered survives a power cut,
// and small writes that come together share one commit (writer.go), since a commit's price is its fsync. A pool of
// query-only connections reads, and never waits for the writer. The folder is locked for one process: SQLite itself would
// let two relays in. When the disk is full, writes are refused with store.ErrReadOnly, and reading goes on.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"gantry/relay/store"
)

// File is the database's name in the data folder.
const File = "relay.db"

// readers is how many reads run at a time.
const readers = 6

// Store is an open store.Store. It is safe for concurrent use.
type Store struct {
	lock  *os.File
	now   func() time.Time
	read  *sql.DB
	write *writer

	lastEvent string // the id of the newest event since the start; the writer's alone
}

var _ store.Store = (*Store)(nil)

// Open opens the store in dir, which it makes if there is none, and brings its schema up to date. now is the clock;
// nil: time.Now. It fails with ErrInUse, ErrNewer, ErrForeign, ErrCorrupt or ErrOldSQLite.
func Open(ctx context.Context, dir string, now func() time.Time) (*Store, error) {
	if now == nil {
		now = time.Now
	}
	lock, err := lockFolder(dir)
	if err != nil {
		return nil, fmt.Errorf("open store in %s: %w", dir, err)
	}
	s := &Store{lock: lock, now: now}
	if err := s.open(ctx, filepath.Join(dir, File)); err != nil {
		return nil, errors.Join(fmt.Errorf("open store in %s: %w", dir, err), s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, path string) error {
	if err := createPrivate(path); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", dsn(path, url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "secure_delete(1)", "trusted_schema(0)",
	}}))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	s.write = newWriter(db)
	if err := prepare(ctx, db); err != nil {
		return classify(err)
	}
	s.read, err = sql.Open("sqlite", dsn(path, url.Values{"_pragma": {"busy_timeout(5000)", "query_only(1)", "trusted_schema(0)"}}))
	if err != nil {
		return err
	}
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	return nil
}

// Ping implements store.Store.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return classify(s.read.QueryRowContext(ctx, "SELECT 1 FROM secrets UNION ALL SELECT 1 LIMIT 1").Scan(&one))
}

// Close implements store.Store.
func (s *Store) Close() error {
	var errs []error
	if s.read != nil {
		errs = append(errs, s.read.Close())
	}
	if s.write != nil {
		errs = append(errs, s.write.close())
	}
	return errors.Join(append(errs, s.lock.Close())...)
}

// dsn writes a file's address with its settings. The driver decodes the path itself.
func dsn(path string, settings url.Values) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: settings.Encode()}
	return u.String()
}

// createPrivate makes the file before SQLite does, which would let the umask decide who may read it. The log beside it
// inherits the mode.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}
