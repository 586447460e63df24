package database

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// maxBatch is how many writes share a commit at most, so that none waits long for the others.
const maxBatch = 64

// writer runs every write, one after the other, and commits those that came while the last commit was under way
// together: a commit costs an fsync, whatever it holds. Each write runs in a savepoint of its own, so that one that fails
// takes nothing of its neighbours with it, and nobody is answered before the commit.
type writer struct {
	db       *sql.DB
	requests chan *request
	stopped  chan struct{} // closed by close: no more requests
	done     chan struct{} // closed when the loop has ended
	once     sync.Once
}

// request is one write on its way.
type request struct {
	ctx    context.Context
	write  func(context.Context, *sql.Tx) error
	err    error
	answer chan struct{} // closed when err stands
}

var errClosed = errors.New("the store is closed")

func newWriter(db *sql.DB) *writer {
	w := &writer{db: db, requests: make(chan *request), stopped: make(chan struct{}), done: make(chan struct{})}
	go w.loop()
	return w
}

// do runs a write and waits for its commit. A ctx that ends while the write waits in line takes it out; once it runs,
// the answer is waited for, so that nobody has to wonder whether it happened.
func (w *writer) do(ctx context.Context, write func(context.Context, *sql.Tx) error) error {
	r := &request{ctx: ctx, write: write, answer: make(chan struct{})}
	select {
	case w.requests <- r:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.stopped:
		return errClosed
	}
	<-r.answer
	return Classify(r.err)
}

// close ends the loop, after the batch that is under way, and the database.
func (w *writer) close() error {
	w.once.Do(func() { close(w.stopped) })
	<-w.done
	return w.db.Close()
}

func (w *writer) loop() {
	defer close(w.done)
	for {
		select {
		case <-w.stopped:
			return
		case first := <-w.requests:
			w.commit(w.gather(first))
		}
	}
}

// gather takes the first write and those that are waiting behind it; it waits for none. The channel has no buffer, so
// that whoever waits can still turn away.
func (w *writer) gather(first *request) []*request {
	batch := []*request{first}
	for len(batch) < maxBatch {
		select {
		case next := <-w.requests:
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}

// commit runs a batch in one transaction and answers each of its writes. It has no deadline: the statements are small,
// and a caller that gave up must not undo the writes of the others.
func (w *writer) commit(batch []*request) {
	err := w.transact(batch)
	for _, r := range batch {
		if r.err == nil {
			r.err = err
		}
		close(r.answer)
	}
}

func (w *writer) transact(batch []*request) error {
	ctx := context.Background()
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for _, r := range batch {
		if r.err = r.ctx.Err(); r.err != nil {
			continue
		}
		if err := r.run(ctx, tx); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	if err := tx.Commit(); err != nil {
		_, _ = w.db.ExecContext(ctx, "ROLLBACK") // a failed commit may leave it open; where it did not, this fails too
		return err
	}
	return nil
}

// run makes one write within a savepoint. Its own failure is r.err; an error means that the transaction is lost.
func (r *request) run(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, "SAVEPOINT one"); err != nil {
		return err
	}
	if r.err = r.write(ctx, tx); r.err != nil {
		if _, err := tx.ExecContext(ctx, "ROLLBACK TO one"); err != nil {
			return errors.Join(r.err, err) // SQLite ended the transaction itself: the disk is full
		}
	}
	_, err := tx.ExecContext(ctx, "RELEASE one")
	return err
}
