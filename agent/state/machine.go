package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// machineVersion is the schema from which the machine is noted.
const machineVersion = 2

// NoteMachine notes the machine on which the identity was first used, and gives what is noted: another one means that the
// state was copied.
func (d *DB) NoteMachine(ctx context.Context, machine string) (string, error) {
	err := d.write(ctx, "note machine", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO machine (one, id) VALUES (1, ?) ON CONFLICT DO NOTHING", machine)
		return err
	})
	if err != nil {
		return "", err
	}
	return d.Machine(ctx)
}

// Machine is the one that was noted; empty: none.
func (d *DB) Machine(ctx context.Context) (string, error) {
	var id string
	err := d.sql.QueryRowContext(ctx, "SELECT id FROM machine").Scan(&id)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read machine: %w", err)
	}
	return id, nil
}
