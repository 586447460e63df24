package soap

import (
	"context"
	"strconv"

	"gantry/connectors"
	"gantry/connectors/lane"
)

// Begin implements connectors.Conn: the service ends each call by itself.
func (c *conn) Begin(_ context.Context, readOnly bool) (connectors.Tx, error) {
	return &connectors.Immediate{Conn: c, ReadOnly: readOnly, Run: c.exec}, nil
}

// exec runs one statement.
func (c *conn) exec(ctx context.Context, s connectors.Statement, vars connectors.Vars, readOnly bool) (connectors.Effect, error) {
	own, ok := s.(*statement)
	switch {
	case !ok:
		return connectors.Effect{}, connectors.Misuse("the statement was compiled by another driver: %T", s)
	case own.records != nil:
		return connectors.Effect{}, connectors.Misuse("a query has no effect")
	case readOnly:
		return connectors.Effect{}, connectors.Misuse("the unit of work can only read")
	}
	if err := c.lanes.Enter(ctx, lane.Calls, c.limits.Timeout); err != nil {
		return connectors.Effect{}, err
	}
	defer c.lanes.Leave(lane.Calls)
	answer, err := c.exchange(ctx, own, filling(vars, nil, 0, 0), true)
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
