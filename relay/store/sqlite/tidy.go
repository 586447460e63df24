package sqlite

import (
	"context"
	"database/sql"
	"time"

	"gantry/relay/store"
)

// tidyRows is how many rows are changed at a time, so that no other write waits long.
const tidyRows = 500

// grace is how long a delivery whose time is over may still wait for its last attempt: its receiver may rest until then, for up to 38
// minutes by itself.
const grace = time.Hour

// untidy is a webhook as far as its deliveries are tidied by it.
type untidy struct {
	id      string
	gone    bool
	failing bool // deliveries that are too old are given up unseen
	shut    bool // there will be no delivery
}

func scanUntidy(r row) (u untidy, err error) {
	err = r.Scan(&u.id, &u.gone, &u.failing, &u.shut)
	return u, err
}

// TidyDeliveries implements store.Outbox.
func (s *Store) TidyDeliveries(ctx context.Context, keep store.Retention) (bool, error) {
	webhooks, err := list(ctx, s.read, scanUntidy, `SELECT id, deleted_at IS NOT NULL, state <> 'active' OR rests > 0, state = 'disabled' FROM webhooks`)
	if err != nil {
		return false, err
	}
	var more bool
	for _, w := range webhooks {
		left, err := s.tidy(ctx, w, keep)
		if err != nil {
			return false, err
		}
		more = more || left
	}
	return more, nil
}

// tidy does one step of each kind for a webhook. It tells whether a step found as much as it may do at a time.
func (s *Store) tidy(ctx context.Context, w untidy, keep store.Retention) (more bool, err error) {
	if w.gone {
		return s.remove(ctx, w.id)
	}
	if w.failing {
		if more, err = s.giveUp(ctx, w); err != nil {
			return false, err
		}
	}
	for _, kept := range []struct {
		state store.DeliveryState
		life  time.Duration
		most  int
	}{{store.Delivered, keep.Delivered, keep.MaxDelivered}, {store.DeliveryFailed, keep.Failed, keep.MaxFailed}} {
		left, err := s.forget(ctx, w.id, kept.state, s.clock().Add(-kept.life), kept.most)
		if err != nil {
			return false, err
		}
		more = more || left
	}
	return more, s.relieve(ctx, w, keep.MaxWaiting)
}

// remove removes what is left of a webhook that was deleted.
func (s *Store) remove(ctx context.Context, webhook string) (bool, error) {
	return s.step(ctx, func(ctx context.Context, tx *sql.Tx) (int, error) {
		removed, err := list(ctx, tx, scanNumber, `DELETE FROM deliveries WHERE number IN
			(SELECT number FROM deliveries WHERE webhook = ? LIMIT ?) RETURNING number`, webhook, tidyRows)
		if err == nil && len(removed) < tidyRows {
			err = exec(ctx, tx, "DELETE FROM webhooks WHERE id = ?", webhook)
		}
		return len(removed), err
	})
}

// giveUp ends deliveries that nothing will be heard of in time. It looks before it writes: mostly there are none.
func (s *Store) giveUp(ctx context.Context, w untidy) (bool, error) {
	const which = `SELECT number FROM deliveries WHERE webhook = ?1 AND state = 'pending' AND (?2 OR expires_at < ?3) LIMIT ?4`
	now := s.clock()
	found, err := list(ctx, s.read, scanNumber, which, w.id, w.shut, millis(now.Add(-grace)), 1)
	if err != nil || len(found) == 0 {
		return false, err
	}
	return s.step(ctx, func(ctx context.Context, tx *sql.Tx) (int, error) {
		subjects, err := list(ctx, tx, scanID, `UPDATE deliveries SET state = 'failed', next_at = NULL, last_at = ?5,
				error = CASE WHEN error = '' THEN 'It was not sent: the webhook was not to be reached in time.' ELSE error END
			WHERE number IN (`+which+`) RETURNING subject`, w.id, w.shut, millis(now.Add(-grace)), tidyRows, millis(now))
		if err != nil {
			return 0, err
		}
		_, err = tx.ExecContext(ctx, `UPDATE deliveries SET next_at = ?1 WHERE next_at IS NULL AND number IN (SELECT min(number) FROM deliveries
			WHERE webhook = ?2 AND state = 'pending' AND subject IN (SELECT value FROM json_each(?3)) GROUP BY subject)`,
			millis(now), w.id, listText(subjects))
		return len(subjects), err
	})
}

// forget removes deliveries that ended before a time, and the oldest of those that are more than so many.
func (s *Store) forget(ctx context.Context, webhook string, state store.DeliveryState, before time.Time, most int) (bool, error) {
	const which = `SELECT number FROM deliveries WHERE webhook = ?1 AND state = ?2 AND (last_at < ?3 OR number <= ifnull((SELECT number FROM deliveries
		WHERE webhook = ?1 AND state = ?2 ORDER BY number DESC LIMIT 1 OFFSET ?4), 0)) ORDER BY number LIMIT ?5`
	found, err := list(ctx, s.read, scanNumber, which, webhook, string(state), millis(before), most, 1)
	if err != nil || len(found) == 0 {
		return false, err
	}
	return s.step(ctx, func(ctx context.Context, tx *sql.Tx) (int, error) {
		removed, err := list(ctx, tx, scanNumber, "DELETE FROM deliveries WHERE number IN ("+which+") RETURNING number",
			webhook, string(state), millis(before), most, tidyRows)
		return len(removed), err
	})
}

// relieve disables a webhook for which too much waits.
func (s *Store) relieve(ctx context.Context, w untidy, most int) error {
	if w.shut {
		return nil
	}
	over, err := list(ctx, s.read, scanNumber, "SELECT number FROM deliveries WHERE webhook = ? AND state = 'pending' LIMIT 1 OFFSET ?", w.id, most)
	if err != nil || len(over) == 0 {
		return err
	}
	return s.write.do(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return unaffected(exec(ctx, tx, "UPDATE webhooks SET state = 'disabled', reason = 'Too many messages were waiting for it.' WHERE id = ?", w.id))
	})
}

// step runs a write that changes a number of rows, and tells whether it changed as many as it may.
func (s *Store) step(ctx context.Context, write func(context.Context, *sql.Tx) (int, error)) (bool, error) {
	n, err := update(ctx, s.write, write)
	return n >= tidyRows, err
}

func scanNumber(r row) (number int64, err error) {
	err = r.Scan(&number)
	return number, err
}
