package sqlite

import (
	"context"
	"database/sql"

	"gantry/relay/store"
)

const auditColumns = `SELECT number, organisation, at, actor, actor_name, actor_role, action, target, site, agent, connection,
	request_id, result FROM audit`

func scanAudit(r row) (e store.AuditEntry, err error) {
	var number int
	err = r.Scan(&number, &e.OrganisationID, moment{&e.At}, &e.Actor.ID, &e.Actor.Name, &e.Actor.Role, &e.Action,
		&e.Subject.Target, &e.Subject.SiteID, &e.Subject.AgentID, &e.Subject.ConnectionID, &e.RequestID, &e.Result)
	e.ID = store.AuditID(number)
	return e, err
}

// RecordAudit implements store.Audit.
func (s *Store) RecordAudit(ctx context.Context, e store.AuditEntry) (store.AuditEntry, error) {
	return update(ctx, s.write, func(ctx context.Context, tx *sql.Tx) (store.AuditEntry, error) {
		return s.recordAudit(ctx, tx, e)
	})
}

// recordAudit adds an entry within a transaction. Writes run one at a time, so that the numbers have no gap.
func (s *Store) recordAudit(ctx context.Context, tx *sql.Tx, e store.AuditEntry) (store.AuditEntry, error) {
	e.At = s.clock()
	var number int
	err := tx.QueryRowContext(ctx, `INSERT INTO audit (number, organisation, at, actor, actor_name, actor_role, action, target, site, agent,
			connection, request_id, result)
		SELECT 1 + (SELECT ifnull(max(number), 0) FROM audit WHERE organisation = o.id), o.id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
		FROM organisations o WHERE o.id = ? RETURNING number`,
		millis(e.At), e.Actor.ID, e.Actor.Name, string(e.Actor.Role), e.Action, e.Subject.Target, e.Subject.SiteID, e.Subject.AgentID,
		e.Subject.ConnectionID, e.RequestID, e.Result, e.OrganisationID).Scan(&number)
	e.ID = store.AuditID(number)
	return e, err
}

// Audit implements store.Audit.
func (s *Store) Audit(ctx context.Context, organisation string, page store.Page) ([]store.AuditEntry, error) {
	after, _ := store.AuditNumber(page.After)
	return list(ctx, s.read, scanAudit, auditColumns+" WHERE organisation = ? AND number > ? ORDER BY number LIMIT ?", organisation, after, page.Size())
}

// AuditSize implements store.Audit.
func (s *Store) AuditSize(ctx context.Context, organisation string) (size int, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT ifnull(max(number), 0) FROM audit WHERE organisation = ?", organisation).Scan(&size)
	return size, classify(err)
}
