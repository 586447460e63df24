package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"gantry/relay/store"
)

// DueWebhooks implements store.Outbox.
func (s *Store) DueWebhooks(ctx context.Context, until time.Time) ([]store.DueWebhook, error) {
	return list(ctx, s.read, func(r row) (d store.DueWebhook, err error) {
		err = r.Scan(&d.ID, moment{&d.At})
		return d, err
	}, `SELECT id, at FROM (SELECT id, max(ifnull(rests_until, 0), (SELECT min(next_at) FROM deliveries
			WHERE webhook = w.id AND next_at IS NOT NULL)) AS at FROM webhooks w WHERE state = 'active' AND deleted_at IS NULL)
		WHERE at <= ?`, millis(until))
}

// DueDeliveries implements store.Outbox.
func (s *Store) DueDeliveries(ctx context.Context, webhook string, underWay []int64, limit int) ([]store.DueDelivery, error) {
	numbers, err := json.Marshal(append([]int64{}, underWay...)) // an empty list, not null
	if err != nil {
		return nil, err
	}
	return list(ctx, s.read, func(r row) (d store.DueDelivery, err error) {
		err = r.Scan(&d.Number, &d.ID, &d.Subject, moment{&d.ExpiresAt}, &d.Attempts, &d.Body)
		return d, err
	}, `SELECT number, id, subject, expires_at, attempts, body FROM deliveries
		WHERE webhook = ? AND next_at IS NOT NULL AND next_at <= ? AND number NOT IN (SELECT value FROM json_each(?))
		ORDER BY next_at, number LIMIT ?`, webhook, millis(s.clock()), string(numbers), limit)
}

// SettleDeliveries implements store.Outbox.
func (s *Store) SettleDeliveries(ctx context.Context, webhook string, settled store.Settlement) error {
	return s.write.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return errors.Join(s.settle(ctx, tx, webhook, settled.Attempts), s.judge(ctx, tx, webhook, settled))
	})
}

// settle notes attempts. One that ended a delivery lets the next about its subject have its turn.
func (s *Store) settle(ctx context.Context, tx *sql.Tx, webhook string, attempts []store.Attempt) (err error) {
	note, err := tx.PrepareContext(ctx, `UPDATE deliveries SET state = ?, attempts = attempts + 1, next_at = ?, last_at = ?, status = ?, error = ?
		WHERE number = ? AND webhook = ? AND state = 'pending'`)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, note.Close()) }()
	turn, err := tx.PrepareContext(ctx, `UPDATE deliveries SET next_at = ?1 WHERE number = (SELECT number FROM deliveries
		WHERE webhook = ?2 AND subject = ?3 AND state = 'pending' ORDER BY number LIMIT 1) AND next_at IS NULL`)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, turn.Close()) }()
	now := millis(s.clock())
	for _, a := range attempts {
		_, err := note.ExecContext(ctx, string(a.State), millis(a.Next), millis(a.At), a.Status, a.Error, a.Number, webhook)
		if err == nil && a.State != store.DeliveryPending {
			_, err = turn.ExecContext(ctx, now, webhook, a.Subject)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// judge keeps what attempts tell of the webhook itself.
func (s *Store) judge(ctx context.Context, tx *sql.Tx, webhook string, settled store.Settlement) error {
	h := settled.Health
	_, err := tx.ExecContext(ctx, `UPDATE webhooks SET failures = ?, rests = ?, rests_until = ?, failing_since = ?, last_success_at = ?, last_error = ?
		WHERE id = ?`, h.Failures, h.Rests, millis(h.RestsUntil), millis(h.FailingSince), millis(h.LastSuccessAt), h.LastError, webhook)
	if err == nil && settled.Recovered {
		_, err = tx.ExecContext(ctx, "UPDATE deliveries SET next_at = ?1 WHERE webhook = ?2 AND next_at > ?1", millis(s.clock()), webhook)
	}
	if err == nil && settled.Disable != "" {
		_, err = tx.ExecContext(ctx, "UPDATE webhooks SET state = 'disabled', reason = ? WHERE id = ?", settled.Disable, webhook)
	}
	return err
}
