package sqldriver

import (
	"context"
	"database/sql"
	"database/sql/driver"

	"gantry/connectors"
	"gantry/connectors/lane"
)

// lease is one session, borrowed for a call.
type lease struct {
	conn    *conn
	session *sql.Conn
	lane    lane.Lane
	killer  killer // nil: the library ends a statement at the server itself
	spoiled bool   // the session must not be used again
}

// borrow waits for a place in the lane, and takes a session from the pool or opens one.
func (c *conn) borrow(ctx context.Context, which lane.Lane) (*lease, error) {
	if c.life.Err() != nil {
		return nil, misfortune(connectors.Lost, errClosed.Error(), errClosed)
	}
	if err := c.lanes.Enter(ctx, which, c.limits.Timeout); err != nil {
		return nil, err
	}
	w := newWait(ctx, c.life, c.limits.Timeout, nil)
	defer w.end()
	w.busy()
	session, err := c.db.Conn(w.ctx)
	if err != nil {
		c.lanes.Leave(which)
		return nil, explainOpening(ctx, context.Cause(w.ctx), c.dialect, err)
	}
	l := &lease{conn: c, session: session, lane: which}
	_ = session.Raw(func(native any) error { // it fails only where the function does
		l.killer, _ = native.(killer)
		return nil
	})
	return l, nil
}

// giveBack returns the session to the pool, or closes it.
func (l *lease) giveBack() {
	if l.spoiled {
		_ = l.session.Raw(func(any) error { return driver.ErrBadConn }) // that is how database/sql is told to close it
	}
	_ = l.session.Close() // it was closed already if it was spoiled
	l.conn.lanes.Leave(l.lane)
}

// do makes one short native call.
func (l *lease) do(ctx context.Context, call func(context.Context) error) error {
	w := newWait(ctx, l.conn.life, l.conn.limits.Timeout, l.killer)
	w.busy()
	err := call(w.ctx)
	if err != nil {
		err = w.explain(l.conn.dialect, err)
	}
	l.spoil(w.end())
	return err
}

func (l *lease) spoil(cut bool) { l.spoiled = l.spoiled || cut }

// lift takes the server's time limit off the session for a stream, and gives the function that puts it back.
func (l *lease) lift(ctx context.Context) (restore func(), err error) {
	lift, back := l.conn.dialect.lift(l.conn.limits)
	if lift == "" {
		return func() {}, nil
	}
	if err := l.run(ctx, lift); err != nil {
		return nil, err
	}
	return func() {
		if !l.spoiled && l.run(context.WithoutCancel(ctx), back) != nil {
			l.spoiled = true
		}
	}, nil
}

func (l *lease) run(ctx context.Context, statement string) error {
	return l.do(ctx, func(ctx context.Context) error {
		_, err := l.session.ExecContext(ctx, statement)
		return err
	})
}
