package state

import (
	"context"
	"database/sql"
	"fmt"
)

// migrations bring the schema from version i to i+1. A released one is never changed. Times are Unix milliseconds.
var migrations = []string{
	`CREATE TABLE identity (
		one          INTEGER PRIMARY KEY CHECK (one = 1),
		agent        TEXT NOT NULL,
		site         TEXT NOT NULL,
		organisation TEXT NOT NULL,
		relay        TEXT NOT NULL,
		pin          TEXT NOT NULL,
		ca           BLOB NOT NULL,
		certificate  BLOB NOT NULL,
		vault        TEXT NOT NULL,
		tls_key      BLOB NOT NULL,
		sealing_key  BLOB NOT NULL,
		cursor_key   BLOB NOT NULL,
		enrolled_at  INTEGER NOT NULL
	) STRICT;
	CREATE TABLE connections (
		id           TEXT PRIMARY KEY,
		organisation TEXT NOT NULL,
		site         TEXT NOT NULL,
		system       TEXT NOT NULL,
		name         TEXT NOT NULL,
		settings     TEXT NOT NULL,
		credentials  BLOB NOT NULL,
		opened_at    INTEGER NOT NULL
	) STRICT;
	CREATE TABLE journal (
		connection   TEXT NOT NULL,
		key          TEXT NOT NULL,
		fingerprint  BLOB NOT NULL,
		method       TEXT NOT NULL,
		path         TEXT NOT NULL,
		request_id   TEXT NOT NULL,
		state        TEXT NOT NULL CHECK (state IN ('started', 'done', 'rejected', 'unknown')),
		status       INTEGER NOT NULL DEFAULT 0,
		header       TEXT NOT NULL DEFAULT '{}',
		body         BLOB,
		started_at   INTEGER NOT NULL,
		ended_at     INTEGER,
		PRIMARY KEY (connection, key)
	) STRICT, WITHOUT ROWID;
	CREATE INDEX journal_age ON journal (started_at);`,
	`CREATE TABLE machine (
		one INTEGER PRIMARY KEY CHECK (one = 1),
		id  TEXT NOT NULL
	) STRICT;`,
	`CREATE TABLE support (
		one   INTEGER PRIMARY KEY CHECK (one = 1),
		until INTEGER NOT NULL
	) STRICT;
	CREATE TABLE support_runs (
		number     INTEGER PRIMARY KEY AUTOINCREMENT,
		at         INTEGER NOT NULL,
		actor      TEXT NOT NULL,
		action     TEXT NOT NULL,
		connection TEXT NOT NULL,
		request_id TEXT NOT NULL,
		result     TEXT NOT NULL,
		ms         INTEGER NOT NULL
	) STRICT;`,

	`CREATE TABLE overlays (
		connection TEXT PRIMARY KEY,
		document   TEXT NOT NULL
	) STRICT;`,
}

// migrate applies what is missing, each step with its version number in one transaction.
func migrate(ctx context.Context, db *sql.DB) error {
	version, err := header(ctx, db)
	if err != nil {
		return err
	}
	for ; version < len(migrations); version++ {
		if err := step(ctx, db, version); err != nil {
			return fmt.Errorf("migrate to version %d: %w", version+1, err)
		}
	}
	return nil
}

// header reads the schema's version; the error is ErrForeign, ErrNewer or that of SQLite.
func header(ctx context.Context, db *sql.DB) (version int, err error) {
	var application, tables int
	const query = "SELECT user_version, application_id, (SELECT count(*) FROM sqlite_schema) FROM pragma_user_version, pragma_application_id"
	if err := db.QueryRowContext(ctx, query).Scan(&version, &application, &tables); err != nil {
		return 0, err
	}
	switch {
	case tables > 0 && application != applicationID:
		return 0, ErrForeign
	case version > len(migrations):
		return 0, ErrNewer
	}
	return version, nil
}

func step(ctx context.Context, db *sql.DB, version int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing
	mark := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, version+1)
	for _, statement := range []string{migrations[version], mark} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return tx.Commit()
}
