package soap

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"strings"
	"time"

	"gantry/connectors"
	"gantry/connectors/lane"
	"gantry/connectors/markup"
	"gantry/connectors/web"
)

// maxPage bounds the page that a definition asks for.
const maxPage = 5000

// defaults hold where a definition says nothing.
var defaults = connectors.Limits{Concurrency: 4, Timeout: 30 * time.Second, PageSize: 500}

// conn is one login to one service.
type conn struct {
	web      *web.Client
	version  version
	identity identity
	session  *web.Session[string]
	limits   connectors.Limits
	lanes    lane.Lanes
	check    *statement
}

var _ connectors.Conn = (*conn)(nil)

func open(t connectors.Target) (*conn, error) {
	v, err := versionOf(t.Dialect)
	if err != nil {
		return nil, connectors.Misuse("%w", err)
	}
	c := &conn{version: v, limits: t.Limits.Or(defaults)}
	c.limits.PageSize = min(c.limits.PageSize, maxPage)
	check, ok := t.Check.(*statement)
	if !ok || check.records == nil {
		return nil, connectors.Misuse("the check must be a query of this driver: SOAP itself has no call that proves a login")
	}
	c.check = check
	if c.identity, err = newIdentity(t); err != nil {
		return nil, err
	}
	if c.web, err = web.New(web.Options{Address: t.Setting("address"), CA: t.Setting("ca"), Dial: t.Dial, Timeout: c.limits.Timeout, Logger: t.Logger}); err != nil {
		return nil, err
	}
	c.lanes = lane.New(c.limits.Concurrency)
	no := func(*connectors.Failure) bool { return false }
	c.session = web.NewSession(web.Login[string]{Do: func(context.Context) (string, error) { return c.identity.way, nil }, Refused: no, Limited: no})
	return c, nil
}

// Atomic implements connectors.Conn: each call is a transaction of its own.
func (c *conn) Atomic() bool { return false }

// Check implements connectors.Conn.
func (c *conn) Check(ctx context.Context) (connectors.SystemInfo, error) {
	info := connectors.SystemInfo{Version: c.version.name}
	if err := c.lanes.Enter(ctx, lane.Check, c.limits.Timeout); err != nil {
		return info, err
	}
	defer c.lanes.Leave(lane.Check)
	q, err := plan(connectors.Read{Statement: c.check, Vars: connectors.Vars{}})
	if err != nil {
		return info, err
	}
	_, err = c.exchange(ctx, c.check, filling(q.vars, nil, 0, 1), false)
	return info, err
}

// Read implements connectors.Conn. The place in the lane is held until the reader is through: it is rows that are
// bounded, not only requests.
func (c *conn) Read(ctx context.Context, r connectors.Read) iter.Seq2[connectors.Row, error] {
	return func(yield func(connectors.Row, error) bool) {
		q, err := plan(r)
		if err != nil {
			yield(nil, err)
			return
		}
		which := lane.Of(ctx)
		if err := c.lanes.Enter(ctx, which, c.limits.Timeout); err != nil {
			yield(nil, err)
			return
		}
		defer c.lanes.Leave(which)
		if err := c.read(ctx, q, yield); err != nil && !errors.Is(err, errStopped) {
			yield(nil, err)
		}
	}
}

// exchange makes one call and gives the element of the answer.
func (c *conn) exchange(ctx context.Context, s *statement, with markup.Filling, effect bool) (*markup.Node, error) {
	body, err := c.envelope(s, with)
	if err != nil {
		return nil, err
	}
	token, err := c.session.Get(ctx)
	if err != nil {
		return nil, err
	}
	header := http.Header{"Content-Type": {c.version.media}}
	switch {
	case c.version == versions["soap11"]:
		header.Set("SOAPAction", `"`+s.action+`"`)
	case s.action != "":
		header.Set("Content-Type", c.version.media+`; action="`+s.action+`"`)
	}
	c.identity.header(header)
	answer, err := c.web.Do(ctx, web.Request{Method: http.MethodPost, Header: header, Body: []byte(body), Effect: effect})
	if err != nil {
		return nil, err
	}
	element, err := result(answer)
	f, failed := errors.AsType[*connectors.Failure](err)
	if failed && f.Source["refused"] == true {
		c.session.Refuse(token, f)
	}
	if failed && effect && f.Status == statusStrange {
		f.Kind, f.Sent = connectors.Lost, true // what it did, nobody can read
	}
	return element, err
}

// envelope renders a call.
func (c *conn) envelope(s *statement, with markup.Filling) (string, error) {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="` + c.version.namespace + `">`)
	c.identity.token(&b, time.Now())
	b.WriteString(`<e:Body>`)
	if err := s.body.Write(&b, with); err != nil {
		return "", err
	}
	b.WriteString(`</e:Body></e:Envelope>`)
	return b.String(), nil
}

// Close implements connectors.Conn.
func (c *conn) Close() error {
	c.web.Close()
	return nil
}
