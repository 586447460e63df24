package jsonrpc

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gantry/connectors"
	"gantry/connectors/template"
)

// query is one Read, taken apart.
type query struct {
	s       *statement
	domain  []any // what holds for all pages
	order   []key
	after   []any // as Row has it
	limit   int   // 0: all
	context map[string]any
}

// key is one column of the order.
type key struct {
	column string
	path   string
	kind   string
}

const defaultOrder = "id"

// plan checks a Read and renders what stays the same from page to page.
func (c *conn) plan(ctx context.Context, r connectors.Read) (*query, error) {
	s, ok := r.Statement.(*statement)
	switch {
	case !ok:
		return nil, connectors.Misuse("the statement was compiled by another driver: %T", r.Statement)
	case s.method != "":
		return nil, connectors.Misuse("a call cannot be read from: it has no rows")
	case r.After != nil && len(r.After) != len(r.OrderBy):
		return nil, connectors.Misuse("the position has %d values, the order %d columns", len(r.After), len(r.OrderBy))
	}
	q := &query{s: s, after: r.After, limit: r.Limit}
	rendering := c.rendering(ctx, r.Vars)
	own, err := s.domain.Render(rendering)
	if err != nil {
		return nil, err
	}
	if q.context, err = s.renderContext(rendering); err != nil {
		return nil, err
	}
	if conditions := own.([]any); len(conditions) > 0 {
		q.domain = append(q.domain, conditions)
	}
	for _, f := range r.Filters {
		condition, err := s.condition(f)
		if err != nil {
			return nil, err
		}
		q.domain = append(q.domain, condition)
	}
	return q, q.orderBy(r.OrderBy)
}

func (q *query) orderBy(columns []string) error {
	for _, name := range columns {
		c, known := q.s.columns[name]
		if !known || len(c.paths) != 1 {
			return connectors.Misuse("%q is no column that the query can be ordered by", name)
		}
		q.order = append(q.order, key{name, c.paths[0], c.kind})
	}
	if len(columns) == 0 {
		q.order = []key{{"", defaultOrder, ""}}
	}
	return nil
}

// condition renders a filter in the domain language.
func (s *statement) condition(f connectors.Filter) (any, error) {
	c, known := s.columns[f.Column]
	if !known {
		return nil, connectors.Misuse("the query has no column %q", f.Column)
	}
	values := make([]any, 0, len(f.Values))
	null := false
	for _, v := range f.Values {
		encoded, err := encode(v, c.kind)
		if err != nil {
			return nil, connectors.Misuse("filter on %s: %w", f.Column, err)
		}
		if null = null || encoded == nil; encoded != nil {
			values = append(values, encoded)
		}
	}
	if f.Op == connectors.Equal {
		return c.equal(values, null), nil
	}
	operator := map[connectors.Op]string{connectors.Greater: ">", connectors.GreaterOrEqual: ">=", connectors.Less: "<", connectors.LessOrEqual: "<="}[f.Op]
	if operator == "" || len(values) != 1 || null {
		return nil, connectors.Misuse("filter on %s: %s takes one value that is not null", f.Column, f.Op)
	}
	return c.first(func(path string) any { return clause(path, operator, values[0]) }), nil
}

func clause(path, operator string, value any) []any { return []any{path, operator, value} }

func or(conditions ...any) []any { return append([]any{"OR"}, conditions...) }

// first says of the first path that is not null what holds.
func (c column) first(holds func(path string) any) any {
	last := len(c.paths) - 1
	condition := holds(c.paths[last])
	for i := last - 1; i >= 0; i-- {
		condition = or(holds(c.paths[i]), []any{clause(c.paths[i], "=", nil), condition})
	}
	return condition
}

func (c column) equal(values []any, null bool) any {
	var either []any
	if len(values) > 0 || !null {
		either = append(either, c.first(func(path string) any { return clause(path, "in", values) }))
	}
	if null {
		none := []any{}
		for _, path := range c.paths {
			none = append(none, clause(path, "=", nil))
		}
		either = append(either, none)
	}
	if len(either) == 1 {
		return either[0]
	}
	return or(either...)
}

// page renders the call for the rows after a position.
func (q *query) page(after []any, limit int) ([]any, error) {
	domain := slices.Clone(q.domain)
	if domain == nil {
		domain = []any{}
	}
	if after != nil {
		condition, err := beyond(q.order, after)
		if err != nil {
			return nil, err
		}
		domain = append(domain, condition)
	}
	order := []any{}
	for _, k := range q.order {
		path := k.path
		if k.kind == kindRecord {
			path += ".id" // otherwise it is the related records' own order
		}
		order = append(order, []any{path, "ASC"})
	}
	return []any{domain, 0, limit, order, q.s.fields}, nil
}

// beyond is what holds for the rows after a position: the first column greater, or equal and the rest beyond.
func beyond(order []key, after []any) (any, error) {
	value, err := encode(after[0], order[0].kind)
	if err != nil || value == nil {
		return nil, connectors.Misuse("the position has no value for %s", order[0].column)
	}
	greater := clause(order[0].path, ">", value)
	if len(order) == 1 {
		return greater, nil
	}
	rest, err := beyond(order[1:], after[1:])
	if err != nil {
		return nil, err
	}
	return or(greater, []any{clause(order[0].path, "=", value), rest}), nil
}

// row maps one record of an answer onto the columns.
func (s *statement) row(record map[string]any) (connectors.Row, error) {
	row := make(connectors.Row, len(s.columns))
	for name, c := range s.columns {
		for _, path := range c.paths {
			v, err := decode(related(record, path))
			if err != nil {
				return nil, &connectors.Failure{Kind: connectors.Answered, Status: statusStrange, Source: map[string]any{"http": int64(0), "error": "", "warning": "", "denied": false},
					Message: fmt.Sprintf("the column %s cannot be read: %v", name, err), Err: err}
			}
			if row[name] = v; v != nil {
				break
			}
		}
	}
	return row, nil
}

// related walks to a field of a related record, which stands beside the relation under its name and a point.
func related(record map[string]any, path string) any {
	for {
		name, rest, deeper := strings.Cut(path, ".")
		if !deeper {
			return record[name]
		}
		inner, ok := record[name+"."].(map[string]any)
		if !ok {
			return nil
		}
		record, path = inner, rest
	}
}

// position gives the place of a record in the order.
func (q *query) position(record map[string]any, row connectors.Row) ([]any, error) {
	out := make([]any, len(q.order))
	for i, k := range q.order {
		v := row[k.column]
		if k.column == "" {
			var err error
			if v, err = decode(record[k.path]); err != nil {
				return nil, err
			}
		}
		out[i] = v
	}
	return out, nil
}

func (s *statement) renderContext(r *template.Rendering) (map[string]any, error) {
	if s.context == nil {
		return nil, nil
	}
	v, err := s.context.Render(r)
	if err != nil {
		return nil, err
	}
	return v.(map[string]any), nil
}
