package jsonrpc

import (
	"context"
	"strconv"

	"gantry/connectors"
	"gantry/connectors/lane"
	"gantry/connectors/web"
)

// Begin implements connectors.Conn: the server commits each call.
func (c *conn) Begin(_ context.Context, readOnly bool) (connectors.Tx, error) {
	return &connectors.Immediate{Conn: c, ReadOnly: readOnly, Run: c.exec}, nil
}

// exec runs one statement.
func (c *conn) exec(ctx context.Context, s connectors.Statement, vars connectors.Vars, readOnly bool) (connectors.Effect, error) {
	own, ok := s.(*statement)
	switch {
	case !ok:
		return connectors.Effect{}, connectors.Misuse("the statement was compiled by another driver: %T", s)
	case own.method == "" && own.batch == nil:
		return connectors.Effect{}, connectors.Misuse("a query has no effect: it has no method")
	case readOnly:
		return connectors.Effect{}, connectors.Misuse("the unit of work can only read")
	}
	if err := c.lanes.Enter(ctx, lane.Calls, c.limits.Timeout); err != nil {
		return connectors.Effect{}, err
	}
	defer c.lanes.Leave(lane.Calls)
	call, err := c.invocation(ctx, own, vars, &asked{size: c.limits.PageSize})
	if err != nil {
		return connectors.Effect{}, err
	}
	call.effect = true
	answer, err := c.call(ctx, call)
	if err != nil {
		return connectors.Effect{}, c.whetherDenied(ctx, own, err)
	}
	return own.effect(answer)
}

// effect reads what a call did out of its answer.
func (s *statement) effect(answer any) (connectors.Effect, error) {
	effect := connectors.Effect{Affected: -1}
	if s.affected != "" {
		v, _ := s.dialect.decode(web.At(answer, s.affected), "")
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
		v, err := s.dialect.decode(web.At(answer, path), "")
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
