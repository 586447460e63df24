package files

import (
	"context"

	"gantry/connectors"
	"gantry/connectors/lane"
)

// Begin implements connectors.Conn: a file that was renamed is there.
func (c *conn) Begin(_ context.Context, readOnly bool) (connectors.Tx, error) {
	return &connectors.Immediate{Conn: c, ReadOnly: readOnly, Run: c.exec}, nil
}

// exec runs one statement.
func (c *conn) exec(ctx context.Context, s connectors.Statement, vars connectors.Vars, readOnly bool) (connectors.Effect, error) {
	own, ok := s.(*statement)
	switch {
	case !ok:
		return connectors.Effect{}, connectors.Misuse("the statement was compiled by another driver: %T", s)
	case !own.writes:
		return connectors.Effect{}, connectors.Misuse("a query has no effect: it has no `write`")
	case readOnly:
		return connectors.Effect{}, connectors.Misuse("the unit of work can only read")
	}
	out, err := own.outbound(vars)
	if err != nil {
		return connectors.Effect{}, err
	}
	if err := c.with(ctx, lane.Calls, func(call *call) error { return call.send(out) }); err != nil {
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
