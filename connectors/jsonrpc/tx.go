package jsonrpc

import (
	"context"
	"iter"
	"strconv"

	"gantry/connectors"
	"gantry/connectors/lane"
)

// tx is a unit of work in name: the server commits each call.
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
	case own.method == "":
		return connectors.Effect{}, misused("a query has no effect: it has no method")
	case t.over || t.readOnly:
		return connectors.Effect{}, misused("the unit of work is over, or can only read")
	}
	c := t.conn
	if err := c.lanes.Enter(ctx, lane.Calls, c.limits.Timeout); err != nil {
		return connectors.Effect{}, err
	}
	defer c.lanes.Leave(lane.Calls)
	call, err := c.invocation(ctx, own, vars)
	if err != nil {
		return connectors.Effect{}, err
	}
	call.effect = true
	answer, err := c.call(ctx, call)
	if err != nil {
		return connectors.Effect{}, c.whetherDenied(ctx, own, err)
	}
	if own.rows != "" {
		return connectors.Effect{Affected: -1}, nil
	}
	return own.effect(answer)
}

// effect reads what a call did out of its answer.
func (s *statement) effect(answer any) (connectors.Effect, error) {
	effect := connectors.Effect{Affected: -1}
	if s.affected != "" {
		v, _ := decode(at(answer, s.affected))
		n, ok := v.(int64)
		if !ok {
			return effect, unknown("the answer does not tell how many records were affected")
		}
		effect.Affected = n
	}
	if len(s.results) > 0 {
		effect.Row = connectors.Row{}
	}
	for name, path := range s.results {
		v, err := decode(at(answer, path))
		if err != nil {
			return effect, unknown("the answer's " + strconv.Quote(name) + " cannot be read: " + err.Error())
		}
		effect.Row[name] = v
	}
	return effect, nil
}

// unknown is an answer after which nobody can say what was done.
func unknown(message string) *connectors.Failure {
	f := strange(message)
	f.Kind, f.Sent = connectors.Lost, true
	return f
}

// Commit implements connectors.Tx.
func (t *tx) Commit(context.Context) error { t.over = true; return nil }

// Rollback implements connectors.Tx.
func (t *tx) Rollback() error { t.over = true; return nil }
