package sqlite

import (
	"context"
	"database/sql"

	"gantry/relay/records"
	"gantry/relay/store"
	"gantry/relay/store/database"
)

func scanChange(r database.Row) (c records.Change, err error) {
	var event sql.NullString
	err = r.Scan(&c.Number, &c.Message, &c.OrganisationID, &c.Connection, &c.Entity, &c.Kind, &c.Record, moment{&c.At}, &event)
	c.Event = raw(event)
	return c, err
}

// Changes implements records.Outbox.
func (s *Store) Changes(ctx context.Context, limit int) ([]records.Change, error) {
	return database.List(ctx, s.file.Reader(), scanChange, `SELECT o.number, o.message, s.organisation, s.connection, s.entity, o.kind, o.record, o.at, o.event
		FROM outbox o JOIN syncs s ON s.number = o.sync ORDER BY o.number LIMIT ?`, min(limit, store.MaxPage))
}

// Told implements records.Outbox.
func (s *Store) Told(ctx context.Context, number int64) error {
	return s.file.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM outbox WHERE number <= ?", number)
		return err
	})
}
