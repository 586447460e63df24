package soap

import (
	"context"
	"iter"
	"strconv"

	"gantry/connectors"
	"gantry/connectors/lane"
	"gantry/connectors/web"
)

// tx is a unit of work in name: the service ends each call by itself.
type tx struct {
	conn     *conn
	readOnly bool
	over     bool
}

var _ connectors.Tx = (*tx)(nil)

// Begin implements connectors.Conn.
func (c *conn) Begin(_ context.Context, readOnly bool) (connectors.Tx, error) {
	return &tx{conn: c, readOnly: readOnly}, nil
}

// Read implements connectors.Tx.
func (t *tx) Read(ctx context.Context, r connectors.Read) iter.Seq2[connectors.Row, error] {
	if t.over {
		return func(yield func(connectors.Row, error) bool) { yield(nil, web.Misused("the unit of work is over")) }
	}
	return t.conn.Read(ctx, r)
}

// Exec implements connectors.Tx.
func (t *tx) Exec(ctx context.Context, s connectors.Statement, vars connectors.Vars) (connectors.Effect, error) {
	own, ok := s.(*statement)
	switch {
	case !ok:
		return connectors.Effect{}, web.Misused("the statement was compiled by another driver: %T", s)
	case own.records != nil:
		return connectors.Effect{}, web.Misused("a query has no effect")
	case t.over || t.readOnly:
		return connectors.Effect{}, web.Misused("the unit of work is over, or can only read")
	}
	c := t.conn
	if err := c.lanes.Enter(ctx, lane.Calls, c.limits.Timeout); err != nil {
		return connectors.Effect{}, err
	}
	defer c.lanes.Leave(lane.Calls)
	answer, err := c.exchange(ctx, own, &rendering{vars: vars}, true)
	if err != nil {
		return connectors.Effect{}, err
	}
	effect := connectors.Effect{Affected: -1}
	if own.affected != nil {
		text, _, err := own.affected.Text(answer)
		if err == nil {
			effect.Affected, err = strconv.ParseInt(text, 10, 64)
		}
		if err != nil {
			return connectors.Effect{}, unknown("the answer does not tell how many records were affected")
		}
	}
	if len(own.columns) > 0 {
		if effect.Row, err = row(answer, own.columns); err != nil {
			return connectors.Effect{}, unknown("the answer cannot be read: " + err.Error())
		}
	}
	return effect, nil
}

// unknown is an answer after which nobody can say what was done.
func unknown(message string) *connectors.Failure {
	f := strange(200, message)
	f.Kind, f.Sent = connectors.Lost, true
	return f
}

// Commit implements connectors.Tx.
func (t *tx) Commit(context.Context) error { t.over = true; return nil }

// Rollback implements connectors.Tx.
func (t *tx) Rollback() error { t.over = true; return nil }
