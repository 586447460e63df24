package odata

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"gantry/connectors"
	"gantry/connectors/lane"
	"gantry/connectors/template"
	"gantry/connectors/web"
)

// maxPage bounds the page that a definition asks for.
const maxPage = 5000

// defaults hold where a definition says nothing.
var defaults = connectors.Limits{Concurrency: 4, Timeout: 60 * time.Second, PageSize: 200}

// conn is one login to one server, which may have many services.
type conn struct {
	web      *web.Client
	issuer   *web.Issuer // of tokens, where that is another server; else nil
	session  *web.Session[*pass]
	guarded  atomic.Bool // the server asks for tokens against forged requests
	by       string      // how it logs in
	w        writer
	protocol *protocol
	check    *statement
	vars     connectors.Vars // the login's settings, as statements name them
	limits   connectors.Limits
	lanes    lane.Lanes
	logger   *slog.Logger

	known  sync.Mutex
	models map[string]*web.Session[*model] // by the service's path; each is read once
}

var _ connectors.Conn = (*conn)(nil)

func open(t connectors.Target) (*conn, error) {
	c := &conn{
		w: writer{t.Dialect}, limits: t.Limits.Or(defaults), logger: t.Logger, vars: connectors.Vars{}, models: map[string]*web.Session[*model]{},
		protocol: &protocol{names: template.NewCompiler(template.Grammar{})},
	}
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
	}
	if t.Check != nil {
		s, ok := t.Check.(*statement)
		if !ok || !s.isQuery() {
			return connectors.Misuse("the check must be a get of this driver")
		}
		c.check = s
	}
	return nil
}

// Atomic implements connectors.Conn: each call, and each batch, stands for itself.
func (c *conn) Atomic() bool { return false }

// Check implements connectors.Conn: it reads one record of the check's set, or, where the definition has no check, the service's metadata.
func (c *conn) Check(ctx context.Context) (connectors.SystemInfo, error) {
	var info connectors.SystemInfo
	if err := c.lanes.Enter(ctx, lane.Check, c.limits.Timeout); err != nil {
		return info, err
	}
	defer c.lanes.Leave(lane.Check)
	service, err := c.serviceOf(c.check, c.vars)
	if err != nil {
		return info, err
	}
	if _, err := c.proved(ctx); err != nil {
		return info, err
	}
	m, err := c.model(ctx, service)
	if err != nil {
		return info, err
	}
	info.Version = "OData " + m.version
	if c.check == nil {
		return info, nil
	}
	err = c.read(ctx, connectors.Read{Statement: c.check, Limit: 1}, func(connectors.Row, error) bool { return true })
	return info, err
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
	q, err := c.plan(ctx, r)
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

// model gives what a service's metadata says; it is read once.
func (c *conn) model(ctx context.Context, service string) (*model, error) {
	c.known.Lock()
	one := c.models[service]
	if one == nil {
		never := func(*connectors.Failure) bool { return false }
		one = web.NewSession(web.Login[*model]{Refused: never, Limited: never, Do: func(ctx context.Context) (*model, error) {
			return c.readModel(ctx, service)
		}})
		c.models[service] = one
	}
	c.known.Unlock()
	return one.Get(ctx)
}

// forget has a service's metadata read again: somebody may have added a property.
func (c *conn) forget(service string) {
	c.known.Lock()
	defer c.known.Unlock()
	delete(c.models, service)
}

func (c *conn) readModel(ctx context.Context, service string) (*model, error) {
	r, err := c.request(http.MethodGet, service+"$metadata", nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/xml")
	answer, err := c.call(ctx, r, nil)
	if err != nil {
		return nil, err
	}
	m, err := readModel(answer.body)
	if err != nil {
		f := strange("the service's $metadata cannot be read: " + err.Error())
		f.Err = err
		return nil, f
	}
	return m, nil
}
