package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"gantry/relay/store"
	"gantry/relay/store/database"
)

const agentColumns = `SELECT a.id, s.organisation, a.site, a.machine, a.key, a.facts, a.certificate_expires_at, a.enrolled_at, a.last_seen_at, a.revoked_at
	FROM agents a JOIN sites s ON s.id = a.site`

func scanAgent(r row) (a store.Agent, err error) {
	err = r.Scan(&a.ID, &a.OrganisationID, &a.SiteID, &a.MachineID, hashBlob{&a.Key}, jsonText{&a.Facts},
		moment{&a.CertificateExpiresAt}, moment{&a.EnrolledAt}, moment{&a.LastSeenAt}, moment{&a.RevokedAt})
	return a, err
}

func findAgent(ctx context.Context, q queryer, id string) (store.Agent, error) {
	return one(ctx, q, scanAgent, agentColumns+" WHERE a.id = ?", id)
}

// Agent implements store.Agents.
func (s *Store) Agent(ctx context.Context, id string) (store.Agent, error) {
	return findAgent(ctx, s.read, id)
}

// Agents implements store.Agents.
func (s *Store) Agents(ctx context.Context, organisation string, sites ...string) ([]store.Agent, error) {
	ids, err := json.Marshal(append([]string{}, sites...)) // an empty list, not null
	if err != nil {
		return nil, err
	}
	return list(ctx, s.read, scanAgent, agentColumns+` WHERE s.organisation = ? AND a.site IN (SELECT value FROM json_each(?)) AND a.revoked_at IS NULL
		ORDER BY a.id LIMIT ?`, organisation, string(ids), store.MaxPage*max(len(sites), 1))
}

// RevokeAgent implements store.Agents.
func (s *Store) RevokeAgent(ctx context.Context, organisation, site, id string) (store.Agent, error) {
	return update(ctx, s.write, func(ctx context.Context, tx *sql.Tx) (store.Agent, error) {
		err := exec(ctx, tx, `UPDATE agents SET revoked_at = ifnull(revoked_at, ?) WHERE id = ? AND site = ?
			AND site IN (SELECT id FROM sites WHERE organisation = ?)`, millis(s.clock()), id, site, organisation)
		if err != nil {
			return store.Agent{}, err
		}
		return findAgent(ctx, tx, id)
	})
}

// RenewAgent implements store.Agents.
func (s *Store) RenewAgent(ctx context.Context, id string, key store.Hash, expires time.Time) error {
	return s.write.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		agent, err := findAgent(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case !agent.RevokedAt.IsZero():
			return store.ErrRevoked
		case agent.Key != key:
			return store.ErrWrongKey
		}
		return exec(ctx, tx, "UPDATE agents SET certificate_expires_at = ? WHERE id = ?", millis(expires), id)
	})
}

// SeenAgent implements store.Agents.
func (s *Store) SeenAgent(ctx context.Context, id string, at time.Time, facts []byte) error {
	return s.write.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return exec(ctx, tx, "UPDATE agents SET last_seen_at = max(ifnull(last_seen_at, 0), ?), facts = ifnull(?, facts) WHERE id = ?",
			at.UnixMilli(), database.Document(facts), id)
	})
}

// SaveCatalogue implements store.Agents.
func (s *Store) SaveCatalogue(ctx context.Context, agent string, catalogue []byte) error {
	return s.write.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return exec(ctx, tx, "UPDATE agents SET catalogue = ?, catalogue_at = ? WHERE id = ?", database.Document(catalogue), millis(s.clock()), agent)
	})
}

// Catalogues implements store.Agents.
func (s *Store) Catalogues(ctx context.Context, organisation, site string) ([]store.Catalogue, error) {
	return list(ctx, s.read, scanCatalogue, `SELECT a.id, a.catalogue, a.catalogue_at FROM agents a JOIN sites s ON s.id = a.site
		WHERE s.organisation = ? AND a.site = ? AND a.revoked_at IS NULL AND a.catalogue IS NOT NULL
		ORDER BY a.catalogue_at DESC, a.id DESC LIMIT ?`, organisation, site, store.MaxPage)
}

func scanCatalogue(r row) (c store.Catalogue, err error) {
	err = r.Scan(&c.AgentID, jsonText{&c.Data}, moment{&c.UpdatedAt})
	return c, err
}
