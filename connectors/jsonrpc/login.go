package jsonrpc

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"time"

	"gantry/connectors"
	"gantry/connectors/web"
)

const (
	// loginPatience is more than other calls get: a server makes logins wait after wrong passwords, and one
	// that was given up would count as one more.
	loginPatience  = 90 * time.Second
	logoutPatience = 2 * time.Second
)

func (c *conn) newSession() *web.Session[*grant] {
	return web.NewSession(web.Login[*grant]{
		Do: func(ctx context.Context) (*grant, error) {
			g, err := c.dialect.logIn(ctx, c)
			if f, ok := errors.AsType[*connectors.Failure](err); ok && c.refuses(f) {
				err = refusing(f)
			}
			return g, err
		},
		Refused: c.refuses,
		Limited: func(f *connectors.Failure) bool { return said(f, http.StatusTooManyRequests) },
	})
}

func (c *conn) refuses(f *connectors.Failure) bool {
	return f.Kind == connectors.Answered && c.dialect.refuses(c, f)
}

func basic(user string, password connectors.Secret) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password.Reveal()))
}

// logOut ends the login at the server, if that is quickly done; it would end by itself.
func (c *conn) logOut() {
	g, held := c.session.Held()
	if !held || g.end == "" {
		return
	}
	c.session.Expired(g)
	ctx, cancel := context.WithTimeout(context.Background(), logoutPatience)
	defer cancel()
	if _, err := c.post(ctx, g, invocation{method: g.end, patience: logoutPatience}); err != nil {
		c.logger.Debug("logout failed", "error", err)
	}
}

// said tells an answer with an HTTP status.
func said(f *connectors.Failure, status int64) bool {
	return f.Kind == connectors.Answered && f.Source["http"] == status
}
