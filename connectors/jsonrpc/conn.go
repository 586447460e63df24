package jsonrpc

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"gantry/connectors"
	"gantry/connectors/lane"
	"gantry/connectors/web"
)

// Bounds of a connection.
const (
	maxPage = 2000
	lookUps = 1000 // of one call: an order's lines, each with its unit
)

// defaults hold where a definition says nothing.
var defaults = connectors.Limits{Concurrency: 4, Timeout: 30 * time.Second, PageSize: 500}

// conn is one login to one server.
type conn struct {
	dialect  dialect
	web      *web.Client
	session  *web.Session[*grant]
	database string
	user     string
	password connectors.Secret
	way      string     // how to log in, where the dialect has more than one
	login    *loginCall // of the definition's protocol; nil: it has none
	limits   connectors.Limits
	lanes    lane.Lanes
	logger   *slog.Logger
	check    *statement
	version  sync.Map // "" → what the server said of itself
	next     atomic.Int64
}

var (
	_ connectors.Conn     = (*conn)(nil)
	_ connectors.Informer = (*conn)(nil)
)

func open(d dialect, t connectors.Target) (*conn, error) {
	c := &conn{
		dialect: d, limits: t.Limits.Or(defaults), logger: t.Logger,
		database: t.Setting("database"), user: t.Setting("username"), password: t.Credentials["password"], way: t.Setting("login"),
	}
	c.limits.PageSize = min(c.limits.PageSize, maxPage)
	if c.logger == nil {
		c.logger = slog.New(slog.DiscardHandler)
	}
	for _, name := range d.settings() {
		if t.Setting(name) == "" {
			return nil, connectors.Misuse("the login has no %s", name)
		}
	}
	if protocol, ok := t.Protocol.(*statement); ok {
		c.login = protocol.login
	}
	if err := c.setCheck(t.Check); err != nil {
		return nil, err
	}
	client, err := web.New(web.Options{
		Address: t.Setting("address"), CA: t.Setting("ca"), Dial: t.Dial, Timeout: c.limits.Timeout, Logger: c.logger,
	})
	if err != nil {
		return nil, err
	}
	c.web = client
	c.lanes = lane.New(c.limits.Concurrency)
	c.session = c.newSession()
	return c, nil
}

func (c *conn) setCheck(check connectors.Statement) error {
	if check == nil && c.dialect.proof().method != "" {
		return nil
	}
	s, ok := check.(*statement)
	if !ok || s.method == "" || s.listing != nil {
		return connectors.Misuse("the check must be a call of this driver")
	}
	c.check = s
	return nil
}

// Atomic implements connectors.Conn: each call is a transaction of its own.
func (c *conn) Atomic() bool { return false }

// Check implements connectors.Conn. A column `version` of the definition's check is the system's.
func (c *conn) Check(ctx context.Context) (connectors.SystemInfo, error) {
	var info connectors.SystemInfo
	if err := c.lanes.Enter(ctx, lane.Check, c.limits.Timeout); err != nil {
		return info, err
	}
	defer c.lanes.Leave(lane.Check)
	if c.check == nil {
		if _, err := c.call(ctx, c.dialect.proof()); err != nil {
			return info, err
		}
		info.Version = c.serverVersion(ctx)
		return info, nil
	}
	call, err := c.invocation(ctx, c.check, nil, nil)
	if err != nil {
		return info, err
	}
	answer, err := c.call(ctx, call)
	if err != nil {
		return info, err
	}
	effect, err := c.check.effect(answer)
	info.Version, _ = effect.Row["version"].(string)
	return info, err
}

// serverVersion asks the server once; one behind a proxy may not say.
func (c *conn) serverVersion(ctx context.Context) string {
	if v, known := c.version.Load(""); known {
		return v.(string)
	}
	version := c.dialect.version(ctx, c)
	if version != "" {
		c.version.Store("", version)
	}
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
	s, ok := r.Statement.(*statement)
	if !ok {
		return connectors.Misuse("the statement was compiled by another driver: %T", r.Statement)
	}
	if s.listing != nil {
		q, err := newSearch(s, r)
		if err != nil {
			return err
		}
		return c.search(ctx, q, yield)
	}
	q, err := c.plan(ctx, s, r)
	if err != nil {
		return err
	}
	return c.pages(ctx, q, yield)
}

// Close implements connectors.Conn.
func (c *conn) Close() error {
	c.logOut()
	c.web.Close()
	return nil
}
