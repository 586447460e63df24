package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// ErrNotEnrolled is the answer of a state that holds no identity yet.
var ErrNotEnrolled = errors.New("this agent is not enrolled")

// Identity is what enrolment gave the agent. Members whose name says so are boxes of the vault.
type Identity struct {
	Agent        string
	Site         string
	Organisation string
	Relay        string // URL
	Pin          string // text form of the relay CA's pin
	CA           []byte // X.509, DER
	Certificate  []byte // X.509, DER

	Vault         string // the id of the vault whose key opens the boxes
	TLSKeyBox     []byte // PEM
	SealingKeyBox []byte // as package seal serialises it
	CursorKeyBox  []byte // 32 bytes that sign list cursors

	EnrolledAt time.Time
}

// Identity reads who the agent is, or ErrNotEnrolled.
func (d *DB) Identity(ctx context.Context) (Identity, error) {
	var id Identity
	var enrolled int64
	err := d.sql.QueryRowContext(ctx, `SELECT agent, site, organisation, relay, pin, ca, certificate,
		vault, tls_key, sealing_key, cursor_key, enrolled_at FROM identity`).Scan(&id.Agent, &id.Site, &id.Organisation, &id.Relay,
		&id.Pin, &id.CA, &id.Certificate, &id.Vault, &id.TLSKeyBox, &id.SealingKeyBox, &id.CursorKeyBox, &enrolled)
	if errors.Is(err, sql.ErrNoRows) {
		return Identity{}, ErrNotEnrolled
	}
	if err != nil {
		return Identity{}, fmt.Errorf("read identity: %w", err)
	}
	id.EnrolledAt = time.UnixMilli(enrolled).UTC()
	return id, nil
}

// SetIdentity makes the agent another one: the connections and the journal of the former one go, in the same
// transaction.
func (d *DB) SetIdentity(ctx context.Context, id Identity) error {
	return d.write(ctx, "store identity", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM identity; DELETE FROM machine; DELETE FROM connections; DELETE FROM overlays; DELETE FROM journal; DELETE FROM support; DELETE FROM support_runs"); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO identity (one, agent, site, organisation, relay, pin, ca, certificate,
			vault, tls_key, sealing_key, cursor_key, enrolled_at) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			id.Agent, id.Site, id.Organisation, id.Relay, id.Pin, id.CA, id.Certificate,
			id.Vault, id.TLSKeyBox, id.SealingKeyBox, id.CursorKeyBox, id.EnrolledAt.UnixMilli())
		return err
	})
}

// SetCertificate stores a renewed certificate.
func (d *DB) SetCertificate(ctx context.Context, der []byte) error {
	return d.write(ctx, "store certificate", func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, "UPDATE identity SET certificate = ?", der)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return errors.Join(ErrNotEnrolled, err)
		}
		return nil
	})
}

// Forget erases the identity, the connections and the journal: the agent is as before its enrolment.
func (d *DB) Forget(ctx context.Context) error {
	return d.write(ctx, "forget identity", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM identity; DELETE FROM machine; DELETE FROM connections; DELETE FROM overlays; DELETE FROM journal; DELETE FROM support; DELETE FROM support_runs")
		return err
	})
}

// write runs one transaction.
func (d *DB) write(ctx context.Context, what string, do func(*sql.Tx) error) error {
	tx, err := d.sql.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing
	if err := do(tx); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
