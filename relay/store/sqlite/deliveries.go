package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"gantry/relay/store"
)

const deliveryColumns = "SELECT id, webhook, kind, subject, state, created_at, expires_at, attempts, next_at, last_at, status, error FROM deliveries"

// deliveryTargets are the places for deliveryColumns.
func deliveryTargets(d *store.Delivery) []any {
	return []any{
		&d.ID, &d.WebhookID, &d.Kind, &d.Subject, &d.State, moment{&d.CreatedAt}, moment{&d.ExpiresAt}, &d.Attempts,
		moment{&d.NextAttemptAt}, moment{&d.LastAttemptAt}, &d.Status, &d.Error,
	}
}

func scanDelivery(r row) (d store.Delivery, err error) {
	err = r.Scan(deliveryTargets(&d)...)
	return d, err
}

func findDelivery(ctx context.Context, q queryer, webhook, id string) (store.Delivery, error) {
	return one(ctx, q, scanDelivery, deliveryColumns+" WHERE webhook = ? AND id = ?", webhook, id)
}

// AddDeliveries implements store.Deliveries.
func (s *Store) AddDeliveries(ctx context.Context, organisation string, messages []store.NewDelivery) error {
	if len(messages) == 0 {
		return nil
	}
	return s.write.do(ctx, func(ctx context.Context, tx *sql.Tx) error { return s.addDeliveries(ctx, tx, organisation, messages) })
}

// addDeliveries adds messages within a transaction.
func (s *Store) addDeliveries(ctx context.Context, tx *sql.Tx, organisation string, messages []store.NewDelivery) error {
	webhooks, err := list(ctx, tx, scanWebhook, selectWebhooks+" AND organisation = ? AND state <> 'disabled'", organisation)
	if err != nil || len(webhooks) == 0 {
		return err
	}
	add, err := s.adder(ctx, tx)
	if err != nil {
		return err
	}
	for _, m := range messages {
		for _, w := range webhooks {
			if w.Wants(m) {
				err = errors.Join(err, add.message(ctx, w.ID, m))
			}
		}
	}
	return errors.Join(err, add.statement.Close())
}

// adder adds messages to the outbox of webhooks.
type adder struct {
	statement *sql.Stmt
	now       any
	expires   any
}

// insertDelivery gives a message its turn at once, if nothing about its subject is before it.
const insertDelivery = `INSERT INTO deliveries (webhook, id, kind, subject, state, created_at, expires_at, next_at, body)
	VALUES (?1, ?2, ?3, ?4, 'pending', ?5, ?6,
		CASE WHEN EXISTS (SELECT 1 FROM deliveries WHERE webhook = ?1 AND subject = ?4 AND state = 'pending') THEN NULL ELSE ?5 END, ?7)
	ON CONFLICT DO NOTHING`

func (s *Store) adder(ctx context.Context, tx *sql.Tx) (adder, error) {
	now := s.clock()
	statement, err := tx.PrepareContext(ctx, insertDelivery)
	return adder{statement, millis(now), millis(now.Add(store.DeliveryLife))}, err
}

func (a adder) message(ctx context.Context, webhook string, m store.NewDelivery) error {
	body, err := m.Body()
	if err != nil {
		return err
	}
	_, err = a.statement.ExecContext(ctx, webhook, m.ID, string(m.Kind), m.Subject, a.now, a.expires, string(body))
	return err
}

// AddTest implements store.Deliveries.
func (s *Store) AddTest(ctx context.Context, organisation, webhook string) (store.Delivery, error) {
	now := s.clock()
	test := store.NewDelivery{
		ID: store.NewID(store.EventID, now), Kind: store.WebhookTest, At: now, Subject: webhook, Data: testData(webhook),
	}
	return update(ctx, s.write, func(ctx context.Context, tx *sql.Tx) (store.Delivery, error) {
		if err := active(ctx, tx, organisation, webhook); err != nil {
			return store.Delivery{}, err
		}
		add, err := s.adder(ctx, tx)
		if err != nil {
			return store.Delivery{}, err
		}
		if err := errors.Join(add.message(ctx, webhook, test), add.statement.Close()); err != nil {
			return store.Delivery{}, err
		}
		return findDelivery(ctx, tx, webhook, test.ID)
	})
}

func testData(webhook string) json.RawMessage {
	text, _ := json.Marshal(map[string]string{"webhook_id": webhook, "message": "The webhook works."})
	return text
}

// Deliveries implements store.Deliveries.
func (s *Store) Deliveries(ctx context.Context, organisation, webhook string, filter store.DeliveryFilter, page store.Page) ([]store.Delivery, error) {
	return ofWebhook(ctx, s, organisation, webhook, func(q queryer) ([]store.Delivery, error) {
		return list(ctx, q, scanDelivery, deliveryColumns+` WHERE webhook = ?1 AND (?2 = '' OR state = ?2)
			AND (?3 = '' OR number < (SELECT number FROM deliveries WHERE webhook = ?1 AND id = ?3)) ORDER BY number DESC LIMIT ?4`,
			webhook, string(filter.State), page.After, page.Size())
	})
}

// Delivery implements store.Deliveries.
func (s *Store) Delivery(ctx context.Context, organisation, webhook, id string) (store.Delivery, error) {
	return ofWebhook(ctx, s, organisation, webhook, func(q queryer) (store.Delivery, error) {
		d, err := findDelivery(ctx, q, webhook, id)
		if err == nil {
			err = q.QueryRowContext(ctx, "SELECT body FROM deliveries WHERE webhook = ? AND id = ?", webhook, id).Scan(jsonText{&d.Body})
		}
		return d, classify(err)
	})
}

// ResendDelivery implements store.Deliveries. One that waits for its turn goes on waiting, with its time before it.
func (s *Store) ResendDelivery(ctx context.Context, organisation, webhook, id string) (store.Delivery, error) {
	now := s.clock()
	return update(ctx, s.write, func(ctx context.Context, tx *sql.Tx) (store.Delivery, error) {
		if err := active(ctx, tx, organisation, webhook); err != nil {
			return store.Delivery{}, err
		}
		err := exec(ctx, tx, `UPDATE deliveries AS d SET state = 'pending', attempts = 0, expires_at = ?4, next_at = CASE
				WHEN EXISTS (SELECT 1 FROM deliveries WHERE webhook = ?1 AND subject = d.subject AND state = 'pending' AND number <> d.number
					AND next_at IS NOT NULL) THEN NULL ELSE ?3 END
			WHERE webhook = ?1 AND id = ?2`, webhook, id, millis(now), millis(now.Add(store.DeliveryLife)))
		if err != nil {
			return store.Delivery{}, err
		}
		return findDelivery(ctx, tx, webhook, id)
	})
}
