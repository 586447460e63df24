package jsonrpc

import (
	"context"
	"fmt"
	"slices"

	"gantry/connectors"
)

// query is one Read of a model, taken apart.
type query struct {
	s       *statement
	dialect modelled
	own     []any       // the definition's domain, rendered
	filters []condition // what holds for all pages beside it
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
func (c *conn) plan(ctx context.Context, s *statement, r connectors.Read) (*query, error) {
	switch {
	case s.model == "":
		return nil, connectors.Misuse("a call cannot be read from: it has no rows")
	case r.After != nil && len(r.After) != len(r.OrderBy):
		return nil, connectors.Misuse("the position has %d values, the order %d columns", len(r.After), len(r.OrderBy))
	}
	q := &query{s: s, dialect: s.dialect.(modelled), after: r.After, limit: r.Limit}
	rendering := c.rendering(ctx, r.Vars, nil)
	var err error
	if q.own, err = renderList(s.domain, rendering); err != nil {
		return nil, err
	}
	if q.context, err = renderObject(s.context, rendering); err != nil {
		return nil, err
	}
	for _, f := range r.Filters {
		condition, err := s.condition(f)
		if err != nil {
			return nil, err
		}
		q.filters = append(q.filters, condition)
	}
	return q, q.orderBy(r.OrderBy)
}

func (q *query) orderBy(columns []string) error {
	for _, name := range columns {
		c, known := q.s.columns[name]
		if !known || len(c.paths) != 1 || !q.dialect.orders(c.paths[0]) {
			return connectors.Misuse("%q is no column that the query can be ordered by", name)
		}
		q.order = append(q.order, key{name, c.paths[0], c.kind})
	}
	if len(columns) == 0 {
		q.order = []key{{"", defaultOrder, ""}}
	}
	return nil
}

// page is the call for the rows after a position.
func (q *query) page(after []any, limit int) (invocation, error) {
	holds := q.filters
	if after != nil {
		condition, err := q.s.beyond(q.order, after)
		if err != nil {
			return invocation{}, err
		}
		holds = append(slices.Clip(holds), condition)
	}
	domain := []any{}
	for _, condition := range holds {
		domain = append(domain, q.dialect.say(condition)...)
	}
	call := q.dialect.page(q.s.model, domain, q.own, q.order, q.s.fields, limit)
	call.context = q.context
	return call, nil
}

// row maps one record of an answer onto the columns.
func (q *query) row(record map[string]any) (connectors.Row, error) {
	row := make(connectors.Row, len(q.s.columns))
	for name, c := range q.s.columns {
		for _, path := range c.paths {
			v, err := q.dialect.decode(q.dialect.field(record, path), c.kind)
			if err != nil {
				return nil, unreadable(name, err)
			}
			if row[name] = v; v != nil {
				break
			}
		}
	}
	return row, nil
}

func unreadable(column string, err error) *connectors.Failure {
	f := strange(fmt.Sprintf("the column %s cannot be read: %v", column, err))
	f.Err = err
	return f
}

// position gives the place of a record in the order.
func (q *query) position(record map[string]any, row connectors.Row) ([]any, error) {
	out := make([]any, len(q.order))
	for i, k := range q.order {
		v := row[k.column]
		if k.column == "" {
			var err error
			if v, err = q.dialect.decode(record[k.path], ""); err != nil {
				return nil, err
			}
		}
		out[i] = v
	}
	return out, nil
}
