package database

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// oldest is the first SQLite in which resetting the log cannot lose what a checkpoint wrote.
var oldest = [3]int{3, 51, 3}

// prepare checks that SQLite and the file are fit for use, and brings the schema up to date.
func prepare(ctx context.Context, db *sql.DB, s Settings) error {
	var version string
	if err := db.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err != nil {
		return err
	}
	if !recent(version) {
		return fmt.Errorf("%w (%s)", ErrOldSQLite, version)
	}
	if s.Large {
		return migrate(ctx, db, s)
	}
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("%w (%s)", ErrCorrupt, verdict)
	}
	return migrate(ctx, db, s)
}

// recent reports whether a version such as 3.51.3 is not older than the oldest.
func recent(version string) bool {
	for i, part := range strings.SplitN(version, ".", 3) {
		number, err := strconv.Atoi(part)
		if err != nil || number < oldest[i] {
			return false
		}
		if number > oldest[i] {
			return true
		}
	}
	return true
}

// migrate applies the steps that are missing, each in one transaction with its number.
func migrate(ctx context.Context, db *sql.DB, s Settings) error {
	steps, err := fs.Glob(s.Schema, "schema/*.sql") // in the order of their names
	if err != nil {
		return err
	}
	var version, application, tables int
	const header = "SELECT user_version, application_id, (SELECT count(*) FROM sqlite_schema) FROM pragma_user_version, pragma_application_id"
	if err := db.QueryRowContext(ctx, header).Scan(&version, &application, &tables); err != nil {
		return err
	}
	switch {
	case tables > 0 && application != int(s.Application):
		return ErrForeign
	case version > len(steps):
		return ErrNewer
	}
	for ; version < len(steps); version++ {
		if err := s.step(ctx, db, steps[version], version+1); err != nil {
			return fmt.Errorf("migrate to version %d: %w", version+1, err)
		}
	}
	return nil
}

func (s Settings) step(ctx context.Context, db *sql.DB, file string, version int) error {
	statements, err := fs.ReadFile(s.Schema, file)
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing
	mark := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", s.Application, version)
	for _, statement := range []string{string(statements), mark} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return tx.Commit()
}
