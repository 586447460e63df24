package jsonrpc

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"time"

	"gantry/connectors"
	"gantry/connectors/web"
)

// preferences is the method that gives the context in which the user works: company, language, groups. It is also the
// cheapest proof of a login.
const preferences = "model.res.user.get_preferences"

const (
	// loginPatience is more than other calls get: the server makes logins wait after wrong passwords, and one
	// that was given up would count as one more.
	loginPatience  = 90 * time.Second
	logoutPatience = 2 * time.Second
)

// grant is a login that the server took.
type grant struct {
	authorization string
	context       map[string]any
	session       bool // there is something to log out of
}

func (c *conn) newSession(t connectors.Target) *web.Session[*grant] {
	user, password := setting(t, "username"), t.Credentials["password"]
	do := func(ctx context.Context) (*grant, error) { return c.logIn(ctx, user, password) }
	if setting(t, "login") == "basic" {
		do = func(ctx context.Context) (*grant, error) { return c.withContext(ctx, basic(user, password)) }
	}
	status := func(want int64) func(*connectors.Failure) bool {
		return func(f *connectors.Failure) bool { return f.Kind == connectors.Answered && f.Source["http"] == want }
	}
	return web.NewSession(web.Login[*grant]{Do: do, Refused: status(http.StatusUnauthorized), Limited: status(http.StatusTooManyRequests)})
}

func basic(user string, password connectors.Secret) *grant {
	return &grant{authorization: "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password.Reveal()))}
}

// logIn gets a session. The server answers a wrong password with a page of HTML, after a while.
func (c *conn) logIn(ctx context.Context, user string, password connectors.Secret) (*grant, error) {
	answer, err := c.post(ctx, c.path(), nil, invocation{
		method: "common.db.login", params: []any{user, map[string]any{"password": password.Reveal()}, "en"}, patience: loginPatience,
	}, nil)
	if err != nil {
		return nil, err
	}
	id, session := web.At(answer, "0"), web.At(answer, "1")
	text, ok := session.(string)
	if !ok || id == nil {
		return nil, strange("the answer to the login holds no session")
	}
	token := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s:%v:%s", user, id, text))
	return c.withContext(ctx, &grant{authorization: "Session " + token, session: true})
}

// withContext asks in which context the user works.
func (c *conn) withContext(ctx context.Context, g *grant) (*grant, error) {
	answer, err := c.post(ctx, c.path(), g, invocation{method: preferences, params: []any{true}, patience: loginPatience}, nil)
	if err != nil {
		return nil, err
	}
	own, ok := answer.(map[string]any)
	if !ok {
		return nil, strange("the user's preferences are no object")
	}
	g.context = own
	return g, nil
}

// logOut ends the session at the server, if that is quickly done; it would end by itself.
func (c *conn) logOut() {
	g, held := c.session.Held()
	if !held || !g.session {
		return
	}
	c.session.Expired(g)
	ctx, cancel := context.WithTimeout(context.Background(), logoutPatience)
	defer cancel()
	header := http.Header{"Content-Type": {"application/json"}, "Authorization": {g.authorization}}
	body := []byte(`{"id":1,"method":"common.db.logout","params":[]}`)
	if _, err := c.web.Do(ctx, web.Request{Method: http.MethodPost, URL: c.path(), Header: header, Body: body, Patience: logoutPatience}); err != nil {
		c.logger.Debug("logout failed", "error", err)
	}
}
