package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// ErrNoConnection is the answer for a connection that the agent does not hold.
var ErrNoConnection = errors.New("the agent holds no such connection")

// Connection is one login that worked and is kept.
type Connection struct {
	ID           string
	Organisation string
	Site         string
	System       string
	Name         string
	Settings     json.RawMessage // no secret is among them
	Credentials  []byte          // a box of the vault, bound to the connection's id
	OpenedAt     time.Time
}

const connectionColumns = "id, organisation, site, system, name, settings, credentials, opened_at"

// Connection reads one connection, or ErrNoConnection.
func (d *DB) Connection(ctx context.Context, id string) (Connection, error) {
	c, err := scanConnection(d.sql.QueryRowContext(ctx, "SELECT "+connectionColumns+" FROM connections WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return Connection{}, ErrNoConnection
	}
	if err != nil {
		return Connection{}, fmt.Errorf("read connection %s: %w", id, err)
	}
	return c, nil
}

// Connections reads all connections by name.
func (d *DB) Connections(ctx context.Context) ([]Connection, error) {
	rows, err := d.sql.QueryContext(ctx, "SELECT "+connectionColumns+" FROM connections ORDER BY name, id")
	if err != nil {
		return nil, fmt.Errorf("read connections: %w", err)
	}
	defer rows.Close()
	var all []Connection
	for rows.Next() {
		c, err := scanConnection(rows)
		if err != nil {
			return nil, fmt.Errorf("read connections: %w", err)
		}
		all = append(all, c)
	}
	return all, rows.Err()
}

// PutConnection stores a connection, or its new login; of the former one nothing stays in the file.
func (d *DB) PutConnection(ctx context.Context, c Connection) error {
	return d.erasing(ctx, "store connection "+c.ID, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO connections ("+connectionColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			c.ID, c.Organisation, c.Site, c.System, c.Name, string(c.Settings), c.Credentials, c.OpenedAt.UnixMilli())
		return err
	})
}

// DeleteConnection erases a connection, its login, its overlay and its journal, also from the files' unused pages. One that is not there
// is no error.
func (d *DB) DeleteConnection(ctx context.Context, id string) error {
	return d.erasing(ctx, "erase connection "+id, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM connections WHERE id = ?", id); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM overlays WHERE connection = ?", id); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM journal WHERE connection = ?", id)
		return err
	})
}

// erasing is write for what takes secrets away. SQLite overwrites what is deleted (secure_delete), but the pages from before
// stay in the write-ahead log until its next checkpoint, which may be far: so it is made here.
func (d *DB) erasing(ctx context.Context, what string, do func(*sql.Tx) error) error {
	if err := d.write(ctx, what, do); err != nil {
		return err
	}
	var busy, frames, moved int
	if err := d.sql.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved); err != nil {
		return fmt.Errorf("%s: empty the log: %w", what, err)
	}
	if busy != 0 {
		return fmt.Errorf("%s: empty the log: another process reads the file", what)
	}
	return nil
}

// scanner is a row of either kind.
type scanner interface{ Scan(...any) error }

func scanConnection(row scanner) (Connection, error) {
	var c Connection
	var settings string
	var opened int64
	if err := row.Scan(&c.ID, &c.Organisation, &c.Site, &c.System, &c.Name, &settings, &c.Credentials, &opened); err != nil {
		return Connection{}, err
	}
	c.Settings, c.OpenedAt = json.RawMessage(settings), time.UnixMilli(opened).UTC()
	return c, nil
}
