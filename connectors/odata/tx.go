package odata

import (
	"context"
	"encoding/json"
	"net/http"

	"gantry/connectors"
	"gantry/connectors/lane"
	"gantry/connectors/web"
)

// Begin implements connectors.Conn: the service does each call at once.
func (c *conn) Begin(_ context.Context, readOnly bool) (connectors.Tx, error) {
	return &connectors.Immediate{Conn: c, ReadOnly: readOnly, Run: c.exec}, nil
}

// exec runs one statement.
func (c *conn) exec(ctx context.Context, s connectors.Statement, vars connectors.Vars, readOnly bool) (connectors.Effect, error) {
	own, ok := s.(*statement)
	none := connectors.Effect{Affected: -1}
	switch {
	case !ok:
		return none, connectors.Misuse("the statement was compiled by another driver: %T", s)
	case own.isQuery():
		return none, connectors.Misuse("a query has no effect")
	case readOnly:
		return none, connectors.Misuse("the unit of work can only read")
	}
	if err := c.lanes.Enter(ctx, lane.Calls, c.limits.Timeout); err != nil {
		return none, err
	}
	defer c.lanes.Leave(lane.Calls)
	vars = c.with(vars)
	service, err := c.serviceOf(own, vars)
	if err != nil {
		return none, err
	}
	m, err := c.model(ctx, service)
	if err != nil {
		return none, err
	}
	if own.batch != nil {
		return c.changeSet(ctx, m, service, own, vars)
	}
	call, err := c.prepare(m, own, vars, nil)
	if err != nil {
		return none, err
	}
	r, err := c.request(call.method, service+call.at.path, call.options)
	if err != nil {
		return none, err
	}
	r.Header, r.Body = call.header, call.body
	answer, err := c.call(ctx, r, own.none)
	if err != nil {
		return none, err
	}
	if answer.none {
		return connectors.Effect{}, nil
	}
	return c.effect(m, own, call.at, answer)
}

// call is one call with its values written.
type call struct {
	method  string
	at      place
	options []string
	header  http.Header
	body    []byte
}

// prepare writes a call. outer has the values of what is around a batch's member of a list.
func (c *conn) prepare(m *model, s *statement, vars, outer connectors.Vars) (call, error) {
	out := call{method: s.method, header: http.Header{}}
	var err error
	if out.at, err = c.bind(m, s.path, vars, outer); err != nil {
		return out, err
	}
	if out.options, err = c.options(m, s.query, out.at.function, vars); err != nil {
		return out, err
	}
	if s.ifMatch != nil {
		v, err := s.ifMatch.Render(c.rendering(vars))
		if err != nil {
			return out, err
		}
		if etag := scalar(v); etag != "" {
			out.header.Set("If-Match", etag)
		}
	}
	if s.body == nil {
		return out, nil
	}
	v, err := s.body.Render(c.rendering(vars))
	if err != nil {
		return out, err
	}
	if v, err = c.written(m, out.at, v); err != nil {
		return out, err
	}
	if out.body, err = json.Marshal(v); err != nil {
		return out, connectors.Misuse("a value cannot be sent: %w", err)
	}
	out.header.Set("Content-Type", media)
	if c.w.dialect == v4 {
		out.header.Set("Content-Type", mediaV4)
	}
	return out, nil
}

// effect reads what a call did out of its answer.
func (c *conn) effect(m *model, s *statement, at place, answer *reply) (connectors.Effect, error) {
	effect := connectors.Effect{Affected: 1}
	v, err := c.value(answer)
	if err != nil {
		return effect, ofAnEffect(err)
	}
	record := c.recordOf(v, at)
	if record == nil {
		if etag := etagOf(nil, answer.header); etag != nil && len(s.named) == 0 {
			effect.Row = connectors.Row{etagColumn: etag}
		}
		return effect, nil
	}
	names := m.keys(at.kind)
	columns := []string{etagColumn}
	for name := range s.named {
		names, columns = nil, append(columns, name)
	}
	effect.Row = connectors.Row{}
	for _, name := range append(columns, lower(names)...) {
		if _, said := s.named[name]; name == etagColumn && !said {
			if len(s.named) == 0 {
				effect.Row[name] = etagOf(record, answer.header)
			}
			continue
		}
		o, err := s.origin(m, name, at.kind, "")
		if err != nil {
			return effect, unknown(err.Error())
		}
		if effect.Row[name], err = o.of(record, nil); err != nil {
			return effect, unknown("the answer's " + name + " cannot be read: " + err.Error())
		}
	}
	return effect, nil
}

// recordOf finds the record in an answer: itself, within what version 2 puts around it, or the only one of a list; nil: there is none.
func (c *conn) recordOf(v any, at place) map[string]any {
	inner, ok := v.(map[string]any)
	if ok && c.w.dialect == v2 {
		v = inner["d"]
	}
	if inner, ok = v.(map[string]any); ok && at.function != nil {
		if named, there := inner[at.function.name].(map[string]any); there && len(inner) == 1 {
			return named
		}
	}
	if one, err := listed(v); err == nil {
		if len(one.records) != 1 {
			return nil
		}
		return one.records[0]
	}
	return inner
}

// ended reads the answer of one member of a batch.
func (c *conn) ended(m *model, s *statement, at place, part *web.Response) (connectors.Effect, error) {
	return c.effect(m, s, at, &reply{header: part.Header, body: part.Body})
}
