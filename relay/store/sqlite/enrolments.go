package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"gantry/relay/store"
	"gantry/relay/store/database"
)

// CreateEnrolment implements store.Enrolments.
func (s *Store) CreateEnrolment(ctx context.Context, organisation, site string, hash store.Hash, expires time.Time) (store.Enrolment, error) {
	now := s.clock()
	e := store.Enrolment{
		ID: store.NewID(store.EnrolmentID, now), OrganisationID: organisation, SiteID: site,
		CreatedAt: now, ExpiresAt: expires.UTC().Truncate(time.Millisecond),
	}
	return update(ctx, s.write, func(ctx context.Context, tx *sql.Tx) (store.Enrolment, error) {
		return e, exec(ctx, tx, `INSERT INTO enrolments (id, site, hash, created_at, expires_at)
			SELECT ?, id, ?, ?, ? FROM sites WHERE organisation = ? AND id = ? AND deleted_at IS NULL`,
			e.ID, hash[:], millis(now), millis(e.ExpiresAt), organisation, site)
	})
}

// Enrolment implements store.Enrolments.
func (s *Store) Enrolment(ctx context.Context, hash store.Hash) (store.Enrolment, error) {
	return s.findEnrolment(ctx, s.read, hash)
}

// findEnrolment gives the enrolment of a hash if it may still be used, or the reason why not.
func (s *Store) findEnrolment(ctx context.Context, q queryer, hash store.Hash) (store.Enrolment, error) {
	var e store.Enrolment
	var used, deleted bool
	err := q.QueryRowContext(ctx, `SELECT e.id, s.organisation, s.id, e.created_at, e.expires_at, e.used_by IS NOT NULL, s.deleted_at IS NOT NULL
		FROM enrolments e JOIN sites s ON s.id = e.site WHERE e.hash = ?`, hash[:]).
		Scan(&e.ID, &e.OrganisationID, &e.SiteID, moment{&e.CreatedAt}, moment{&e.ExpiresAt}, &used, &deleted)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		err = store.ErrTokenUnknown
	case err != nil:
		err = classify(err)
	case used:
		err = store.ErrTokenUsed
	case deleted:
		err = store.ErrSiteDeleted
	case !s.clock().Before(e.ExpiresAt):
		err = store.ErrTokenExpired
	default:
		return e, nil
	}
	return store.Enrolment{}, err
}

// Enrol implements store.Enrolments.
func (s *Store) Enrol(ctx context.Context, hash store.Hash, agent store.NewAgent) (store.Agent, error) {
	return update(ctx, s.write, func(ctx context.Context, tx *sql.Tx) (store.Agent, error) {
		e, err := s.findEnrolment(ctx, tx, hash)
		if err != nil {
			return store.Agent{}, err
		}
		err = exec(ctx, tx, `INSERT INTO agents (id, site, machine, key, facts, certificate_expires_at, enrolled_at)
			VALUES (?, ?, ?, ?, ?, ?, ?)`, agent.ID, e.SiteID, agent.MachineID, agent.Key[:], database.Document(agent.Facts),
			millis(agent.CertificateExpiresAt), millis(s.clock()))
		if err != nil {
			return store.Agent{}, err
		}
		if err := exec(ctx, tx, "UPDATE enrolments SET used_by = ? WHERE id = ?", agent.ID, e.ID); err != nil {
			return store.Agent{}, err
		}
		_, err = s.recordAudit(ctx, tx, store.AuditEntry{
			OrganisationID: e.OrganisationID, Actor: store.Actor{ID: e.ID, Name: "enrolment token", Role: store.Enroller}, Action: "agents.enrol",
			Subject: store.Subject{Target: agent.ID, SiteID: e.SiteID, AgentID: agent.ID}, Result: "OK",
		})
		if err != nil {
			return store.Agent{}, err
		}
		return findAgent(ctx, tx, agent.ID)
	})
}
