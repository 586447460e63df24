package rest

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"gantry/connectors"
	"gantry/connectors/lane"
	"gantry/connectors/native"
	"gantry/connectors/web"
)

// maxPage bounds the page that a definition asks for.
const maxPage = 5000

// defaults hold where a definition says nothing.
var defaults = connectors.Limits{Concurrency: 4, Timeout: 30 * time.Second, PageSize: 100}

// conn is one login to one server.
type conn struct {
	web      *web.Client
	issuer   *web.Issuer // of tokens, where that is another server; else nil
	session  *web.Session[*web.Grant]
	by       string // how it logs in
	dialect  string
	protocol *protocol
	check    *statement
	vars     connectors.Vars // the login's settings, as statements name them
	limits   connectors.Limits
	lanes    lane.Lanes
	logger   *slog.Logger
}

var _ connectors.Conn = (*conn)(nil)

func open(t connectors.Target) (*conn, error) {
	c := &conn{dialect: t.Dialect, limits: t.Limits.Or(defaults), logger: t.Logger, vars: connectors.Vars{}, protocol: &protocol{}}
	c.limits.PageSize = min(c.limits.PageSize, maxPage)
	if c.logger == nil {
		c.logger = slog.New(slog.DiscardHandler)
	}
	for name, value := range t.Settings {
		c.vars["login_"+name] = value
	}
	if err := c.adopt(t); err != nil {
		return nil, err
	}
	c.by = cmp.Or(c.protocol.login.by, t.Setting("login"), loginNone)
	client, err := web.New(web.Options{
		Address: t.Setting("address"), CA: t.Setting("ca"), Dial: t.Dial, Timeout: c.limits.Timeout, NTLM: c.by == loginNTLM, Logger: c.logger,
	})
	if err != nil {
		return nil, err
	}
	c.web = client
	c.lanes = lane.New(c.limits.Concurrency)
	c.session, err = c.newSession(t)
	return c, err
}

// adopt takes the definition's statements that are the connection's own.
func (c *conn) adopt(t connectors.Target) error {
	if t.Protocol != nil {
		p, ok := t.Protocol.(*protocol)
		if !ok {
			return connectors.Misuse("the protocol was compiled by another driver: %T", t.Protocol)
		}
		c.protocol = p
	} else {
		c.protocol.times, _ = compileTimes(&native.Members{})
	}
	if t.Check != nil {
		s, ok := t.Check.(*statement)
		if !ok || s.rows != "" || s.request.method != http.MethodGet {
			return connectors.Misuse("the check must be a get of this driver, without rows")
		}
		c.check = s
	}
	return nil
}

// Atomic implements connectors.Conn: each call stands for itself.
func (c *conn) Atomic() bool { return false }

// Check implements connectors.Conn.
func (c *conn) Check(ctx context.Context) (connectors.SystemInfo, error) {
	var info connectors.SystemInfo
	if err := c.lanes.Enter(ctx, lane.Check, c.limits.Timeout); err != nil {
		return info, err
	}
	defer c.lanes.Leave(lane.Check)
	if _, err := c.proved(ctx); err != nil || c.check == nil {
		return info, err
	}
	r, err := c.check.request.render(c.rendering(c.vars), nil)
	if err != nil {
		return info, err
	}
	answer, err := c.call(ctx, r, c.check.none)
	if err != nil {
		return info, err
	}
	if version, known := c.check.results["version"]; known {
		v, _ := c.value(version, answer.header, answer.value, nil)
		info.Version = scalar(v)
	}
	return info, nil
}

// Read implements connectors.Conn. The place in the lane is held until the reader is through: it is rows that are bounded, not
// only requests.
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

var errStopped = errors.New("the reader stopped")

func (c *conn) read(ctx context.Context, r connectors.Read, yield func(connectors.Row, error) bool) error {
	q, err := c.plan(r)
	if err != nil {
		return err
	}
	left := r.Limit
	for row, err := range q.rows(ctx) {
		if err != nil {
			return err
		}
		if !yield(row, nil) {
			return errStopped
		}
		if left--; left == 0 {
			return nil
		}
	}
	return nil
}

// Close implements connectors.Conn.
func (c *conn) Close() error {
	c.web.Close()
	if c.issuer != nil {
		c.issuer.Close()
	}
	return nil
}

// addressed makes a link of the system's a request's URL.
func (c *conn) addressed(link string, rebase bool, from string) (string, error) {
	base, err := url.Parse(c.web.Origin())
	if err != nil {
		return "", err
	}
	if base, err = base.Parse(from); err != nil {
		return "", err
	}
	to, err := base.Parse(link)
	if err != nil {
		return "", strange("the system gave a link that is none")
	}
	return c.web.Resolve(to.String(), rebase)
}
