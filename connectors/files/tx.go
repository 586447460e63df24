package files

import (
	"context"
	"iter"

	"gantry/connectors"
	"gantry/connectors/lane"
)

// tx is a unit of work in name: a file that was renamed is there.
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
		return func(yield func(connectors.Row, error) bool) { yield(nil, misused("the unit of work is over")) }
	}
	return t.conn.Read(ctx, r)
}

// Exec implements connectors.Tx.
func (t *tx) Exec(ctx context.Context, s connectors.Statement, vars connectors.Vars) (connectors.Effect, error) {
	own, ok := s.(*statement)
	switch {
	case !ok:
		return connectors.Effect{}, misused("the statement was compiled by another driver: %T", s)
	case !own.writes:
		return connectors.Effect{}, misused("a query has no effect: it has no `write`")
	case t.over || t.readOnly:
		return connectors.Effect{}, misused("the unit of work is over, or can only read")
	}
	out, err := own.outbound(vars)
	if err != nil {
		return connectors.Effect{}, err
	}
	if err := t.conn.with(ctx, lane.Calls, func(call *call) error { return call.send(out) }); err != nil {
		return connectors.Effect{}, out.outcome(err)
	}
	effect := connectors.Effect{Affected: 1}
	for _, name := range own.result {
		if effect.Row == nil {
			effect.Row = connectors.Row{}
		}
		effect.Row[name] = vars[name]
	}
	return effect, nil
}

// Commit implements connectors.Tx.
func (t *tx) Commit(context.Context) error { t.over = true; return nil }

// Rollback implements connectors.Tx.
func (t *tx) Rollback() error { t.over = true; return nil }
