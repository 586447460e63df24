package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"gantry/relay/records"
	"gantry/relay/store/database"
)

// keeper takes one page within its transaction.
type keeper struct {
	ctx  context.Context
	sync *sync
	now  time.Time

	find, add, change, see, tell *sql.Stmt
}

// The statements of a page.
const (
	findRecord   = "SELECT number, hash, version, deleted_at FROM records WHERE sync = ? AND id = ?"
	addRecord    = `INSERT INTO records (sync, id, hash, version, modified, created_at, deleted_at, status, document) VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?)`
	changeRecord = `UPDATE records SET hash = ?, version = ?, modified = ?, created_at = ?, deleted_at = ?, status = ?, document = ? WHERE number = ?`
	seeRecord    = "INSERT OR IGNORE INTO seen (sync, record) VALUES (?, ?)"
	tellChange   = "INSERT INTO outbox (sync, message, kind, record, at) VALUES (?, ?, ?, ?, ?)"
	// loseRecord writes the deletion into the document as well, in the form of the others.
	loseRecord = `UPDATE records SET version = version + 1, deleted_at = ?1, modified = ?1, document = json_set(document, '$.deleted_at', ?2)
		WHERE number = ?3`
)

// Keep implements records.Runs.
func (s *Store) Keep(ctx context.Context, key records.Key, page records.Page) (records.Run, error) {
	now := s.clock()
	found, err := s.during(ctx, key, page.Run, func(ctx context.Context, tx *sql.Tx, found *sync) error {
		k := &keeper{ctx: ctx, sync: found, now: now}
		if err := k.prepare(tx); err != nil {
			return err
		}
		for i := range page.Records {
			if err := k.keep(&page.Records[i]); err != nil {
				return fmt.Errorf("keep record %s: %w", page.Records[i].ID, err)
			}
		}
		for _, id := range page.Gone {
			if err := k.lose(tx, id); err != nil {
				return fmt.Errorf("delete record %s: %w", id, err)
			}
		}
		found.Run.Stage, found.Run.Cursor = page.Stage, page.Cursor
		if page.Newest.After(found.Run.Newest) {
			found.Run.Newest = page.Newest.UTC().Truncate(time.Microsecond)
		}
		found.Failures, found.Problem, found.ProblemAt = 0, nil, time.Time{} // it works again
		return nil
	})
	if err != nil {
		return records.Run{}, err
	}
	return *found.Run, nil
}

func (k *keeper) prepare(tx *sql.Tx) error {
	for statement, text := range map[**sql.Stmt]string{
		&k.find: findRecord, &k.add: addRecord, &k.change: changeRecord, &k.see: seeRecord, &k.tell: tellChange,
	} {
		made, err := tx.PrepareContext(k.ctx, text) // the transaction's end closes it
		if err != nil {
			return err
		}
		*statement = made
	}
	return nil
}

// row is what is stored of a record already.
type row struct {
	number, version int64
	hash            []byte
	deleted         time.Time
}

func scanRow(r database.Row) (found row, err error) {
	return found, r.Scan(&found.number, &found.hash, &found.version, moment{&found.deleted})
}

// keep takes one record.
func (k *keeper) keep(r *records.Record) error {
	found, err := scanRow(k.find.QueryRowContext(k.ctx, k.sync.number, r.ID))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return k.addNew(r)
	case err != nil:
		return err
	}
	if err := k.saw(found.number); err != nil {
		return err
	}
	same := string(found.hash) == string(r.Hash[:])
	if same && found.deleted.IsZero() == r.DeletedAt.IsZero() {
		k.sync.Run.Unchanged++
		return nil
	}
	_, err = k.change.ExecContext(k.ctx, r.Hash[:], found.version+1, k.modified(r), micros(r.CreatedAt), micros(r.DeletedAt), text(r.Status),
		string(r.Document), found.number)
	if err != nil {
		return err
	}
	return k.changed(r, found)
}

// changed tells what became of a record that was stored before.
func (k *keeper) changed(r *records.Record, found row) error {
	was, is := found.deleted.IsZero(), r.DeletedAt.IsZero()
	kind := records.Updated
	switch {
	case was && !is:
		kind = records.Deleted
		k.count(kind, -1, +1)
	case !was && is:
		kind = records.Created
		k.count(kind, +1, -1)
	case !is: // what happens to a record that is gone interests nobody
		k.sync.Run.Unchanged++
		return nil
	default:
		k.count(kind, 0, 0)
	}
	return k.outbox(kind, r.ID, found.version+1, r.Hash[:])
}

func (k *keeper) addNew(r *records.Record) error {
	result, err := k.add.ExecContext(k.ctx, k.sync.number, r.ID, r.Hash[:], k.modified(r), micros(r.CreatedAt), micros(r.DeletedAt), text(r.Status),
		string(r.Document))
	if err != nil {
		return err
	}
	number, err := result.LastInsertId()
	if err != nil {
		return err
	}
	if err := k.saw(number); err != nil {
		return err
	}
	if !r.DeletedAt.IsZero() { // nobody has heard of it: there is nothing to tell
		k.sync.Gone++
		k.sync.Run.Unchanged++
		return nil
	}
	k.count(records.Created, +1, 0)
	return k.outbox(records.Created, r.ID, 1, r.Hash[:])
}

// lose marks a record that the source does not have any more.
func (k *keeper) lose(tx *sql.Tx, id string) error {
	found, err := scanRow(k.find.QueryRowContext(k.ctx, k.sync.number, id))
	if errors.Is(err, sql.ErrNoRows) || err == nil && !found.deleted.IsZero() {
		return nil
	}
	if err != nil {
		return err
	}
	if err := database.Exec(k.ctx, tx, loseRecord, k.now.UnixMicro(), k.now.Format(time.RFC3339Nano), found.number); err != nil {
		return err
	}
	k.count(records.Deleted, -1, +1)
	return k.outbox(records.Deleted, id, found.version+1, found.hash)
}

// saw notes that a run which compares has seen the record.
func (k *keeper) saw(number int64) error {
	if !k.sync.Run.Compares {
		return nil
	}
	_, err := k.see.ExecContext(k.ctx, k.sync.number, number)
	return err
}

func (k *keeper) count(kind records.ChangeKind, live, gone int) {
	run, total := k.sync.Run, &k.sync.Total
	switch kind {
	case records.Created:
		run.Created, total.Created = run.Created+1, total.Created+1
	case records.Updated:
		run.Updated, total.Updated = run.Updated+1, total.Updated+1
	case records.Deleted:
		run.Deleted, total.Deleted = run.Deleted+1, total.Deleted+1
	}
	k.sync.Live, k.sync.Gone = k.sync.Live+live, k.sync.Gone+gone
}

// modified is the time by which changes are listed.
func (k *keeper) modified(r *records.Record) int64 {
	switch {
	case !r.DeletedAt.IsZero():
		return k.now.UnixMicro() // its flag may tell a time that readers have passed
	case r.UpdatedAt.IsZero():
		return k.now.UnixMicro()
	}
	return r.UpdatedAt.UnixMicro()
}

// outbox tells a change. The id of its message follows from what changed.
func (k *keeper) outbox(kind records.ChangeKind, id string, version int64, hash []byte) error {
	_, err := k.tell.ExecContext(k.ctx, k.sync.number, k.message(kind, id, version, hash), string(kind), id, k.now.UnixMicro())
	return err
}

var base = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

func (k *keeper) message(kind records.ChangeKind, id string, version int64, hash []byte) string {
	b := append(make([]byte, 0, 128), k.sync.epoch...)
	b = append(binary.BigEndian.AppendUint64(b, uint64(version)), hash...)
	b = append(append(append(b, kind...), 0), id...)
	sum := sha256.Sum256(b)
	return "msg_" + base.EncodeToString(sum[:16])
}

// text writes a text; none is NULL.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}
