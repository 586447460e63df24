package rest

import (
	"context"
	"net/http"
	"slices"

	"gantry/connectors"
	"gantry/connectors/lane"
	"gantry/connectors/web"
)

var _ connectors.Passer = (*conn)(nil)

// Pass implements connectors.Passer. Where the answer may mean that the login is over, that is found out before it is renewed,
// once: a path that wants another login is no reason for a new one.
func (c *conn) Pass(ctx context.Context, p connectors.Passage) (connectors.Passed, error) {
	switch own, err := c.isLogin(p.Path); {
	case err != nil:
		return connectors.Passed{}, err
	case own:
		return connectors.Passed{}, connectors.RefuseLogin()
	}
	if err := c.lanes.Enter(ctx, lane.Calls, c.limits.Timeout); err != nil {
		return connectors.Passed{}, err
	}
	defer c.lanes.Leave(lane.Calls)
	for renewed := false; ; renewed = true {
		g, err := c.grant(ctx)
		if err != nil {
			return connectors.Passed{}, err
		}
		r := web.Passing(p)
		if r.Header.Get("Accept") == "" {
			r.Header.Set("Accept", c.media())
		}
		g.Apply(r.Header)
		response, err := c.web.Do(ctx, r)
		if err != nil {
			return connectors.Passed{}, err
		}
		if renewed || !slices.Contains(c.protocol.login.ends(), response.Status) || !c.loginEnded(ctx, g) {
			return response.Passed(g.Secret()), nil
		}
	}
}

// isLogin tells the requests by which the connection logs in, or keeps its login: their answers hold new ones.
func (c *conn) isLogin(path string) (bool, error) {
	for _, request := range []*request{c.protocol.login.request, c.protocol.prove} {
		if request == nil {
			continue
		}
		own, err := request.renderPath(c.vars)
		if err != nil {
			return false, err
		}
		if web.SamePath(own[1:], path) {
			return true, nil
		}
	}
	return false, nil
}

// loginEnded tells whether a login is over that can be had anew, and throws it away.
func (c *conn) loginEnded(ctx context.Context, g *web.Grant) bool {
	if !c.renews() {
		return false
	}
	if c.protocol.prove != nil || c.check != nil {
		if _, over := c.isOver(c.proof(ctx, g)); !over {
			return false
		}
	}
	c.session.Expired(g)
	return true
}

// media is what answers are asked to be written in.
func (c *conn) media() string {
	if c.dialect == dialectXML {
		return "application/xml, text/xml"
	}
	return "application/json"
}

// ends are the statuses that say that the login is over.
func (l login) ends() []int {
	if len(l.over) == 0 {
		return []int{http.StatusUnauthorized}
	}
	return l.over
}
