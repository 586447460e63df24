package odata

import (
	"context"
	"net/http"
	"path"
	"strings"

	"gantry/connectors"
	"gantry/connectors/lane"
	"gantry/connectors/web"
)

var _ connectors.Passer = (*conn)(nil)

// Pass implements connectors.Passer.
func (c *conn) Pass(ctx context.Context, p connectors.Passage) (connectors.Passed, error) {
	r, err := c.passing(p)
	if err != nil {
		return connectors.Passed{}, err
	}
	if err := c.lanes.Enter(ctx, lane.Calls, c.limits.Timeout); err != nil {
		return connectors.Passed{}, err
	}
	defer c.lanes.Leave(lane.Calls)
	for renewed, again := false, false; ; {
		login, err := c.pass(ctx)
		if err != nil {
			return connectors.Passed{}, err
		}
		t, err := c.guard(ctx, login, &r)
		if err != nil && !renewed && c.mayRenew(login, err) {
			renewed = true
			continue
		}
		if err != nil {
			return connectors.Passed{}, err
		}
		response, err := c.send(ctx, login, r)
		switch {
		case err != nil:
			return connectors.Passed{}, err
		case !again && r.Effect && wantsToken(response):
			c.guarded.Store(true)
			login.forgery.Expired(t)
			again = true
		case !renewed && response.Status == http.StatusUnauthorized && c.loginEnded(ctx, login):
			renewed = true
		default:
			return response.Passed(login.secrets()...), nil
		}
	}
}

// passing makes the exchange. A batch is refused: what is in it, no pattern of the plant's could judge.
func (c *conn) passing(p connectors.Passage) (web.Request, error) {
	if web.SamePath(path.Base(p.Path), "$batch") {
		return web.Request{}, connectors.RefusePassage("path", "a batch does not pass: send its requests one by one")
	}
	if c.by == loginSession {
		own, err := c.protocol.login.path.render(c.vars)
		switch {
		case err != nil:
			return web.Request{}, err
		case web.SamePath(strings.TrimPrefix(own, "."), p.Path):
			return web.Request{}, connectors.RefuseLogin()
		}
	}
	for name := range c.protocol.query {
		for given := range p.Query {
			if strings.EqualFold(given, name) {
				return web.Request{}, connectors.RefusePassage("query", given+" is set by the connection")
			}
		}
	}
	own, err := c.request(p.Method, "", nil)
	if err != nil {
		return own, err
	}
	r := web.Passing(p)
	if own.URL != "" { // the protocol's own parameters
		separator := "?"
		if len(p.Query) > 0 {
			separator = "&"
		}
		r.URL += separator + own.URL[1:]
	}
	return r, nil
}

// loginEnded tells whether a login is over that can be had anew, and throws it away.
func (c *conn) loginEnded(ctx context.Context, p *pass) bool {
	return c.renews() && c.mayRenew(p, c.proof(ctx, p))
}

// secrets are what requests with this login carry.
func (p *pass) secrets() []string {
	all := []string{p.Secret()}
	p.held.Lock()
	defer p.held.Unlock()
	for _, value := range p.cookies {
		all = append(all, value)
	}
	if t, held := p.forgery.Held(); held {
		all = append(all, t.value)
	}
	return all
}
