package database

import (
	"database/sql"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"gantry/relay/store"
)

// The reasons for which a file is not opened.
var (
	ErrNewer     = errors.New("the database was written by a newer version of the relay: install that version again, or restore a backup from before")
	ErrForeign   = errors.New("the file is a database of another program")
	ErrCorrupt   = errors.New("the database is damaged: restore the last backup")
	ErrOldSQLite = errors.New("this build holds an SQLite older than 3.51.3, which can corrupt a database: build it with a newer one")
)

// Classify names what SQLite's codes mean to us. It is the one place that looks at them.
func Classify(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return store.ErrNotFound
	}
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY:
		return fmt.Errorf("%w (%w)", store.ErrReadOnly, err)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w (%w)", ErrCorrupt, err)
	}
	if e.Code() == sqlite3.SQLITE_IOERR_WRITE || e.Code() == sqlite3.SQLITE_IOERR_FSYNC {
		return fmt.Errorf("%w (%w)", store.ErrReadOnly, err)
	}
	return err
}
