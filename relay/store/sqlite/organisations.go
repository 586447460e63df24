package sqlite

import (
	"context"
	"database/sql"

	"gantry/relay/store"
)

const organisationColumns = "SELECT id, name, credits, created_at FROM organisations"

func scanOrganisation(r row) (o store.Organisation, err error) {
	err = r.Scan(&o.ID, &o.Name, &o.Credits, moment{&o.CreatedAt})
	return o, err
}

// CreateOrganisation implements store.Organisations.
func (s *Store) CreateOrganisation(ctx context.Context, name string, credits int) (store.Organisation, error) {
	now := s.clock()
	o := store.Organisation{ID: store.NewID(store.OrganisationID, now), Name: name, Credits: credits, CreatedAt: now}
	return update(ctx, s.write, func(ctx context.Context, tx *sql.Tx) (store.Organisation, error) {
		return o, exec(ctx, tx, "INSERT INTO organisations (id, name, credits, created_at) VALUES (?, ?, ?, ?)",
			o.ID, o.Name, o.Credits, millis(now))
	})
}

// Organisation implements store.Organisations.
func (s *Store) Organisation(ctx context.Context, id string) (store.Organisation, error) {
	return one(ctx, s.read, scanOrganisation, organisationColumns+" WHERE id = ?", id)
}

// Organisations implements store.Organisations.
func (s *Store) Organisations(ctx context.Context, page store.Page) ([]store.Organisation, error) {
	return list(ctx, s.read, scanOrganisation, organisationColumns+" WHERE id > ? ORDER BY id LIMIT ?", page.After, page.Size())
}

// SetCredits implements store.Organisations.
func (s *Store) SetCredits(ctx context.Context, id string, credits int) (store.Organisation, error) {
	return update(ctx, s.write, func(ctx context.Context, tx *sql.Tx) (store.Organisation, error) {
		if err := exec(ctx, tx, "UPDATE organisations SET credits = ? WHERE id = ?", credits, id); err != nil {
			return store.Organisation{}, err
		}
		return one(ctx, tx, scanOrganisation, organisationColumns+" WHERE id = ?", id)
	})
}

// Credits implements store.Organisations.
func (s *Store) Credits(ctx context.Context, organisation string) (store.Credits, error) {
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true}) // the sum and the pool of one moment
	if err != nil {
		return store.Credits{}, classify(err)
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	o, err := one(ctx, tx, scanOrganisation, organisationColumns+" WHERE id = ?", organisation)
	if err != nil {
		return store.Credits{}, err
	}
	each, err := list(ctx, tx, scanConnectionCredits,
		"SELECT id, name, system, tier FROM connections WHERE organisation = ? AND state <> 'disconnected' ORDER BY id", organisation)
	credits := store.Credits{Total: o.Credits, ByConnection: each}
	for _, c := range each {
		credits.Used += c.Credits
	}
	return credits, err
}

func scanConnectionCredits(r row) (c store.ConnectionCredits, err error) {
	err = r.Scan(&c.ConnectionID, &c.Name, &c.System, &c.Credits)
	return c, err
}
