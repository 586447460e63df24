package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"

	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// File is the queue's name in the data folder.
const File = "jobs.db"

// openFile opens the queue's file in dir. Nothing in it is worth a failed start: one that cannot be used is made anew.
func openFile(ctx context.Context, dir string, logger *slog.Logger) (*sql.DB, error) {
	path := filepath.Join(dir, File)
	db, err := prepared(ctx, path, logger)
	if err == nil || ctx.Err() != nil {
		return db, err
	}
	logger.Warn("job queue made anew", "file", path, "error", err)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	return prepared(ctx, path, logger)
}

// prepared opens the file and brings it to where work can begin.
func prepared(ctx context.Context, path string, logger *slog.Logger) (*sql.DB, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // before SQLite does, which would leave its mode to the umask
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", address(path))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // as the driver asks: SQLite has one writer
	if err := errors.Join(migrate(ctx, db, logger), takeOver(ctx, db)); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// address is the file's, with its settings. A commit is not waited for on the disk: see the package comment.
func address(path string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: url.Values{
		"_txlock": {"immediate"},
		"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(NORMAL)", "foreign_keys(1)", "trusted_schema(0)"},
	}.Encode()}
	return u.String()
}

func migrate(ctx context.Context, db *sql.DB, logger *slog.Logger) error {
	migrator, err := rivermigrate.New(riversqlite.New(db), &rivermigrate.Config{Logger: logger})
	if err != nil {
		return err
	}
	_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

// takeOver ends what a relay that was killed left open. The data folder is locked for one relay, so nobody else leads or
// runs a job; River would wait out its leases.
func takeOver(ctx context.Context, db *sql.DB) error {
	for _, statement := range []string{"DELETE FROM river_leader", "UPDATE river_job SET state = 'available', attempt = 0 WHERE state = 'running'"} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("take over the job queue: %w", err)
		}
	}
	return nil
}
