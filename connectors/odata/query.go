package odata

import (
	"context"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"gantry/connectors"
	"gantry/connectors/sift"
)

// query is one Read, taken apart.
type query struct {
	c        *conn
	s        *statement
	service  string
	at       place
	fixed    []string // options that stay the same from page to page
	columns  []origin // of the rows
	order    []origin // of the records
	inner    []sift.Column
	after    []any
	branches []string // conditions; the answer is all of these together
	pages    paging
	limit    int // rows; 0: all
	size     int // records of a page
}

// Bounds of one condition, and of the queries that one Read may become.
const (
	maxValues   = 50
	maxLength   = 1500
	maxBranches = 200
)

// plan checks a Read and writes what stays the same from page to page.
func (c *conn) plan(ctx context.Context, r connectors.Read) (*query, error) {
	s, ok := r.Statement.(*statement)
	switch {
	case !ok:
		return nil, connectors.Misuse("the statement was compiled by another driver: %T", r.Statement)
	case !s.isQuery():
		return nil, connectors.Misuse("a call cannot be read from")
	case r.After != nil && (len(r.After) != len(r.OrderBy) || s.each != ""):
		return nil, connectors.Misuse("the position has %d values, the order %d columns; related records have none", len(r.After), len(r.OrderBy))
	}
	q := &query{c: c, s: s, after: r.After, limit: r.Limit, pages: s.pages.over(c.protocol.pages)}
	vars := c.with(r.Vars)
	var err error
	if q.service, err = c.serviceOf(s, vars); err != nil {
		return nil, err
	}
	m, err := c.model(ctx, q.service)
	if err != nil {
		return nil, err
	}
	if q.at, err = c.bind(m, s.path, vars, nil); err != nil {
		return nil, err
	}
	own, err := c.options(m, s.query, q.at.function, vars)
	if err != nil {
		return nil, err
	}
	if err := q.choose(m, r, own); err != nil {
		return nil, err
	}
	q.size = c.limits.PageSize
	if q.pages.most > 0 {
		q.size = min(q.size, q.pages.most)
	}
	if err := q.narrow(m, r, vars); err != nil {
		return nil, err
	}
	if columns := q.placed(); q.after != nil && len(q.branches) > 1 && len(sift.Sure(columns)) < len(columns) {
		return nil, connectors.Misuse("the filters have more values than one request takes, and where among several the page begins only the service " +
			"could tell, which orders texts in its own way: ask for fewer values at once, or for all in one page")
	}
	return q, nil
}

// kinds gives the type of the rows, and of the records around them.
func (q *query) kinds(m *model) (kind, parent string, err error) {
	if q.s.each == "" {
		return q.at.kind, "", nil
	}
	r, known := m.relation(q.at.kind, q.s.each)
	if !known || !r.many {
		return "", "", connectors.Misuse("%s has no related records %q", q.at.kind, q.s.each)
	}
	return r.target, q.at.kind, nil
}

// choose finds the columns and the order, and writes $select and $expand.
func (q *query) choose(m *model, r connectors.Read, own []string) error {
	kind, parent, err := q.kinds(m)
	if err != nil {
		return err
	}
	for _, name := range q.s.shown(m, kind) {
		o, err := q.s.origin(m, name, kind, parent)
		if err != nil {
			return err
		}
		q.columns = append(q.columns, o)
	}
	if err := q.orderBy(m, r.OrderBy, kind, parent); err != nil {
		return err
	}
	root := &choice{}
	records := root
	if q.s.each != "" {
		records = root.into(q.s.each)
	}
	for _, o := range q.columns {
		if o.parent {
			root.add(o)
		} else {
			records.add(o)
		}
	}
	for _, o := range q.order {
		root.add(o)
	}
	q.fixed = own
	if len(q.s.wanted)+len(q.s.named) > 0 && q.at.function == nil {
		q.fixed = append(q.fixed, root.options(q.c.w.dialect)...)
	}
	return nil
}

// orderBy takes the order apart: what the service does, and what is done here with the related records of one. A read that has none is
// ordered by the key of its set: pages need one.
func (q *query) orderBy(m *model, columns []string, kind, parent string) error {
	for _, name := range columns {
		o, err := q.s.origin(m, name, kind, parent)
		switch {
		case err != nil:
			return err
		case o.etag:
			return connectors.Misuse("records cannot be ordered by their ETag")
		case parent != "" && !o.parent:
			q.inner = append(q.inner, o.sorted())
		case len(q.inner) > 0:
			return connectors.Misuse("%q: the records come before what is related to them in an order", name)
		default:
			q.order = append(q.order, o)
		}
	}
	if len(q.order) > 0 && parent == "" {
		return nil
	}
	for _, name := range m.keys(q.at.kind) {
		p, _ := m.property(q.at.kind, name)
		if slices.ContainsFunc(q.order, func(o origin) bool { return o.text() == p.name }) {
			continue
		}
		q.order = append(q.order, origin{column: "", path: []string{p.name}, property: p, kind: m.primitive(p)})
	}
	return nil
}

// narrow writes what the records must be. A filter with more values than a URL takes makes several queries.
func (q *query) narrow(m *model, r connectors.Read, vars connectors.Vars) error {
	filters := slices.Clone(r.Filters)
	for _, name := range slices.Sorted(maps.Keys(q.s.only)) {
		v, err := q.s.only[name].Render(q.c.rendering(vars))
		if err != nil {
			return err
		}
		filters = append(filters, connectors.Filter{Column: name, Op: connectors.Equal, Values: []any{v}})
	}
	q.branches = []string{""}
	if q.s.filter != "" {
		q.branches = []string{"(" + q.s.filter + ")"}
	}
	for _, f := range filters {
		parts, err := q.conditions(m, f)
		if err != nil {
			return err
		}
		if len(parts)*len(q.branches) > maxBranches {
			return connectors.Misuse("filter on %s: too many values at once", f.Column)
		}
		var more []string
		for _, branch := range q.branches {
			for _, part := range parts {
				more = append(more, and(branch, part))
			}
		}
		q.branches = more // of a filter that equals none of no values there is nothing left
	}
	return nil
}

func and(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " and " + b
}

var operators = map[connectors.Op]string{
	connectors.Equal: "eq", connectors.Greater: "gt", connectors.GreaterOrEqual: "ge", connectors.Less: "lt", connectors.LessOrEqual: "le",
}

// conditions writes a filter, in as many parts as it needs.
func (q *query) conditions(m *model, f connectors.Filter) ([]string, error) {
	kind, parent, err := q.kinds(m)
	if err != nil {
		return nil, err
	}
	o, err := q.s.origin(m, f.Column, kind, parent)
	switch {
	case err != nil:
		return nil, err
	case o.etag || parent != "" && !o.parent:
		return nil, connectors.Misuse("the service cannot compare the column %q", f.Column)
	case operators[f.Op] == "":
		return nil, connectors.Misuse("filter on %s: there is no comparison %q", f.Column, f.Op)
	case f.Op != connectors.Equal && (len(f.Values) != 1 || f.Values[0] == nil):
		return nil, connectors.Misuse("filter on %s: %s takes one value that is not null", f.Column, f.Op)
	}
	var parts []string
	var either []string
	length := 0
	flush := func() {
		switch len(either) {
		case 0:
		case 1:
			parts = append(parts, either[0])
		default:
			parts = append(parts, "("+strings.Join(either, " or ")+")")
		}
		either, length = nil, 0
	}
	for _, v := range f.Values {
		text, err := q.compared(o, operators[f.Op], v)
		if err != nil {
			return nil, err
		}
		if len(either) == maxValues || length+len(text) > maxLength {
			flush()
		}
		either, length = append(either, text), length+len(text)
	}
	flush()
	return parts, nil
}

func (q *query) compared(o origin, operator string, v any) (string, error) {
	text, err := q.c.w.literal(v, o.property, o.kind)
	if err != nil {
		return "", connectors.Misuse("the column %s: %w", o.text(), err)
	}
	return o.text() + " " + operator + " " + text, nil
}

// beyond is what holds for the records after a position: the first column greater, or equal and the rest beyond.
func (q *query) beyond(order []origin, after []any) (string, error) {
	if after[0] == nil {
		return "", connectors.Misuse("the position has no value for %s", order[0].text())
	}
	greater, err := q.compared(order[0], "gt", after[0])
	if err != nil || len(order) == 1 {
		return greater, err
	}
	same, err := q.compared(order[0], "eq", after[0])
	if err != nil {
		return "", err
	}
	rest, err := q.beyond(order[1:], after[1:])
	return "(" + greater + " or (" + same + " and " + rest + "))", err
}

// rows gives the rows of all branches, in their order.
func (q *query) rows(ctx context.Context) iter.Seq2[connectors.Row, error] {
	all := make([]iter.Seq2[connectors.Row, error], len(q.branches))
	for i, condition := range q.branches {
		all[i] = q.branch(ctx, condition)
	}
	var columns []sift.Column
	for _, o := range q.order {
		if o.column != "" { // one that was asked for
			columns = append(columns, o.sorted())
		}
	}
	if len(all) < 2 || len(columns) == 0 {
		return sift.Concatenated(all)
	}
	columns = append(columns, q.inner...)
	return sift.Merged(all, func(a, b connectors.Row) int { return sift.CompareRows(a, b, columns) })
}

// first writes the options of a page.
func (q *query) first(condition string, top, skip int) []string {
	out := slices.Clone(q.fixed)
	if q.at.single || q.at.function != nil {
		return out
	}
	if condition != "" {
		out = append(out, "$filter="+escape(condition))
	}
	if len(q.order) > 0 {
		paths := make([]string, len(q.order))
		for i, o := range q.order {
			paths[i] = o.text()
		}
		out = append(out, "$orderby="+escape(strings.Join(paths, ",")))
	}
	if top > 0 {
		out = append(out, "$top="+strconv.Itoa(top))
	}
	if skip > 0 {
		out = append(out, "$skip="+strconv.Itoa(skip))
	}
	return out
}

// fill makes a row of a record.
func (q *query) fill(record, parent map[string]any, header http.Header) (connectors.Row, error) {
	row := make(connectors.Row, len(q.columns))
	for _, o := range q.columns {
		v, err := o.of(record, parent)
		if err != nil {
			f := strange("the column " + o.column + " cannot be read: " + err.Error())
			f.Err = err
			return nil, f
		}
		if o.etag && v == nil && q.at.single && parent == nil {
			v = etagOf(nil, header)
		}
		row[o.column] = v
	}
	return row, nil
}
