package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"gantry/relay/store"
	"gantry/relay/store/database"
)

const eventColumns = "id, organisation, site, agent, connection, at, level, kind, entity, operation, code, request_id, message, data"

func scanEvent(r row) (e store.Event, err error) {
	var level int
	err = r.Scan(&e.ID, &e.OrganisationID, &e.SiteID, &e.AgentID, &e.ConnectionID, moment{&e.At}, &level, &e.Kind, &e.Entity,
		&e.Operation, &e.Code, &e.RequestID, &e.Message, jsonText{&e.Data})
	if levels := store.Levels(); level >= 1 && level <= len(levels) {
		e.Level = levels[level-1]
	}
	return e, err
}

// AppendEvents implements store.Events.
func (s *Store) AppendEvents(ctx context.Context, events ...store.NewEvent) error {
	if len(events) == 0 {
		return nil
	}
	return s.write.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, e := range events {
			if _, err := s.appendEvent(ctx, tx, e); err != nil {
				return fmt.Errorf("append event %s: %w", e.Kind, err)
			}
		}
		return nil
	})
}

// appendEvent adds an event within a transaction. Whatever has to follow from an event without fail belongs here.
func (s *Store) appendEvent(ctx context.Context, tx *sql.Tx, n store.NewEvent) (store.Event, error) {
	e := store.Event{NewEvent: n}
	log, err := completeEvent(&e, s.clock())
	if err != nil {
		return e, err
	}
	number, err := s.placeEvent(ctx, tx, log, &e)
	if err != nil {
		return e, err
	}
	level := slices.Index(store.Levels(), e.Level) + 1
	err = exec(ctx, tx, `INSERT INTO events (log, number, `+eventColumns+`)
		SELECT ?, ?, ?, id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM organisations WHERE id = ?`,
		log, number, e.ID, e.SiteID, e.AgentID, e.ConnectionID, millis(e.At), level, string(e.Kind), e.Entity, e.Operation, e.Code,
		e.RequestID, e.Message, database.Document(e.Data), e.OrganisationID)
	if err != nil {
		return e, err
	}
	if message, tells := store.Tells(e); tells {
		if err := s.addDeliveries(ctx, tx, e.OrganisationID, []store.NewDelivery{message}); err != nil {
			return e, err
		}
	}
	return e, trimEvents(ctx, tx, log, number-store.MaxEvents)
}

// completeEvent bounds an event and names its log.
func completeEvent(e *store.Event, now time.Time) (log string, err error) {
	if e.At.IsZero() {
		e.At = now
	}
	e.At = e.At.UTC().Truncate(time.Millisecond)
	if utf8.RuneCountInString(e.Message) > store.MaxEventMessage {
		e.Message = string([]rune(e.Message)[:store.MaxEventMessage-1]) + "…"
	}
	if log = e.ConnectionID; log == "" {
		log = e.AgentID
	}
	switch {
	case log == "":
		return "", errors.New("it names neither a connection nor an agent")
	case len(e.Data) > store.MaxEventData:
		return "", fmt.Errorf("its data are larger than %d bytes", store.MaxEventData)
	}
	return log, nil
}

// placeEvent gives an event its id and its number in the log. Ids follow one another in each log, and over all logs since
// the store was opened, so that a reader of two logs misses nothing either.
func (s *Store) placeEvent(ctx context.Context, tx *sql.Tx, log string, e *store.Event) (number int, err error) {
	var last string
	err = tx.QueryRowContext(ctx, "SELECT id, number FROM events WHERE log = ? ORDER BY id DESC LIMIT 1", log).Scan(&last, &number)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, err
	}
	e.ID = store.NextID(store.EventID, s.now(), max(last, s.lastEvent))
	s.lastEvent = e.ID
	return number + 1, nil
}

// trimEvents removes the events of a log up to a number. Mostly that is one, found at the log's beginning.
func trimEvents(ctx context.Context, tx *sql.Tx, log string, upTo int) error {
	if upTo < 1 {
		return nil
	}
	var first int
	if err := tx.QueryRowContext(ctx, "SELECT number FROM events WHERE log = ? ORDER BY id LIMIT 1", log).Scan(&first); err != nil {
		return err
	}
	if first > upTo {
		return nil
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM events WHERE log = ?1 AND id IN (SELECT id FROM events WHERE log = ?1 ORDER BY id LIMIT ?2)",
		log, upTo-first+1)
	return err
}

// selectEvents reads the logs of a connection and of its agent, each in its order, and merges them.
const selectEvents = `WITH asked AS (SELECT agent, created_at FROM connections WHERE id = ?1 AND organisation = ?2)
	SELECT ` + eventColumns + ` FROM events WHERE log = ?1 AND organisation = ?2 AND id > ?3 AND ` + eventFilter + `
	UNION ALL
	SELECT ` + eventColumns + ` FROM events WHERE log = (SELECT agent FROM asked) AND organisation = ?2 AND id > ?3
		AND at >= (SELECT created_at FROM asked) AND ` + eventFilter + `
	ORDER BY id `

const eventFilter = `id < ?9 AND level >= ?4 AND (?5 = '' OR entity = ?5) AND (?6 = '' OR kind = ?6 OR kind >= ?6 || '.' AND kind < ?6 || '/')
		AND (?7 = '' OR request_id = ?7 OR instr(data, '"' || ?7 || '"') > 0)`

// noEvent sorts behind the id of every event.
const noEvent = "~"

// Events implements store.Events.
func (s *Store) Events(ctx context.Context, organisation, connection string, filter store.EventFilter, page store.Page) ([]store.Event, error) {
	return s.listEvents(ctx, "ASC LIMIT ?8", organisation, connection, page.After, filter, page.Size())
}

// LastEvents implements store.Events.
func (s *Store) LastEvents(ctx context.Context, organisation, connection string, filter store.EventFilter, n int) ([]store.Event, error) {
	events, err := s.listEvents(ctx, "DESC LIMIT ?8", organisation, connection, "", filter, store.Page{Limit: n}.Size())
	slices.Reverse(events)
	return events, err
}

func (s *Store) listEvents(ctx context.Context, order, organisation, connection, after string, filter store.EventFilter, limit int) ([]store.Event, error) {
	return list(ctx, s.read, scanEvent, selectEvents+order, connection, organisation, after,
		slices.Index(store.Levels(), filter.Level)+1, filter.Entity, string(filter.Kind), filter.RequestID, limit, cmp.Or(filter.Before, noEvent))
}
