package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
)

// Inspected is what a look at a state finds.
type Inspected struct {
	Identity Identity // zero: not enrolled
	Machine  string   // on which the agent was enrolled (NoteMachine); empty: not noted
}

// Inspect looks at the state in dir, and changes nothing: no file is made, no schema brought up to date, and an agent
// that runs is not disturbed. The error is, or wraps, fs.ErrNotExist, fs.ErrPermission, ErrCorrupt, ErrForeign, ErrNewer or
// that of SQLite.
func Inspect(ctx context.Context, dir string) (Inspected, error) {
	path := filepath.Join(dir, File)
	f, err := os.Open(path) // SQLite would not tell why it cannot
	if err != nil {
		return Inspected{}, fmt.Errorf("inspect state: %w", err)
	}
	_ = f.Close() // it was only to see
	pragmas := url.Values{"mode": {"rw"}, "_pragma": {"busy_timeout(5000)", "query_only(1)", "trusted_schema(0)"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: pragmas.Encode()}).String())
	if err != nil {
		return Inspected{}, fmt.Errorf("inspect state: %w", err)
	}
	db.SetMaxOpenConns(1)
	found, err := inspect(ctx, &DB{db})
	if err != nil {
		err = fmt.Errorf("inspect state %s: %w", path, explain(err))
	}
	return found, errors.Join(err, db.Close())
}

func inspect(ctx context.Context, d *DB) (Inspected, error) {
	if err := check(ctx, d.sql); err != nil {
		return Inspected{}, err
	}
	version, err := header(ctx, d.sql)
	if err != nil || version == 0 {
		return Inspected{}, err
	}
	id, err := d.Identity(ctx)
	if err != nil && !errors.Is(err, ErrNotEnrolled) {
		return Inspected{}, err
	}
	found := Inspected{Identity: id}
	if version >= machineVersion {
		found.Machine, err = d.Machine(ctx)
		return found, err
	}
	return found, nil
}
