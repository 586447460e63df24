package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"

	"gantry/relay/store"
	"gantry/relay/store/database"
)

// connectionState joins the life of a connection, which goes one way, with its pause, which comes and goes.
const connectionState = "CASE WHEN c.state = 'active' AND c.paused_at IS NOT NULL THEN 'paused' ELSE c.state END"

const connectionColumns = `c.id, c.organisation, c.site, (SELECT name FROM sites WHERE id = c.site), c.agent, c.system, c.system_name, c.name, c.tier, c.settings, c.metadata, ` + connectionState + `,
	c.created_at, c.activated_at, c.paused_at, c.disconnected_at`

const selectConnections = "SELECT " + connectionColumns + " FROM connections c"

// connectionTargets are the places for connectionColumns.
func connectionTargets(c *store.Connection) []any {
	return []any{
		&c.ID, &c.OrganisationID, &c.SiteID, &c.SiteName, &c.AgentID, &c.System, &c.SystemName, &c.Name, &c.Tier, jsonText{&c.Settings}, jsonText{&c.Metadata},
		&c.State, moment{&c.CreatedAt}, moment{&c.ActivatedAt}, moment{&c.PausedAt}, moment{&c.DisconnectedAt},
	}
}

func scanConnection(r row) (c store.Connection, err error) {
	err = r.Scan(connectionTargets(&c)...)
	return c, err
}

func findConnection(ctx context.Context, q queryer, id string) (store.Connection, error) {
	return one(ctx, q, scanConnection, selectConnections+" WHERE c.id = ?", id)
}

// ReserveConnection implements store.Connections.
func (s *Store) ReserveConnection(ctx context.Context, c store.NewConnection) (store.Connection, error) {
	defer s.roll.changed()
	now := s.clock()
	id := store.NewID(store.ConnectionID, now)
	return update(ctx, s.write, func(ctx context.Context, tx *sql.Tx) (store.Connection, error) {
		if err := afford(ctx, tx, c.OrganisationID, c.Tier); err != nil {
			return store.Connection{}, err
		}
		err := exec(ctx, tx, `INSERT INTO connections (id, organisation, site, agent, system, system_name, name, tier, metadata, state, created_at)
			SELECT ?, s.organisation, s.id, a.id, ?, ?, ?, ?, ?, 'pending', ? FROM sites s JOIN agents a ON a.site = s.id
			WHERE s.organisation = ? AND s.id = ? AND s.deleted_at IS NULL AND a.id = ? AND a.revoked_at IS NULL`,
			id, c.System, c.SystemName, c.Name, c.Tier, database.Document(c.Metadata), millis(now), c.OrganisationID, c.SiteID, c.AgentID)
		if err != nil {
			return store.Connection{}, err
		}
		return findConnection(ctx, tx, id)
	})
}

// afford refuses a connection that the organisation has not enough credits for. Writes run one at a time, so that two
// cannot take the same credit.
func afford(ctx context.Context, tx *sql.Tx, organisation string, tier int) error {
	var left int
	err := tx.QueryRowContext(ctx, `SELECT credits - (SELECT ifnull(sum(tier), 0) FROM connections
		WHERE organisation = o.id AND state <> 'disconnected') FROM organisations o WHERE id = ?`, organisation).Scan(&left)
	if err == nil && tier > left {
		return store.ErrNoCredits
	}
	return err
}

// ActivateConnection implements store.Connections.
func (s *Store) ActivateConnection(ctx context.Context, id string, token store.Hash, settings json.RawMessage, note store.Note) (store.Connection, error) {
	defer s.roll.changed()
	return update(ctx, s.write, func(ctx context.Context, tx *sql.Tx) (store.Connection, error) {
		if err := inState(ctx, tx, id, store.Pending); err != nil {
			return store.Connection{}, err
		}
		err := exec(ctx, tx, "UPDATE connections SET state = 'active', activated_at = ?, settings = ? WHERE id = ?",
			millis(s.clock()), database.Document(settings), id)
		if err != nil {
			return store.Connection{}, err
		}
		if err := s.addToken(ctx, tx, id, token); err != nil {
			return store.Connection{}, err
		}
		return s.changed(ctx, tx, id, store.ConnectionCreated, note)
	})
}

// inState checks that a connection is in the state from which it is about to go on.
func inState(ctx context.Context, tx *sql.Tx, id string, state store.State) error {
	connection, err := findConnection(ctx, tx, id)
	if err == nil && connection.State != state {
		return store.ErrState
	}
	return err
}

// DropConnection implements store.Connections.
func (s *Store) DropConnection(ctx context.Context, id string) error {
	defer s.roll.changed()
	return s.write.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := inState(ctx, tx, id, store.Pending); err != nil {
			return err
		}
		return exec(ctx, tx, "DELETE FROM connections WHERE id = ?", id)
	})
}

// DropPending implements store.Connections.
func (s *Store) DropPending(ctx context.Context) (int, error) {
	defer s.roll.changed()
	return update(ctx, s.write, func(ctx context.Context, tx *sql.Tx) (int, error) {
		dropped, err := list(ctx, tx, scanID, "DELETE FROM connections WHERE state = 'pending' RETURNING id")
		return len(dropped), err
	})
}

// Connection implements store.Connections.
func (s *Store) Connection(ctx context.Context, organisation, id string) (store.Connection, error) {
	return one(ctx, s.read, scanConnection, selectConnections+" WHERE c.organisation = ? AND c.id = ?", organisation, id)
}

// Connections implements store.Connections.
func (s *Store) Connections(ctx context.Context, organisation string, filter store.ConnectionFilter, page store.Page) ([]store.Connection, error) {
	return list(ctx, s.read, scanConnection, selectConnections+` WHERE c.organisation = ?1 AND c.id > ?2
		AND (?3 = '' OR c.site = ?3) AND (?4 = '' OR `+connectionState+` = ?4) AND (?6 = '' OR c.system = ?6) ORDER BY c.id LIMIT ?5`,
		organisation, page.After, filter.SiteID, string(filter.State), page.Size(), filter.System)
}

// AllConnections implements store.Connections.
func (s *Store) AllConnections(ctx context.Context, organisation string) ([]store.Connection, error) {
	return s.roll.of(organisation, func() (all []store.Connection, err error) {
		return list(ctx, s.read, scanConnection, selectConnections+" WHERE c.organisation = ? ORDER BY c.id", organisation)
	})
}

// AgentConnections implements store.Connections.
func (s *Store) AgentConnections(ctx context.Context, agent string) ([]store.Connection, error) {
	return list(ctx, s.read, scanConnection, selectConnections+" WHERE c.agent = ? AND c.state <> 'disconnected' ORDER BY c.id", agent)
}

// PauseConnection implements store.Connections.
func (s *Store) PauseConnection(ctx context.Context, organisation, id string, note store.Note) (store.Connection, error) {
	defer s.roll.changed()
	return s.changeLive(ctx, organisation, id, func(ctx context.Context, tx *sql.Tx, was store.Connection) (store.Connection, error) {
		if was.State == store.Paused {
			return was, nil
		}
		err := exec(ctx, tx, "UPDATE connections SET paused_at = ? WHERE id = ?", millis(s.clock()), id)
		if err != nil {
			return was, err
		}
		return s.changed(ctx, tx, id, store.ConnectionPaused, note)
	})
}

// ResumeConnection implements store.Connections.
func (s *Store) ResumeConnection(ctx context.Context, organisation, id string, note store.Note) (store.Connection, error) {
	defer s.roll.changed()
	return s.changeLive(ctx, organisation, id, func(ctx context.Context, tx *sql.Tx, was store.Connection) (store.Connection, error) {
		if was.State == store.Active {
			return was, nil
		}
		if err := exec(ctx, tx, "UPDATE connections SET paused_at = NULL WHERE id = ?", id); err != nil {
			return was, err
		}
		return s.changed(ctx, tx, id, store.ConnectionResumed, note)
	})
}

// RelinkConnection implements store.Connections.
func (s *Store) RelinkConnection(ctx context.Context, organisation, id string, login store.NewLogin, note store.Note) (store.Connection, error) {
	defer s.roll.changed()
	return s.changeLive(ctx, organisation, id, func(ctx context.Context, tx *sql.Tx, was store.Connection) (store.Connection, error) {
		err := exec(ctx, tx, `UPDATE connections SET agent = ?1, settings = ?2 WHERE id = ?3
			AND EXISTS (SELECT 1 FROM agents a WHERE a.id = ?1 AND a.site = connections.site AND a.revoked_at IS NULL)`,
			login.AgentID, database.Document(login.Settings), id)
		if err != nil {
			return was, err
		}
		return s.changed(ctx, tx, id, store.ConnectionRelinked, note)
	})
}

// changeLive changes a connection that is active or paused.
func (s *Store) changeLive(ctx context.Context, organisation, id string, change func(context.Context, *sql.Tx, store.Connection) (store.Connection, error)) (store.Connection, error) {
	return update(ctx, s.write, func(ctx context.Context, tx *sql.Tx) (store.Connection, error) {
		was, err := findConnection(ctx, tx, id)
		switch {
		case err != nil:
			return was, err
		case was.OrganisationID != organisation:
			return was, store.ErrNotFound
		case !was.Live():
			return was, store.ErrState
		}
		return change(ctx, tx, was)
	})
}

// changed gives a connection as it is after a change of its life, which it notes.
func (s *Store) changed(ctx context.Context, tx *sql.Tx, id string, kind store.EventKind, note store.Note) (store.Connection, error) {
	connection, err := findConnection(ctx, tx, id)
	if err != nil {
		return connection, err
	}
	_, err = s.appendEvent(ctx, tx, note.Change(kind, connection))
	return connection, err
}

// Disconnect implements store.Connections.
func (s *Store) Disconnect(ctx context.Context, organisation, id string, note store.Note) (store.Connection, error) {
	defer s.roll.changed()
	return update(ctx, s.write, func(ctx context.Context, tx *sql.Tx) (store.Connection, error) {
		was, err := findConnection(ctx, tx, id)
		switch {
		case err != nil:
			return was, err
		case was.OrganisationID != organisation:
			return was, store.ErrNotFound
		case was.State == store.Disconnected:
			return was, nil
		}
		return s.end(ctx, tx, id, note)
	})
}

// end disconnects a connection.
func (s *Store) end(ctx context.Context, tx *sql.Tx, id string, note store.Note) (store.Connection, error) {
	now := millis(s.clock())
	err := exec(ctx, tx, "UPDATE connections SET state = 'disconnected', paused_at = NULL, disconnected_at = ? WHERE id = ?", now, id)
	if err == nil {
		err = revokeTokens(ctx, tx, id, now)
	}
	if err != nil {
		return store.Connection{}, err
	}
	return s.changed(ctx, tx, id, store.ConnectionDisconnected, note)
}
