package rest

import (
	"context"
	"maps"
	"net/http"
	"strconv"

	"gantry/connectors"
	"gantry/connectors/lane"
	"gantry/connectors/web"
)

// Begin implements connectors.Conn: the system does each call at once.
func (c *conn) Begin(_ context.Context, readOnly bool) (connectors.Tx, error) {
	return &connectors.Immediate{Conn: c, ReadOnly: readOnly, Run: c.exec}, nil
}

// exec runs one statement.
func (c *conn) exec(ctx context.Context, s connectors.Statement, vars connectors.Vars, readOnly bool) (connectors.Effect, error) {
	own, ok := s.(*statement)
	effect := connectors.Effect{Affected: -1}
	switch {
	case !ok:
		return effect, connectors.Misuse("the statement was compiled by another driver: %T", s)
	case readOnly && own.request.method != http.MethodGet:
		return effect, connectors.Misuse("the unit of work can only read")
	}
	if err := c.lanes.Enter(ctx, lane.Calls, c.limits.Timeout); err != nil {
		return effect, err
	}
	defer c.lanes.Leave(lane.Calls)
	r, err := own.request.render(c.rendering(c.with(vars)), nil)
	if err != nil {
		return effect, err
	}
	answer, err := c.call(ctx, r, own.none)
	switch {
	case err != nil && r.Effect:
		return effect, ofAnEffect(err)
	case err != nil:
		return effect, err
	case answer.none:
		effect.Affected = 0
		return effect, nil
	}
	return c.effect(own, answer)
}

// with adds the login's settings, which statements may always name.
func (c *conn) with(vars connectors.Vars) connectors.Vars {
	out := maps.Clone(c.vars)
	maps.Copy(out, vars)
	return out
}

// effect reads what a call did out of its answer.
func (c *conn) effect(s *statement, answer *reply) (connectors.Effect, error) {
	effect := connectors.Effect{Affected: s.count}
	if s.affected != "" {
		n, err := strconv.ParseInt(scalar(web.At(answer.value, s.affected)), 10, 64)
		if err != nil {
			return effect, unknown("the answer does not tell how many records were affected")
		}
		effect.Affected = n
	}
	if len(s.results) > 0 {
		effect.Row = connectors.Row{}
	}
	for name, column := range s.results {
		v, err := c.value(column, answer.header, answer.value, nil)
		if err != nil {
			return effect, unknown("the answer's " + strconv.Quote(name) + " cannot be read: " + err.Error())
		}
		effect.Row[name] = v
	}
	return effect, nil
}

// value takes a column out of an answer.
func (c *conn) value(from column, header http.Header, record, parent any) (any, error) {
	switch {
	case from.header:
		if v := header.Get(from.path); v != "" {
			return c.protocol.decode(v, from.kind)
		}
		return nil, nil
	case from.parent:
		record = parent
	}
	return c.protocol.decode(web.At(record, from.path), from.kind)
}
