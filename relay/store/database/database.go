// Package database is one SQLite file of the relay, well used: what the main store and the synced records have in common.
//
// One connection writes; the file is in WAL mode, and small writes that come together share one commit (writer.go), since a
// commit's price is its fsync. A pool of query-only connections reads, and never waits for the writer. The schema is
// brought up to date when the file is opened (migrate.go), and SQLite's codes get their meaning in one place (faults.go).
//
// The package knows no table. It takes no lock on the folder: whoever opens a file holds it already.
package database

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// Settings say what kind of file it is.
type Settings struct {
	Schema      fs.FS       // the migrations, as schema/0001.sql; one that was released is never changed
	Application int32       // marks our files in their header, so that a stray database is not taken for one
	Synchronous Synchronous // what a commit survives
	Readers     int         // how many reads run at a time
	Large       bool        // it may grow to gigabytes: it is not looked through at every start, and Shrink gives room back
}

// Synchronous says what a commit survives.
type Synchronous string

// The ways to commit. Both survive a process that is killed at any point.
const (
	Full   Synchronous = "FULL"   // a power cut as well: an fsync each
	Normal Synchronous = "NORMAL" // a power cut may undo the last commits, in their order, and nothing else
)

// File is an open file. It is safe for concurrent use.
type File struct {
	read  *sql.DB
	write *writer
}

// Open opens the file, which it makes if there is none, and brings its schema up to date. It fails with ErrNewer, ErrForeign,
// ErrCorrupt or ErrOldSQLite.
func Open(ctx context.Context, path string, s Settings) (*File, error) {
	if err := createPrivate(path); err != nil {
		return nil, err
	}
	pragmas := []string{"busy_timeout(5000)"}
	if s.Large {
		pragmas = append(pragmas, "auto_vacuum(2)") // before anything is written
	}
	pragmas = append(pragmas, "journal_mode(WAL)", "synchronous("+string(s.Synchronous)+")", "foreign_keys(1)", "secure_delete(1)", "trusted_schema(0)")
	db, err := sql.Open("sqlite", dsn(path, url.Values{"_txlock": {"immediate"}, "_pragma": pragmas}))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	f := &File{write: newWriter(db)}
	if err := prepare(ctx, db, s); err != nil {
		return nil, errors.Join(Classify(err), f.Close())
	}
	f.read, err = sql.Open("sqlite", dsn(path, url.Values{"_pragma": {"busy_timeout(5000)", "query_only(1)", "trusted_schema(0)"}}))
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	f.read.SetMaxOpenConns(s.Readers)
	f.read.SetMaxIdleConns(s.Readers)
	return f, nil
}

// Reader gives the pool of connections that only read.
func (f *File) Reader() *sql.DB { return f.read }

// Write runs a write and waits for its commit. A ctx that ends while the write waits in line takes it out; once it runs,
// the answer is waited for, so that nobody has to wonder whether it happened.
func (f *File) Write(ctx context.Context, write func(context.Context, *sql.Tx) error) error {
	return f.write.do(ctx, write)
}

// Close ends it; calls that are under way finish first.
func (f *File) Close() error {
	var errs []error
	if f.read != nil {
		errs = append(errs, f.read.Close())
	}
	return errors.Join(append(errs, f.write.close())...)
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
