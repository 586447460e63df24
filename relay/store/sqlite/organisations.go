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

// Credits implements store.Organisations. The sum and the pool are of one moment.
func (s *Store) Credits(ctx context.Context, organisation string) (store.Credits, error) {
	return one(ctx, s.read, scanCredits, `SELECT credits, (SELECT ifnull(sum(tier), 0) FROM connections
		WHERE organisation = o.id AND state <> 'disconnected') FROM organisations o WHERE id = ?`, organisation)
}

func scanCredits(r row) (c store.Credits, err error) {
	err = r.Scan(&c.Total, &c.Used)
	return c, err
}
