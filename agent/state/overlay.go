package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Overlay reads the overlay of a connection, a JSON document; empty: it has none.
func (d *DB) Overlay(ctx context.Context, connection string) ([]byte, error) {
	var document string
	err := d.sql.QueryRowContext(ctx, "SELECT document FROM overlays WHERE connection = ?", connection).Scan(&document)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read overlay of %s: %w", connection, err)
	}
	return []byte(document), nil
}

// PutOverlay keeps the overlay of a connection in the place of its former one.
func (d *DB) PutOverlay(ctx context.Context, connection string, document []byte) error {
	return d.write(ctx, "store overlay of "+connection, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO overlays (connection, document) VALUES (?, ?)", connection, string(document))
		return err
	})
}

// DeleteOverlay takes the overlay of a connection away; that there is none is no error.
func (d *DB) DeleteOverlay(ctx context.Context, connection string) error {
	return d.write(ctx, "delete overlay of "+connection, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM overlays WHERE connection = ?", connection)
		return err
	})
}
