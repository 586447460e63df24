package soap

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"gantry/connectors"
	"gantry/connectors/markup"
	"gantry/connectors/sift"
)

// query is one Read, taken apart.
type query struct {
	s       *statement
	vars    connectors.Vars
	tests   []sift.Test
	asked   map[string]any // the one value of a column
	order   sift.Order
	natural *sift.Position // where the order is the system's
	limit   int
}

// maxRequests bounds the pages of one query.
const maxRequests = 100_000

var errStopped = errors.New("the reader stopped")

// plan checks a Read.
func plan(r connectors.Read) (*query, error) {
	s, ok := r.Statement.(*statement)
	switch {
	case !ok:
		return nil, connectors.Misuse("the statement was compiled by another driver: %T", r.Statement)
	case s.records == nil:
		return nil, connectors.Misuse("a call cannot be read from: it has no records")
	}
	q := &query{s: s, vars: r.Vars, limit: r.Limit, asked: map[string]any{}}
	for _, f := range r.Filters {
		c := s.column(f.Column)
		if c == nil {
			return nil, connectors.Misuse("the query has no column %q", f.Column)
		}
		t, err := sift.NewTest(c.Column, f.Op, f.Values)
		if err != nil {
			return nil, connectors.Misuse("%w", err)
		}
		q.tests = append(q.tests, t)
		if f.Op == connectors.Equal && len(f.Values) == 1 {
			q.asked[f.Column] = f.Values[0]
		}
	}
	var columns []sift.Column
	for _, name := range r.OrderBy {
		c := s.column(name)
		if c == nil {
			return nil, connectors.Misuse("the query has no column %q", name)
		}
		columns = append(columns, c.Column)
	}
	var err error
	if q.order, err = sift.NewOrder(columns, r.After); err != nil {
		return nil, connectors.Misuse("%w", err)
	}
	if len(r.OrderBy) == 0 || slices.Equal(s.sorted, r.OrderBy) {
		q.natural, err = sift.NewPosition(columns, r.After)
	}
	return q, err
}

func (c *conn) read(ctx context.Context, q *query, yield func(connectors.Row, error) bool) error {
	give := func(row connectors.Row) error {
		if !yield(row, nil) {
			return errStopped
		}
		return nil
	}
	scan := func(fn func(connectors.Row) error) error { return c.scan(ctx, q, fn) }
	if q.natural == nil {
		return q.order.Sort(scan, q.limit, give)
	}
	err := q.natural.Follow(scan, q.limit, give)
	if errors.Is(err, sift.ErrGone) || errors.Is(err, sift.ErrLost) {
		return strange(200, err.Error())
	}
	return err
}

// scan gives the rows that pass, in the system's order, page after page.
func (c *conn) scan(ctx context.Context, q *query, fn func(connectors.Row) error) error {
	before := ""
	for offset, requests := 0, 0; ; requests++ {
		answer, err := c.exchange(ctx, q.s, filling(q.vars, q.asked, offset, c.limits.PageSize), false)
		if err != nil {
			return err
		}
		records, err := q.s.records.Nodes(answer)
		if err != nil {
			return strange(200, err.Error())
		}
		if len(records) > 0 && q.s.pages() {
			now := records[0].OutputXML(true) + records[len(records)-1].OutputXML(true)
			if now == before || requests == maxRequests {
				return strange(200, "the system gives the same page again and again")
			}
			before = now
		}
		if err := q.each(ctx, records, fn); err != nil {
			return err
		}
		if q.s.counted != nil {
			if records, err = q.s.counted.Nodes(answer); err != nil {
				return strange(200, err.Error())
			}
		}
		offset += len(records)
		if !q.s.pages() || len(records) == 0 || q.s.total != nil && offset >= total(q.s.total, answer) {
			return nil
		}
	}
}

// total reads how many records there are; what cannot be read is no end.
func total(p *markup.Path, answer *markup.Node) int {
	text, _, err := p.Text(answer)
	n, errNumber := strconv.Atoi(text)
	if err != nil || errNumber != nil {
		return int(^uint(0) >> 1)
	}
	return n
}

func (q *query) each(ctx context.Context, records []*markup.Node, fn func(connectors.Row) error) error {
	for _, record := range records {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		row, err := row(record, q.s.columns)
		if err != nil {
			return strange(200, "a record cannot be read: "+err.Error())
		}
		if slices.ContainsFunc(q.tests, func(t sift.Test) bool { return !t.Holds(row) }) {
			continue
		}
		if err := fn(row); err != nil {
			return err
		}
	}
	return nil
}
