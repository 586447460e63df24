package journal

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"gantry/tunnel/fault"
)

// Ticket is one write that holds its key. It is used by one goroutine.
type Ticket struct {
	journal *Journal
	call    Call
	entry   *Entry // what was on disk when the ticket was made; nil: nothing
	started bool   // an entry in state started is ours
}

// Replay gives the first result of a write that ended, done or rejected.
func (t *Ticket) Replay() (Entry, bool) {
	if t.entry == nil || (t.entry.State != Done && t.entry.State != Rejected) {
		return Entry{}, false
	}
	return *t.entry, true
}

// Unsettled says that an earlier try under this key may or may not have had its effect.
func (t *Ticket) Unsettled() bool {
	return t.entry != nil && t.entry.State == Unknown
}

// Age is how long ago the last try under this key began; 0 where there was none.
func (t *Ticket) Age() time.Duration {
	if t.entry == nil {
		return 0
	}
	return t.journal.now().Sub(t.entry.StartedAt)
}

// Start puts the write on disk as started. Only after it may the effect happen.
func (t *Ticket) Start(ctx context.Context) error {
	c := t.call
	_, err := t.journal.db.ExecContext(ctx, `INSERT INTO journal (connection, key, fingerprint, method, path, request_id, state, started_at)
		VALUES (?, ?, ?, ?, ?, ?, 'started', ?)
		ON CONFLICT (connection, key) DO UPDATE SET state = 'started', request_id = excluded.request_id, started_at = excluded.started_at`,
		c.Connection, c.Key, c.Fingerprint[:], c.Method, c.Path, c.RequestID, t.journal.now().UnixMilli())
	if err != nil {
		return broken("written", fault.NotSent, err)
	}
	t.started = true
	return nil
}

// Finish puts the result on disk. Only after it may the answer be sent: a result that cannot be kept is an error with
// the outcome unknown. The state is Done, Rejected or Unknown.
func (t *Ticket) Finish(ctx context.Context, state State, r Result) error {
	header, err := json.Marshal(r.Header)
	if err != nil {
		return broken("written", fault.Unknown, err)
	}
	body := r.Body
	if len(body) > MaxBody {
		body = nil // such an entry is Lost
	} else if body == nil {
		body = []byte{}
	}
	_, err = t.journal.db.ExecContext(ctx, `UPDATE journal SET state = ?, status = ?, header = ?, body = ?, ended_at = ? WHERE connection = ? AND key = ?`,
		state, r.Status, string(header), body, t.journal.now().UnixMilli(), t.call.Connection, t.call.Key)
	if err != nil {
		return broken("written", fault.Unknown, err)
	}
	t.started = false
	return nil
}

// Drop takes the entry away: the write never reached the system, and its key runs again.
func (t *Ticket) Drop(ctx context.Context) error {
	if _, err := t.journal.db.ExecContext(ctx, "DELETE FROM journal WHERE connection = ? AND key = ?", t.call.Connection, t.call.Key); err != nil {
		return broken("written", fault.NotSent, err)
	}
	t.started = false
	return nil
}

// Leave gives the key back. A write that was started and neither finished nor dropped, as after a panic, is left as
// unknown; where even that cannot be written the entry stays started, which means the same to the next reader.
func (t *Ticket) Leave() {
	if t.started {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_, _ = t.journal.db.ExecContext(ctx, "UPDATE journal SET state = 'unknown' WHERE connection = ? AND key = ?", t.call.Connection, t.call.Key)
	}
	t.journal.release(runningKey{t.call.Connection, t.call.Key})
}

// read looks the key up. An entry older than Keep counts as none, unless nobody knows what became of it.
func (t *Ticket) read(ctx context.Context) error {
	row := t.journal.db.QueryRowContext(ctx, "SELECT "+entryColumns+" FROM journal WHERE connection = ? AND key = ?", t.call.Connection, t.call.Key)
	entry, fingerprint, err := scanEntry(row)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return broken("read", fault.NotSent, err)
	case t.journal.now().Sub(entry.StartedAt) > Keep && entry.State != Unknown && entry.State != Started:
		return t.Drop(ctx)
	case subtle.ConstantTimeCompare(fingerprint, t.call.Fingerprint[:]) != 1:
		return fault.New(fault.IdempotencyKeyReused, "The Idempotency-Key was used before, for %s %s with another body or path.", entry.Method, entry.Path).
			Ended(fault.NotSent)
	}
	if entry.State == Started {
		entry.State = Unknown // nobody runs it: its runner died
	}
	t.entry = &entry
	return nil
}

const entryColumns = "connection, key, method, path, request_id, state, status, header, body, body IS NULL AND ended_at IS NOT NULL, started_at, fingerprint"

type scanner interface{ Scan(...any) error }

func scanEntry(row scanner) (Entry, []byte, error) {
	var e Entry
	var header string
	var started int64
	var fingerprint []byte
	err := row.Scan(&e.Connection, &e.Key, &e.Method, &e.Path, &e.RequestID, &e.State, &e.Result.Status, &header, &e.Result.Body, &e.Lost, &started, &fingerprint)
	if err != nil {
		return Entry{}, nil, err
	}
	if err := json.Unmarshal([]byte(header), &e.Result.Header); err != nil {
		return Entry{}, nil, err
	}
	e.StartedAt = time.UnixMilli(started).UTC()
	return e, fingerprint, nil
}
