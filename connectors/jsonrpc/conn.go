package jsonrpc

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"gantry/connectors"
	"gantry/connectors/lane"
	"gantry/connectors/web"
)

// Defaults of connectors.Limits, and what bounds them.
const (
	defaultConcurrency = 4
	defaultTimeout     = 30 * time.Second
	defaultPage        = 500
	maxPage            = 2000
	lookUps            = 1000 // of one call: an order's lines, each with its unit
)

// conn is one login to one server.
type conn struct {
	web      *web.Client
	session  *web.Session[*grant]
	database string
	limits   connectors.Limits
	lanes    lane.Lanes
	logger   *slog.Logger
	check    *statement
	version  sync.Map // "" → what the server said of itself
}

var (
	_ connectors.Conn     = (*conn)(nil)
	_ connectors.Informer = (*conn)(nil)
)

func open(t connectors.Target) (*conn, error) {
	c := &conn{limits: t.Limits, logger: t.Logger, database: setting(t, "database")}
	c.limits.Concurrency = cmp.Or(c.limits.Concurrency, defaultConcurrency)
	c.limits.Timeout = cmp.Or(c.limits.Timeout, defaultTimeout)
	c.limits.PageSize = min(cmp.Or(c.limits.PageSize, defaultPage), maxPage)
	if c.logger == nil {
		c.logger = slog.New(slog.DiscardHandler)
	}
	if c.database == "" {
		return nil, connectors.Misuse("the login has no database")
	}
	if t.Check != nil {
		s, ok := t.Check.(*statement)
		if !ok || s.method == "" {
			return nil, connectors.Misuse("the check must be a call of this driver")
		}
		c.check = s
	}
	client, err := web.New(web.Options{
		Address: setting(t, "address"), CA: setting(t, "ca"), Dial: t.Dial, Timeout: c.limits.Timeout, Logger: c.logger,
	})
	if err != nil {
		return nil, err
	}
	c.web = client
	c.lanes = lane.New(c.limits.Concurrency)
	c.session = c.newSession(t)
	return c, nil
}

func setting(t connectors.Target, name string) string {
	s, _ := t.Settings[name].(string)
	return s
}

// path is where the database's calls go.
func (c *conn) path() string { return url.PathEscape(c.database) + "/" }

// Atomic implements connectors.Conn: each call is a transaction of its own.
func (c *conn) Atomic() bool { return false }

// Check implements connectors.Conn.
func (c *conn) Check(ctx context.Context) (connectors.SystemInfo, error) {
	var info connectors.SystemInfo
	if err := c.lanes.Enter(ctx, lane.Check, c.limits.Timeout); err != nil {
		return info, err
	}
	defer c.lanes.Leave(lane.Check)
	call := invocation{method: preferences, params: []any{true}}
	if c.check != nil {
		var err error
		if call, err = c.invocation(ctx, c.check, nil); err != nil {
			return info, err
		}
	}
	if _, err := c.call(ctx, call); err != nil {
		return info, err
	}
	info.Version = c.serverVersion(ctx)
	return info, nil
}

// serverVersion asks the server once; one behind a proxy may not say.
func (c *conn) serverVersion(ctx context.Context) string {
	if v, known := c.version.Load(""); known {
		return v.(string)
	}
	answer, err := c.post(ctx, "", nil, invocation{method: "common.server.version"}, nil)
	version, ok := answer.(string)
	if err != nil || !ok {
		return ""
	}
	c.version.Store("", version)
	return version
}

// Read implements connectors.Conn. The place in the lane is held until the reader is through: it is rows that are
// bounded, not only requests.
func (c *conn) Read(ctx context.Context, r connectors.Read) iter.Seq2[connectors.Row, error] {
	return func(yield func(connectors.Row, error) bool) {
		which := lane.Of(ctx)
		if err := c.lanes.Enter(ctx, which, c.limits.Timeout); err != nil {
			yield(nil, err)
			return
		}
		defer c.lanes.Leave(which)
		if err := c.read(ctx, r, yield); err != nil && !errors.Is(err, errStopped) {
			yield(nil, err)
		}
	}
}

func (c *conn) read(ctx context.Context, r connectors.Read, yield func(connectors.Row, error) bool) error {
	if s, ok := r.Statement.(*statement); ok && s.rows != "" {
		return c.readCall(ctx, s, r, yield)
	}
	q, err := c.plan(ctx, r)
	if err != nil {
		return err
	}
	return c.pages(ctx, q, yield)
}

// readCall reads the records that a call gives; the system orders and filters them, nobody else does.
func (c *conn) readCall(ctx context.Context, s *statement, r connectors.Read, yield func(connectors.Row, error) bool) error {
	if len(r.Filters) > 0 || r.After != nil {
		return connectors.Misuse("what a call gives cannot be filtered or begun in the middle")
	}
	call, err := c.invocation(ctx, s, r.Vars)
	if err != nil {
		return err
	}
	answer, err := c.call(ctx, call)
	if err != nil {
		return err
	}
	records, ok := web.At(answer, s.rows).([]any)
	if !ok {
		return strange("the answer holds no list of records")
	}
	for i, record := range records {
		if r.Limit > 0 && i == r.Limit {
			return nil
		}
		effect, err := s.effect(record)
		if err != nil {
			return err
		}
		if !yield(effect.Row, nil) {
			return errStopped
		}
	}
	return nil
}

var errStopped = errors.New("the reader stopped")

// pages reads page after page, each from where the last one ended.
func (c *conn) pages(ctx context.Context, q *query, yield func(connectors.Row, error) bool) error {
	after, left := q.after, q.limit
	for {
		size := c.limits.PageSize
		if q.limit > 0 {
			size = min(size, left)
		}
		params, err := q.page(after, size)
		if err != nil {
			return err
		}
		answer, err := c.call(ctx, invocation{method: "model." + q.s.model + ".search_read", params: params, context: q.context})
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
		row, err := q.s.row(record)
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

// Close implements connectors.Conn.
func (c *conn) Close() error {
	c.logOut()
	c.web.Close()
	return nil
}
