package jsonrpc

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strconv"

	"gantry/connectors"
	"gantry/connectors/sift"
	"gantry/connectors/web"
)

// sifted is a column as package sift knows it.
func (s *statement) sifted(name string) (sift.Column, error) {
	c, known := s.columns[name]
	if !known {
		return sift.Column{}, connectors.Misuse("the query has no column %q", name)
	}
	kind := sift.Text
	switch {
	case sift.IsKind(c.kind):
		kind = sift.Kind(c.kind)
	case c.kind == kindFloat:
		kind = sift.Decimal
	case c.kind == kindRecord:
		kind = sift.Integer
	}
	return sift.Column{Name: name, Kind: kind}, nil
}

// search is one Read of a listing, taken apart.
type search struct {
	s     *statement
	vars  connectors.Vars
	equal map[string]any
	tests []sift.Test
	order sift.Order
	own   *sift.Position // where the order is the system's
	limit int
}

func newSearch(s *statement, r connectors.Read) (*search, error) {
	q := &search{s: s, vars: r.Vars, limit: r.Limit, equal: map[string]any{}}
	for _, f := range r.Filters {
		column, err := s.sifted(f.Column)
		if err != nil {
			return nil, err
		}
		t, err := sift.NewTest(column, f.Op, f.Values)
		if err != nil {
			return nil, connectors.Misuse("%w", err)
		}
		q.tests = append(q.tests, t)
		if f.Op == connectors.Equal && len(f.Values) == 1 {
			if q.equal[f.Column], err = s.dialect.encode(f.Values[0], s.columns[f.Column].kind); err != nil {
				return nil, connectors.Misuse("filter on %s: %w", f.Column, err)
			}
		}
	}
	var columns []sift.Column
	for _, name := range r.OrderBy {
		column, err := s.sifted(name)
		if err != nil {
			return nil, err
		}
		columns = append(columns, column)
	}
	var err error
	if q.order, err = sift.NewOrder(columns, r.After); err != nil {
		return nil, connectors.Misuse("%w", err)
	}
	if len(r.OrderBy) == 0 || slices.Equal(s.listing.sorted, r.OrderBy) {
		q.own, err = sift.NewPosition(columns, r.After)
	}
	return q, err
}

func (c *conn) search(ctx context.Context, q *search, yield func(connectors.Row, error) bool) error {
	give := func(row connectors.Row) error {
		if !yield(row, nil) {
			return errStopped
		}
		return nil
	}
	scan := func(fn func(connectors.Row) error) error { return c.scan(ctx, q, fn) }
	if q.own == nil {
		return q.order.Sort(scan, q.limit, give)
	}
	err := q.own.Follow(scan, q.limit, give)
	if errors.Is(err, sift.ErrGone) || errors.Is(err, sift.ErrLost) {
		return strange(err.Error())
	}
	return err
}

// maxRequests bounds the pages of one search.
const maxRequests = 100_000

// scan gives the rows that pass, in the system's order, page after page.
func (c *conn) scan(ctx context.Context, q *search, fn func(connectors.Row) error) error {
	var before any
	for offset, requests := 0, 0; ; requests++ {
		call, err := c.invocation(ctx, q.s, q.vars, &asked{offset: offset, size: c.limits.PageSize, equal: q.equal})
		if err != nil {
			return err
		}
		answer, err := c.call(ctx, call)
		if err != nil {
			return c.whetherDenied(ctx, q.s, err)
		}
		records, ok := web.At(answer, q.s.listing.rows).([]any)
		if !ok {
			return strange("the answer holds no list of records at " + strconv.Quote(q.s.listing.rows))
		}
		if len(records) > 0 && q.s.listing.pages {
			ends := []any{records[0], records[len(records)-1]}
			if requests == maxRequests || reflect.DeepEqual(before, ends) {
				return strange("the system gives the same page again and again")
			}
			before = ends
		}
		if err := q.each(ctx, records, fn); err != nil {
			return err
		}
		offset += len(records)
		if !q.s.listing.pages || len(records) == 0 || q.s.listing.total != "" && offset >= total(answer, q.s.listing.total) {
			return nil
		}
	}
}

// total reads how many records there are; what cannot be read is no end.
func total(answer any, path string) int {
	n, _ := web.At(answer, path).(json.Number)
	if i, err := strconv.Atoi(n.String()); err == nil {
		return i
	}
	return int(^uint(0) >> 1)
}

func (q *search) each(ctx context.Context, records []any, fn func(connectors.Row) error) error {
	for _, record := range records {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		row := make(connectors.Row, len(q.s.columns))
		for name, c := range q.s.columns {
			v, err := q.s.value(record, c)
			if err != nil {
				return unreadable(name, err)
			}
			row[name] = v
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

// value takes a column out of a record: the first of its paths that is not null.
func (s *statement) value(record any, c column) (v any, err error) {
	for _, path := range c.paths {
		if v, err = s.dialect.decode(web.At(record, path), c.kind); v != nil || err != nil {
			break
		}
	}
	return v, err
}
