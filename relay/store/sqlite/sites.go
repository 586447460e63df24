package sqlite

import (
	"context"
	"database/sql"

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
func (s *Store) DeleteSite(ctx context.Context, organisation, id string, note store.Note) (store.Ended, error) {
	defer s.roll.changed()
	now := millis(s.clock())
	return update(ctx, s.write, func(ctx context.Context, tx *sql.Tx) (ended store.Ended, err error) {
		err = exec(ctx, tx, "UPDATE sites SET deleted_at = ? WHERE organisation = ? AND id = ? AND deleted_at IS NULL", now, organisation, id)
		if err != nil {
			return ended, err
		}
		ended.Agents, err = list(ctx, tx, scanID, "UPDATE agents SET revoked_at = ? WHERE site = ? AND revoked_at IS NULL RETURNING id", now, id)
		if err != nil {
			return ended, err
		}
		ended.Connections, err = list(ctx, tx, scanID, "SELECT id FROM connections WHERE site = ? AND state <> 'disconnected' ORDER BY id", id)
		if err != nil {
			return ended, err
		}
		for _, connection := range ended.Connections {
			if _, err := s.end(ctx, tx, connection, note); err != nil {
				return ended, err
			}
		}
		return ended, nil
	})
}

func scanID(r row) (id string, err error) {
	err = r.Scan(&id)
	return id, err
}
