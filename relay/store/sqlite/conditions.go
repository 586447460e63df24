package sqlite

import (
	"context"
	"database/sql"

	"gantry/relay/store"
	"gantry/relay/store/database"
)

// SaveConditions implements store.Conditions.
func (s *Store) SaveConditions(ctx context.Context, conditions ...store.Condition) error {
	if len(conditions) == 0 {
		return nil
	}
	return s.write.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		save, err := tx.PrepareContext(ctx, `INSERT INTO conditions (connection, state, since, reauth, matrix)
			SELECT id, ?, ?, ?, ? FROM connections WHERE id = ?
			ON CONFLICT DO UPDATE SET state = excluded.state, since = excluded.since, reauth = excluded.reauth, matrix = excluded.matrix`)
		if err != nil {
			return err
		}
		defer save.Close() //nolint:errcheck // it was only read
		for _, c := range conditions {
			if _, err := save.ExecContext(ctx, c.State, millis(c.Since), c.Reauth, database.Document(c.Matrix), c.ConnectionID); err != nil {
				return err
			}
		}
		return nil
	})
}

// Conditions implements store.Conditions.
func (s *Store) Conditions(ctx context.Context, page store.Page) ([]store.ConnectionCondition, error) {
	return list(ctx, s.read, scanCondition, "SELECT ifnull(d.state, ''), d.since, ifnull(d.reauth, 0), d.matrix, "+connectionColumns+
		" FROM connections c LEFT JOIN conditions d ON d.connection = c.id WHERE c.state = 'active' AND c.id > ? ORDER BY c.id LIMIT ?",
		page.After, page.Size())
}

func scanCondition(r row) (c store.ConnectionCondition, err error) {
	d := &c.Condition
	err = r.Scan(append([]any{&d.State, moment{&d.Since}, &d.Reauth, jsonText{&d.Matrix}}, connectionTargets(&c.Connection)...)...)
	d.ConnectionID = c.Connection.ID
	return c, err
}
