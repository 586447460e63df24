// Package state is the agent's memory on disk: one SQLite file in the state folder.
//
// It holds who the agent is (Identity), the connections with their encrypted logins (Connection), the table of the write
// journal (package journal), and what support did here (SupportRun) and until when it may. The file is in WAL mode with synchronous=FULL, so that what was committed survives
// a power cut; one connection writes and reads, since an agent's state is small and its order matters more than its
// speed. Secrets arrive encrypted (package vault): the package never sees one.
package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// File is the database's name in the state folder.
const File = "agent.db"

// applicationID marks our files in their header ("GNTA"), so that a stray database is not taken for one.
const applicationID = 0x474e5441

// The reasons for which a database is not opened.
var (
	ErrNewer   = errors.New("the state was written by a newer version of the agent: install that version again, or restore the state folder from before")
	ErrForeign = errors.New("the file is a database of another program")
	ErrCorrupt = errors.New("the state is damaged: move it away, enrol the agent again and relink its connections")
)

// DB is the open state. It is safe for concurrent use.
type DB struct{ sql *sql.DB }

// Open opens the state in dir, an existing folder, and brings its schema up to date.
func Open(ctx context.Context, dir string) (*DB, error) {
	path := filepath.Join(dir, File)
	if err := createPrivate(path); err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	db, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		return nil, fmt.Errorf("open state %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	if err := prepare(ctx, db); err != nil {
		return nil, errors.Join(fmt.Errorf("open state %s: %w", path, explain(err)), db.Close())
	}
	return &DB{db}, nil
}

// Close closes the file.
func (d *DB) Close() error { return d.sql.Close() }

// SQL gives the database to the packages that own a table of it.
func (d *DB) SQL() *sql.DB { return d.sql }

// createPrivate makes the file before SQLite does, since SQLite would let the umask decide who may read it. The
// write-ahead log inherits the mode.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func dsn(path string) string {
	pragmas := url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "secure_delete(1)", "trusted_schema(0)",
	}}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: pragmas.Encode()}
	return u.String()
}

func prepare(ctx context.Context, db *sql.DB) error {
	if err := check(ctx, db); err != nil {
		return err
	}
	return migrate(ctx, db)
}

// check is SQLite's own, without the long part.
func check(ctx context.Context, db *sql.DB) error {
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("%w (%s)", ErrCorrupt, verdict)
	}
	return nil
}

// explain tells a damaged file apart from other faults.
func explain(err error) error {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
			return fmt.Errorf("%w (%w)", ErrCorrupt, err)
		}
	}
	return err
}
