package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
)

// Backup writes a copy of the database at path, as it is at one moment, to a file that does not exist yet. A relay may be
// serving meanwhile: the copy is made by a reader of its own, and needs no lock.
func Backup(ctx context.Context, path, file string) error {
	return visit(ctx, path, func(db *sql.DB) error {
		if err := createNew(file); err != nil {
			return fmt.Errorf("back up: %w", err)
		}
		if _, err := db.ExecContext(ctx, "VACUUM INTO ?", file); err != nil {
			return fmt.Errorf("back up to %s: %w", file, errors.Join(Classify(err), os.Remove(file)))
		}
		return nil
	})
}

// Check looks for damage in the database at path: structure, indexes and references. It gives what it finds, nothing at
// best. A relay may be serving meanwhile.
func Check(ctx context.Context, path string) (found []string, err error) {
	err = visit(ctx, path, func(db *sql.DB) error {
		found, err = List(ctx, db, scanText, `SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'
			UNION ALL SELECT 'row ' || rowid || ' of ' || "table" || ' refers to nothing in ' || parent FROM pragma_foreign_key_check`)
		return err
	})
	return found, err
}

func scanText(r Row) (text string, err error) { return text, r.Scan(&text) }

// visit opens a database beside whoever else has it open, without making one.
func visit(ctx context.Context, path string, do func(*sql.DB) error) error {
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	db, err := sql.Open("sqlite", dsn(path, url.Values{"mode": {"rw"}, "_pragma": {"busy_timeout(5000)", "trusted_schema(0)"}}))
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	db.SetMaxOpenConns(1)
	return errors.Join(do(db), db.Close())
}

// createNew makes an empty private file, which VACUUM INTO takes, and refuses one that is there.
func createNew(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}
