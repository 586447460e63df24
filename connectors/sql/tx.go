package sqldriver

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"maps"

	"gantry/connectors"
	"gantry/connectors/lane"
)

// tx is one transaction in one session.
type tx struct {
	*lease
	native  *sql.Tx
	end     context.CancelFunc // of the context that database/sql ties the transaction to
	writing bool
	over    bool
}

var _ connectors.Tx = (*tx)(nil)

// Begin implements connectors.Conn. A stale session is replaced: nothing was sent on it that could have had an effect.
func (c *conn) Begin(ctx context.Context, readOnly bool) (connectors.Tx, error) {
	for attempt := 0; ; attempt++ {
		t, err := c.beginOnce(ctx, readOnly)
		if err == nil {
			return t, nil
		}
		if attempt > c.lanes.Size() || !stale(err) || c.life.Err() != nil {
			return nil, err
		}
	}
}

func (c *conn) beginOnce(ctx context.Context, readOnly bool) (*tx, error) {
	l, err := c.borrow(ctx, lane.Calls)
	if err != nil {
		return nil, err
	}
	t := &tx{lease: l, writing: !readOnly}
	err = l.do(ctx, func(callCtx context.Context) error {
		// The transaction outlives this call: its own context ends with the unit of work, or when this call is cut.
		native, end := context.WithCancel(context.WithoutCancel(ctx))
		t.end = end
		defer context.AfterFunc(callCtx, end)()
		t.native, err = c.dialect.begin(native, l.session, readOnly, c.limits)
		return err
	})
	if err != nil {
		t.end()
		l.spoiled = true
		l.giveBack()
		return nil, err
	}
	return t, nil
}

// Read implements connectors.Tx.
func (t *tx) Read(ctx context.Context, r connectors.Read) iter.Seq2[connectors.Row, error] {
	return func(yield func(connectors.Row, error) bool) {
		if t.over {
			yield(nil, errOver())
			return
		}
		q, err := renderRead(r)
		if err == nil {
			_, err = t.read(ctx, t.native, q, func(row connectors.Row) bool { return yield(row, nil) })
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// Exec implements connectors.Tx. A failure's Sent is false: what was not committed has had no effect.
func (t *tx) Exec(ctx context.Context, s connectors.Statement, vars connectors.Vars) (connectors.Effect, error) {
	own, ok := s.(*statement)
	switch {
	case !ok:
		return connectors.Effect{}, connectors.Misuse("the statement was compiled by another driver: %T", s)
	case t.over:
		return connectors.Effect{}, errOver()
	}
	q, err := render(own, vars)
	if err != nil {
		return connectors.Effect{}, err
	}
	if own.returns {
		return t.query(ctx, q)
	}
	return t.exec(ctx, own, q)
}

// query runs a statement that returns rows. All are read, so that the statement is through; the first one is kept.
func (t *tx) query(ctx context.Context, q *query) (connectors.Effect, error) {
	var effect connectors.Effect
	n, err := t.read(ctx, t.native, q, func(row connectors.Row) bool {
		if effect.Row == nil {
			effect.Row = maps.Clone(row)
		}
		return true
	})
	if err != nil {
		return connectors.Effect{}, err
	}
	effect.Affected = int64(n)
	return effect, nil
}

func (t *tx) exec(ctx context.Context, s *statement, q *query) (connectors.Effect, error) {
	effect := connectors.Effect{Affected: -1}
	err := t.do(ctx, func(ctx context.Context) error {
		result, err := t.native.ExecContext(ctx, q.text.String(), q.args...)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err == nil { // otherwise the system does not say
			effect.Affected = n
		}
		if s.key != "" {
			id, err := result.LastInsertId()
			effect.Row = connectors.Row{s.key: id}
			return err
		}
		return nil
	})
	if err != nil {
		return connectors.Effect{}, err
	}
	return effect, nil
}

// Commit implements connectors.Tx. Where the server answered with a fault it has rolled back; where it did not answer,
// only it knows.
func (t *tx) Commit(ctx context.Context) error {
	if t.over {
		return errOver()
	}
	if ctx.Err() != nil {
		return context.Cause(ctx) // nothing was sent: Rollback is still to come
	}
	err := t.do(ctx, func(callCtx context.Context) error {
		defer context.AfterFunc(callCtx, t.end)()
		return t.native.Commit()
	})
	t.finish(err != nil)
	if f, ok := errors.AsType[*connectors.Failure](err); ok {
		f.Sent = f.Kind != connectors.Answered
		return f
	}
	if err != nil {
		f := misfortune(connectors.Lost, "the commit was cut off", err)
		f.Sent = true
		return f
	}
	return nil
}

// Rollback implements connectors.Tx.
func (t *tx) Rollback() error {
	if t.over {
		return nil
	}
	ctx := context.Background()
	err := t.do(ctx, func(callCtx context.Context) error {
		defer context.AfterFunc(callCtx, t.end)()
		if err := t.native.Rollback(); !errors.Is(err, sql.ErrTxDone) {
			return err
		}
		return nil
	})
	t.finish(err != nil)
	return err
}

// finish gives the session back, able to read only.
func (t *tx) finish(failed bool) {
	t.over = true
	t.end()
	t.spoil(failed)
	if seal := t.conn.dialect.sealing(); seal != "" && t.writing && !t.spoiled {
		t.spoil(t.run(context.Background(), seal) != nil)
	}
	t.giveBack()
}

func errOver() error { return connectors.Misuse("the unit of work is over") }
