package rest

import (
	"context"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"gantry/connectors"
	"gantry/connectors/sift"
	"gantry/connectors/web"
)

// query is one Read, taken apart.
type query struct {
	c        *conn
	s        *statement
	ways     ways
	base     web.Request // without its query
	fixed    url.Values  // the query's own parameters
	order    []key
	inner    []key         // of the members of a list, ordered here
	after    []any         // as Row has it
	branches [][]condition // the answer is all of these together
	limit    int           // 0: all
	size     int           // records of a page
}

// key is one column of the order.
type key struct {
	column string
	field  string
	kind   string
}

// maxBranches bounds the queries that one Read may become.
const maxBranches = 200

func (q *query) times() times { return q.c.protocol.times }

// plan checks a Read and renders what stays the same from page to page.
func (c *conn) plan(r connectors.Read) (*query, error) {
	s, ok := r.Statement.(*statement)
	switch {
	case !ok:
		return nil, connectors.Misuse("the statement was compiled by another driver: %T", r.Statement)
	case s.rows == "":
		return nil, connectors.Misuse("a call cannot be read from: it has no rows")
	case r.After != nil && (len(r.After) != len(r.OrderBy) || s.each != ""):
		return nil, connectors.Misuse("the position has %d values, the order %d columns; members of records have none", len(r.After), len(r.OrderBy))
	}
	q := &query{c: c, s: s, ways: s.ways.over(c.protocol.ways), after: r.After, limit: r.Limit}
	if err := q.render(r); err != nil {
		return nil, err
	}
	if err := q.orderBy(r.OrderBy); err != nil {
		return nil, err
	}
	q.size = c.limits.PageSize
	if p := q.ways.pages; p != nil && p.most > 0 {
		q.size = min(q.size, p.most)
	}
	if r.Limit > 0 && s.each == "" {
		q.size = min(q.size, r.Limit)
	}
	if p := q.ways.pages; p != nil && p.by == byOffset {
		q.size = max(q.size, 2) // pages overlap by one record
	}
	return q, q.narrow(r)
}

// render renders the request, without filters, order and page.
func (q *query) render(r connectors.Read) error {
	with := q.c.rendering(q.c.with(r.Vars))
	var err error
	if q.fixed, err = q.s.request.renderQuery(with); err != nil {
		return err
	}
	if w := q.ways.where; w != nil && slices.Contains(q.s.loose, w.parameter) {
		return connectors.Misuse("the parameter %q is a language: what varies in it stands in `only`", w.parameter)
	}
	path, err := q.s.request.renderPath(with.Vars)
	if err != nil {
		return err
	}
	q.base = web.Request{Method: http.MethodGet, URL: path, Header: http.Header{}}
	return q.s.request.renderHeaders(with, q.base.Header)
}

// narrow makes the branches: all combinations of filters with more values than the system takes at once.
func (q *query) narrow(r connectors.Read) error {
	filters := slices.Clone(r.Filters)
	with := q.c.rendering(q.c.with(r.Vars))
	with.Encode = func(v any, _ string) (any, error) { return v, nil } // it is compared, and said by its column's kind
	for _, name := range slices.Sorted(maps.Keys(q.s.only)) {
		v, err := q.s.only[name].Render(with)
		if err != nil {
			return err
		}
		filters = append(filters, connectors.Filter{Column: name, Op: connectors.Equal, Values: []any{v}})
	}
	q.branches = [][]condition{nil}
	for _, f := range filters {
		if f.Op == connectors.Equal && len(f.Values) == 0 {
			q.branches = nil // what equals none of no values
			return nil
		}
		parts, err := q.conditions(f)
		if err != nil {
			return err
		}
		if len(parts)*len(q.branches) > maxBranches {
			return connectors.Misuse("filter on %s: too many values at once", f.Column)
		}
		var more [][]condition
		for _, branch := range q.branches {
			for _, part := range parts {
				more = append(more, append(slices.Clone(branch), part))
			}
		}
		q.branches = more
	}
	return nil
}

// orderBy takes the order apart: what the system does, and what is done here with the members of one record.
func (q *query) orderBy(columns []string) error {
	if len(columns) == 0 {
		columns = q.s.order
	}
	for _, name := range columns {
		c, known := q.s.columns[name]
		switch {
		case !known || c.header:
			return connectors.Misuse("%q is no column that the query can be ordered by", name)
		case q.s.each != "" && !c.parent:
			q.inner = append(q.inner, key{name, c.path, c.compared()})
		case len(q.inner) > 0:
			return connectors.Misuse("%q: the records come before their members in an order", name)
		default:
			q.order = append(q.order, key{name, c.path, c.compared()})
		}
	}
	p := q.ways.pages
	if p != nil && p.unique != "" && len(q.order) > 0 && q.order[0].column == p.unique {
		q.order, q.after = q.order[:1], q.after[:min(len(q.after), 1)]
	}
	switch {
	case p != nil && p.by == byKeyset && (len(q.order) == 0 || q.ways.sort == nil || q.ways.where == nil || q.ways.where.parameter == ""):
		return connectors.Misuse("pages by keyset need where with a language, sort, and an `order` of the query")
	case p != nil && p.by == byKeyset && q.ways.where.or == "" && len(q.order) > 1:
		return connectors.Misuse("pages by keyset in a language without `or` go by one column")
	case q.ways.sort != nil || len(q.order) == 0 || q.ordered(columns):
		return nil
	case q.s.each != "" && len(q.branches) <= 1: // the engine puts members to their records
		return nil
	}
	return connectors.Misuse("the system cannot order by %v: `sort` says how, or `order` what its own is", columns)
}

// ordered tells whether the system's own order is the one that is asked for.
func (q *query) ordered(columns []string) bool {
	return len(columns) <= len(q.s.order) && slices.Equal(columns, q.s.order[:len(columns)])
}

// rows gives the rows of all branches, in their order.
func (q *query) rows(ctx context.Context) iter.Seq2[connectors.Row, error] {
	switch len(q.branches) {
	case 0:
		return func(func(connectors.Row, error) bool) {}
	case 1:
		return q.branch(ctx, q.branches[0])
	}
	all := make([]iter.Seq2[connectors.Row, error], len(q.branches))
	for i, conditions := range q.branches {
		all[i] = q.branch(ctx, conditions)
	}
	if len(q.order) == 0 {
		return sift.Concatenated(all)
	}
	return sift.Merged(all, func(a, b connectors.Row) int { return compareRows(a, b, q.order) })
}

// place gives a record's place in the order, as Row has it; nil: there is none.
func (q *query) place(record any) ([]any, error) {
	if len(q.order) == 0 {
		return nil, nil
	}
	out := make([]any, len(q.order))
	for i, k := range q.order {
		v, err := q.c.protocol.decode(web.At(record, k.field), q.s.columns[k.column].kind)
		if err != nil {
			return nil, strange("the column " + k.column + ", by which the records are ordered, cannot be read: " + err.Error())
		}
		out[i] = v
	}
	return out, nil
}

// fill makes a row of a record.
func (q *query) fill(header http.Header, record, parent any) (connectors.Row, error) {
	row := make(connectors.Row, len(q.s.columns))
	for name, c := range q.s.columns {
		v, err := q.c.value(c, header, record, parent)
		if err != nil {
			f := strange("the column " + name + " cannot be read: " + err.Error())
			f.Err = err
			return nil, f
		}
		row[name] = v
	}
	return row, nil
}
