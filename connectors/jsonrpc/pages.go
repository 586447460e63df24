package jsonrpc

import (
	"context"
	"errors"

	"gantry/connectors"
)

var errStopped = errors.New("the reader stopped")

// pages reads page after page of a model, each from where the last one ended.
func (c *conn) pages(ctx context.Context, q *query, yield func(connectors.Row, error) bool) error {
	after, left := q.after, q.limit
	for {
		size := c.limits.PageSize
		if q.limit > 0 {
			size = min(size, left)
		}
		call, err := q.page(after, size)
		if err != nil {
			return err
		}
		answer, err := c.call(ctx, call)
		if err != nil {
			return c.whetherDenied(ctx, q.s, err)
		}
		records, ok := answer.([]any)
		if !ok || len(records) > size {
			return strange("the answer to a query is no page of records")
		}
		if after, err = c.give(ctx, q, records, yield); err != nil {
			return err
		}
		if left -= len(records); len(records) < size || q.limit > 0 && left == 0 {
			return nil
		}
	}
}

// give hands out the rows of a page, and tells where it ended.
func (c *conn) give(ctx context.Context, q *query, records []any, yield func(connectors.Row, error) bool) ([]any, error) {
	var position []any
	for i, item := range records {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		record, ok := item.(map[string]any)
		if !ok {
			return nil, strange("a record of the answer is no object")
		}
		row, err := q.row(record)
		if err != nil {
			return nil, err
		}
		if i == len(records)-1 {
			if position, err = q.position(record, row); err != nil {
				return nil, strange("the last record of a page has no place in the order")
			}
		}
		records[i] = nil // a page is given back as it is read
		if !yield(row, nil) {
			return nil, errStopped
		}
	}
	return position, nil
}
