package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// schema holds the migrations, 0001.sql first. One that was released is never changed.
//
//go:embed schema/*.sql
var schema embed.FS

// applicationID marks our files in their header ("GNTR"), so that a stray database is not taken for one.
const applicationID = 0x474e5452

// oldest is the first SQLite in which resetting the log cannot lose what a checkpoint wrote.
var oldest = [3]int{3, 51, 3}

// prepare checks that SQLite and the file are fit for use, and brings the schema up to date.
func prepare(ctx context.Context, db *sql.DB) error {
	var version string
	if err := db.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err != nil {
		return err
	}
	if !recent(version) {
		return fmt.Errorf("%w (%s)", ErrOldSQLite, version)
	}
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("%w (%s)", ErrCorrupt, verdict)
	}
	return migrate(ctx, db)
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
func migrate(ctx context.Context, db *sql.DB) error {
	steps, err := fs.Glob(schema, "schema/*.sql") // in the order of their names
	if err != nil {
		return err
	}
	var version, application, tables int
	const header = "SELECT user_version, application_id, (SELECT count(*) FROM sqlite_schema) FROM pragma_user_version, pragma_application_id"
	if err := db.QueryRowContext(ctx, header).Scan(&version, &application, &tables); err != nil {
		return err
	}
	switch {
	case tables > 0 && application != applicationID:
		return ErrForeign
	case version > len(steps):
		return ErrNewer
	}
	for ; version < len(steps); version++ {
		if err := step(ctx, db, steps[version], version+1); err != nil {
			return fmt.Errorf("migrate to version %d: %w", version+1, err)
		}
	}
	return nil
}

func step(ctx context.Context, db *sql.DB, file string, version int) error {
	statements, err := schema.ReadFile(file)
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing
	mark := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, version)
	for _, statement := range []string{string(statements), mark} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return tx.Commit()
}
