package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"gantry/relay/store"
)

const siteColumns = "SELECT id, organisation, name, created_at FROM sites"

func scanSite(r row) (s store.Site, err error) {
	err = r.Scan(&s.ID, &s.OrganisationID, &s.Name, moment{&s.CreatedAt})
	return s, err
}

// CreateSite implements store.Sites.
func (s *Store) CreateSite(ctx context.Context, organisation, name string) (store.Site, error) {
	now := s.clock()
	site := store.Site{ID: store.NewID(store.SiteID, now), OrganisationID: organisation, Name: name, CreatedAt: now}
	return update(ctx, s.write, func(ctx context.Context, tx *sql.Tx) (store.Site, error) {
		return site, exec(ctx, tx, "INSERT INTO sites (id, organisation, name, created_at) SELECT ?, id, ?, ? FROM organisations WHERE id = ?",
			site.ID, name, millis(now), organisation)
	})
}

// Site implements store.Sites.
func (s *Store) Site(ctx context.Context, organisation, id string) (store.Site, error) {
	return findSite(ctx, s.read, organisation, id)
}

func findSite(ctx context.Context, q queryer, organisation, id string) (store.Site, error) {
	return one(ctx, q, scanSite, siteColumns+" WHERE organisation = ? AND id = ? AND deleted_at IS NULL", organisation, id)
}

// Sites implements store.Sites.
func (s *Store) Sites(ctx context.Context, organisation string, page store.Page) ([]store.Site, error) {
	return list(ctx, s.read, scanSite, siteColumns+" WHERE organisation = ? AND deleted_at IS NULL AND id > ? ORDER BY id LIMIT ?",
		organisation, page.After, page.Size())
}

// DeleteSite implements store.Sites. The row stays, so that its tokens are refused for the right reason.
func (s *Store) DeleteSite(ctx context.Context, organisation, id string) (store.Ended, error) {
	now := millis(s.clock())
	return update(ctx, s.write, func(ctx context.Context, tx *sql.Tx) (ended store.Ended, err error) {
		err = exec(ctx, tx, "UPDATE sites SET deleted_at = ? WHERE organisation = ? AND id = ? AND deleted_at IS NULL", now, organisation, id)
		if err != nil {
			return ended, err
		}
		_, err = tx.ExecContext(ctx, `UPDATE tokens SET revoked_at = ? WHERE revoked_at IS NULL
			AND connection IN (SELECT id FROM connections WHERE site = ?)`, now, id)
		if err != nil {
			return ended, err
		}
		agents, errAgents := list(ctx, tx, scanID, "UPDATE agents SET revoked_at = ? WHERE site = ? AND revoked_at IS NULL RETURNING id", now, id)
		connections, errConnections := list(ctx, tx, scanID, `UPDATE connections SET state = 'disconnected', paused_at = NULL, disconnected_at = ?
			WHERE site = ? AND state <> 'disconnected' RETURNING id`, now, id)
		return store.Ended{Agents: agents, Connections: connections}, errors.Join(errAgents, errConnections)
	})
}

func scanID(r row) (id string, err error) {
	err = r.Scan(&id)
	return id, err
}
