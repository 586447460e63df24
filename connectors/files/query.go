package files

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"gantry/connectors"
	"gantry/connectors/sift"
)

// query is one Read, taken apart.
type query struct {
	s       *statement
	vars    connectors.Vars
	drop    *drop
	tests   []test
	order   sift.Order
	from    string // the file in which a natural order begins
	limit   int
	natural bool // the order is that of files and lines
}

// test is a filter on one column.
type test struct {
	sift.Test
	ofFile bool // it is known before the file is read
}

// plan checks a Read.
func plan(r connectors.Read) (*query, error) {
	s, ok := r.Statement.(*statement)
	switch {
	case !ok:
		return nil, connectors.Misuse("the statement was compiled by another driver: %T", r.Statement)
	case s.writes:
		return nil, connectors.Misuse("a write cannot be read from")
	}
	q := &query{s: s, vars: r.Vars, limit: r.Limit}
	for _, name := range slices.Sorted(maps.Keys(s.where)) {
		o := s.where[name]
		if _, known := r.Vars[o.param]; o.param != "" && !known {
			return nil, connectors.Misuse("the statement's parameter :%s has no value", o.param)
		}
		var value any = o.literal
		if o.param != "" {
			value = r.Vars[o.param]
		}
		if err := q.filter(connectors.Filter{Column: name, Op: connectors.Equal, Values: []any{value}}); err != nil {
			return nil, err
		}
	}
	for _, f := range r.Filters {
		if err := q.filter(f); err != nil {
			return nil, err
		}
	}
	if err := q.orderBy(r.OrderBy, r.After); err != nil {
		return nil, err
	}
	var err error
	q.drop, err = s.drop(r.Vars)
	return q, err
}

func (q *query) filter(f connectors.Filter) error {
	at, known := q.s.ordinals[f.Column]
	if !known {
		return connectors.Misuse("the query has no column %q", f.Column)
	}
	c := &q.s.columns[at]
	t, err := sift.NewTest(c.sifted(), f.Op, f.Values)
	if err != nil {
		return connectors.Misuse("%w", err)
	}
	q.tests = append(q.tests, test{t, c.source == sourceFile || c.source == sourceModified})
	return nil
}

func (q *query) orderBy(names []string, after []any) error {
	columns := make([]sift.Column, len(names))
	sources := make([]string, len(names))
	for i, name := range names {
		at, known := q.s.ordinals[name]
		if !known {
			return connectors.Misuse("the query has no column %q", name)
		}
		columns[i], sources[i] = q.s.columns[at].sifted(), q.s.columns[at].source
	}
	var err error
	if q.order, err = sift.NewOrder(columns, after); err != nil {
		return connectors.Misuse("%w", err)
	}
	q.natural = len(names) == 0 || len(names) > 1 && sources[0] == sourceFile && sources[1] == sourceLine
	if q.natural && len(after) > 0 {
		q.from, _ = after[0].(string)
	}
	return nil
}

// holds reports whether a row passes all tests; of a file that was not read yet, those on what is known of it.
func (q *query) holds(row connectors.Row, file bool) bool {
	for _, t := range q.tests {
		if t.ofFile == file && !t.Holds(row) {
			return false
		}
	}
	return true
}

// wanted reports whether any record of a file can pass.
func (q *query) wanted(e entry) bool {
	row := connectors.Row{}
	for i := range q.s.columns {
		switch c := &q.s.columns[i]; c.source {
		case sourceFile:
			row[c.name] = q.s.place(e)
		case sourceModified:
			row[c.name] = e.modified
		}
	}
	return q.s.place(e) >= q.from && q.holds(row, true)
}

// read gives the rows of a query.
func (c *call) read(q *query, yield func(connectors.Row, error) bool) error {
	files, err := c.intake(q.s, q.drop)
	if err != nil {
		return err
	}
	scan := func(fn func(connectors.Row) error) error { return c.each(q, files, fn) }
	give := func(row connectors.Row) error { return c.give(row, yield) }
	if !q.natural {
		return q.order.Sort(scan, q.limit, give)
	}
	return q.order.Take(scan, q.limit, give)
}

// give hands a row out. The consumer's time is not the system's.
func (c *call) give(row connectors.Row, yield func(connectors.Row, error) bool) error {
	c.pause()
	defer c.progress()
	if !yield(row, nil) {
		return errStopped
	}
	return nil
}

// each gives the rows that pass, in the order of files and lines.
func (c *call) each(q *query, files []entry, fn func(connectors.Row) error) error {
	var group []any
	for _, e := range files {
		if !q.wanted(e) {
			continue
		}
		err := c.scan(q.s, q.drop, e, func(row connectors.Row, line int) error {
			if len(q.s.group) > 0 && !q.s.begins(row, &group) {
				return nil
			}
			if !q.holds(row, false) {
				return nil
			}
			return fn(row)
		})
		if bad, ok := malformedIn(err, e); ok {
			return bad
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// malformedIn is a file that was sound when it was read through, and is not now.
func malformedIn(err error, e entry) (error, bool) {
	bad, ok := errors.AsType[*malformed](err)
	if !ok {
		return nil, false
	}
	return named(answered(statusMalformed, "%s", bad.text), e, bad.line), true
}

// begins reports whether a row is the first of its group.
func (s *statement) begins(row connectors.Row, last *[]any) bool {
	now := make([]any, len(s.group))
	same := len(*last) == len(now)
	for i, name := range s.group {
		now[i] = row[name]
		same = same && fmt.Sprint((*last)[i]) == fmt.Sprint(now[i])
	}
	*last = now
	return !same
}
