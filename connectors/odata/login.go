package odata

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"gantry/connectors"
	"gantry/connectors/template"
	"gantry/connectors/web"
)

// pass is a login that the server took: what every request carries, and the cookies that came with it.
type pass struct {
	*web.Grant
	forgery *web.Session[*token] // the token against forged requests, which belongs to the cookies

	held    sync.Mutex
	cookies map[string]string
}

// token is one against forged requests.
type token struct{ value string }

// Bounds of what a server may have us carry.
const (
	maxCookies = 50
	maxCookie  = 4 << 10
	maxToken   = 1 << 10
)

// keep takes the cookies of an answer. All of them are the one server's that the connection speaks to.
func (p *pass) keep(response *web.Response) {
	p.held.Lock()
	defer p.held.Unlock()
	for _, one := range (&http.Response{Header: response.Header}).Cookies() {
		switch {
		case one.MaxAge < 0 || !one.Expires.IsZero() && one.Expires.Before(time.Now()):
			delete(p.cookies, one.Name)
		case len(one.Name)+len(one.Value) <= maxCookie && len(p.cookies) < maxCookies:
			p.cookies[one.Name] = one.Value
		}
	}
}

func (p *pass) apply(h http.Header) {
	p.Apply(h)
	p.held.Lock()
	defer p.held.Unlock()
	var all []string
	for _, name := range slices.Sorted(maps.Keys(p.cookies)) {
		all = append(all, name+"="+p.cookies[name])
	}
	if len(all) > 0 {
		h.Set("Cookie", strings.Join(all, "; "))
	}
}

func (c *conn) newPass(g *web.Grant) *pass {
	p := &pass{Grant: g, cookies: map[string]string{}}
	never := func(*connectors.Failure) bool { return false }
	p.forgery = web.NewSession(web.Login[*token]{Refused: never, Limited: never, Do: func(ctx context.Context) (*token, error) {
		return c.fetchToken(ctx, p)
	}})
	return p
}

// renews tells whether a new login can come of the same credentials.
func (c *conn) renews() bool { return c.by == loginSession || c.by == loginOAuth2 }

func (c *conn) newSession(t connectors.Target) (*web.Session[*pass], error) {
	do, err := c.loginOf(t)
	if err != nil {
		return nil, err
	}
	atLogin := func(f *connectors.Failure, statuses ...int64) bool {
		status, _ := f.Source["http"].(int64)
		return f.Kind == connectors.Answered && f.Source["login"] == true && slices.Contains(statuses, status)
	}
	return web.NewSession(web.Login[*pass]{
		Do: func(ctx context.Context) (*pass, error) {
			p, err := do(ctx)
			return p, atTheLogin(err)
		},
		Refused: func(f *connectors.Failure) bool {
			return atLogin(f, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden)
		},
		Limited: func(f *connectors.Failure) bool { return atLogin(f, http.StatusTooManyRequests) },
	}), nil
}

// loginOf gives the login's own way. What is sent with every call is proved first, alone: four calls at once with a wrong password
// would lock an account.
func (c *conn) loginOf(t connectors.Target) (func(context.Context) (*pass, error), error) {
	static := web.Grant{}
	switch c.by {
	case loginNone:
	case loginBasic, loginNTLM: // of NTLM it is never sent: package web turns it into one
		static = *web.Basic(t.Setting("username"), t.Credentials["password"])
	case loginBearer:
		static = web.Grant{Header: "Authorization", Value: "Bearer " + t.Credentials["token"].Reveal()}
	case loginSession:
		return func(ctx context.Context) (*pass, error) { return c.logIn(ctx, t) }, nil
	case loginOAuth2:
		var err error
		if c.issuer, err = web.NewIssuer(t, c.limits.Timeout, c.logger); err != nil {
			return nil, err
		}
		return func(ctx context.Context) (*pass, error) {
			g, err := c.issuer.Token(ctx)
			return c.newPass(g), err
		}, nil
	default:
		return nil, connectors.Misuse("the login must be one of %s", strings.Join(logins, ", "))
	}
	if strings.ContainsAny(static.Value, "\r\n") {
		return nil, connectors.Misuse("the login has a line's end in it")
	}
	return func(ctx context.Context) (*pass, error) {
		g := static
		p := c.newPass(&g)
		return p, c.proof(ctx, p)
	}, nil
}

// logIn makes a session's request, whose answer sets its cookies.
func (c *conn) logIn(ctx context.Context, t connectors.Target) (*pass, error) {
	with := &template.Rendering{Vars: c.vars, Driver: template.Credentials(t.Credentials), Encode: asItIs}
	body, err := c.protocol.login.body.Render(with)
	if err != nil {
		return nil, err
	}
	path, err := c.protocol.login.path.render(c.vars)
	if err != nil {
		return nil, err
	}
	r, err := c.request(http.MethodPost, strings.TrimSuffix(path, "/"), nil)
	if err != nil {
		return nil, err
	}
	if r.Body, err = json.Marshal(body); err != nil {
		return nil, connectors.Misuse("a value cannot be sent: %w", err)
	}
	r.Header.Set("Content-Type", media)
	r.Effect = false // a login that was cut off is made again
	p := c.newPass(&web.Grant{})
	response, err := c.send(ctx, p, r)
	if err != nil {
		return nil, err
	}
	if response.Status >= http.StatusMultipleChoices {
		return nil, c.refusal(response)
	}
	p.held.Lock()
	defer p.held.Unlock()
	if len(p.cookies) == 0 {
		return nil, strange("the answer to the login sets no cookie")
	}
	return p, nil
}

// proof makes a request that fails without a login: the service's own document. What it says beside the login is another's matter.
func (c *conn) proof(ctx context.Context, p *pass) error {
	service, err := c.serviceOf(c.check, c.vars)
	if err != nil || service == "./" && c.by == loginNone {
		return err
	}
	r, err := c.request(http.MethodGet, service, nil)
	if err != nil {
		return err
	}
	response, err := c.send(ctx, p, r)
	if err != nil {
		return err
	}
	if response.Status == http.StatusUnauthorized || response.Status == http.StatusTooManyRequests || response.Status >= http.StatusInternalServerError {
		return c.refusal(response)
	}
	return nil
}

// proved makes sure that the login holds, and gives the one that does.
func (c *conn) proved(ctx context.Context) (*pass, error) {
	for renewed := false; ; renewed = true {
		p, err := c.pass(ctx)
		if err != nil {
			return p, err
		}
		if err = c.proof(ctx, p); err == nil {
			return p, nil
		}
		if c.mayRenew(p, err) && !renewed {
			continue
		}
		return nil, c.refusedFor(p, err)
	}
}

// pass gives a login that is not about to end.
func (c *conn) pass(ctx context.Context) (*pass, error) {
	for {
		p, err := c.session.Get(ctx)
		if err != nil || !p.Over() {
			return p, err
		}
		c.session.Expired(p)
	}
}

// isOver tells a refusal of the login from any other.
func isOver(err error) (*connectors.Failure, bool) {
	f, ok := errors.AsType[*connectors.Failure](err)
	return f, ok && f.Kind == connectors.Answered && f.Source["http"] == int64(http.StatusUnauthorized)
}

// mayRenew throws a login away that is over, and tells whether there can be another.
func (c *conn) mayRenew(p *pass, err error) bool {
	if _, over := isOver(err); !over || !c.renews() {
		return false
	}
	c.session.Expired(p)
	return true
}

// refusedFor remembers that the server refuses a login that is sent with every call: it is not sent again.
func (c *conn) refusedFor(p *pass, err error) error {
	if _, over := isOver(err); !over {
		return err
	}
	err = atTheLogin(err)
	if f, ok := errors.AsType[*connectors.Failure](err); ok && !c.renews() {
		c.session.Refuse(p, f)
	}
	return err
}

func asItIs(v any, _ string) (any, error) { return v, nil }
