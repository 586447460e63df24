package rest

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"gantry/connectors"
	"gantry/connectors/native"
	"gantry/connectors/template"
	"gantry/connectors/web"
)

// The ways to log in.
const (
	loginNone    = "none"
	loginBasic   = "basic"
	loginBearer  = "bearer"
	loginAPIKey  = "api_key"
	loginSession = "session"
	loginOAuth2  = "oauth2"
	loginNTLM    = "ntlm"
)

var logins = []string{loginNone, loginBasic, loginBearer, loginAPIKey, loginSession, loginOAuth2, loginNTLM}

// lifetimeJWT reads a token's end out of the token itself, RFC 7519.
const lifetimeJWT = "jwt"

// login is how a product's requests show who sends them.
type login struct {
	by       string   // "": the setting `login` says it
	request  *request // of a session
	token    string   // path of the session's token
	cookie   string   // or the cookie that holds it
	header   string   // in which requests carry the token, or the key
	prefix   string   // before it
	lifetime string   // path of the token's seconds, or jwt; "": the system does not say
	over     []int    // statuses that say that the login is over
	refused  []int    // statuses of a login that was refused
}

func compileLogin(v any) (login, error) {
	m := native.Object("login", v)
	l := login{
		by: m.OneOf("by", logins...), token: m.Text("token"), cookie: m.Text("cookie"), header: m.Text("header"), prefix: m.Text("prefix"),
		lifetime: m.Text("lifetime"), over: m.Numbers("over"), refused: m.Numbers("refused"),
	}
	if l.by == loginSession {
		var err error
		if l.request, err = compileRequest(m, loginGrammar); err != nil {
			return l, fmt.Errorf("login: %w", err)
		}
		if (l.token == "") == (l.cookie == "") {
			m.Fault("a session has token, the path of it in the answer, or cookie, the name of one")
		}
	}
	return l, m.Done()
}

// renews tells whether a new login can come of the same credentials.
func (c *conn) renews() bool { return c.by == loginSession || c.by == loginOAuth2 }

func (c *conn) newSession(t connectors.Target) (*web.Session[*web.Grant], error) {
	do, err := c.loginOf(t)
	if err != nil {
		return nil, err
	}
	refused := c.protocol.login.refused
	if len(refused) == 0 {
		refused = []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden}
	}
	atLogin := func(f *connectors.Failure, statuses ...int) bool {
		status, _ := f.Source["http"].(int64)
		return f.Kind == connectors.Answered && f.Source["login"] == true && slices.Contains(statuses, int(status))
	}
	return web.NewSession(web.Login[*web.Grant]{
		Do: func(ctx context.Context) (*web.Grant, error) {
			g, err := do(ctx)
			return g, atTheLogin(err)
		},
		Refused: func(f *connectors.Failure) bool { return atLogin(f, refused...) },
		Limited: func(f *connectors.Failure) bool { return atLogin(f, http.StatusTooManyRequests) },
	}), nil
}

// loginOf gives the login's own way. A password that is sent with every call is proved first, alone: four calls at once with a
// wrong one would lock an account.
func (c *conn) loginOf(t connectors.Target) (func(context.Context) (*web.Grant, error), error) {
	l := c.protocol.login
	secret := func(name string) string { return t.Credentials[name].Reveal() }
	var static *web.Grant
	switch c.by {
	case loginNone:
		return func(context.Context) (*web.Grant, error) { return &web.Grant{}, nil }, nil
	case loginBasic, loginNTLM: // of NTLM it is never sent: package web turns it into one
		static = web.Basic(t.Setting("username"), t.Credentials["password"])
		if l.by == loginBasic && l.header != "" { // a product's own header for the same pair
			static.Header, static.Value = l.header, l.prefix+strings.TrimPrefix(static.Value, "Basic ")
		}
	case loginBearer:
		static = &web.Grant{Header: cmp.Or(l.header, "Authorization"), Value: cmp.Or(l.prefix, "Bearer ") + secret("token")}
	case loginAPIKey:
		static = &web.Grant{Header: cmp.Or(t.Setting("key_header"), l.header, "X-API-Key"), Value: l.prefix + secret("api_key")}
	case loginSession:
		return func(ctx context.Context) (*web.Grant, error) { return c.logIn(ctx, t) }, nil
	case loginOAuth2:
		var err error
		if c.issuer, err = web.NewIssuer(t, c.limits.Timeout, c.logger); err != nil {
			return nil, err
		}
		return c.issuer.Token, nil
	default:
		return nil, connectors.Misuse("the login must be one of %s", strings.Join(logins, ", "))
	}
	if strings.ContainsAny(static.Value, "\r\n") || !headerName.MatchString(static.Header) {
		return nil, connectors.Misuse("the login has a line's end in it, or the header %q is none", static.Header)
	}
	return func(ctx context.Context) (*web.Grant, error) {
		g := *static // each login is its own: a session tells them apart
		return &g, c.proof(ctx, &g)
	}, nil
}

// logIn makes the session's request.
func (c *conn) logIn(ctx context.Context, t connectors.Target) (*web.Grant, error) {
	l := c.protocol.login
	with := c.rendering(c.vars)
	with.Driver = template.Credentials(t.Credentials)
	r, err := l.request.render(with, nil)
	if err != nil {
		return nil, err
	}
	r.Effect = false // a login that was cut off is made again
	response, err := c.web.Do(ctx, r)
	if err != nil {
		return nil, err
	}
	answer, err := c.answer(response)
	if err != nil {
		return nil, err
	}
	token, _ := web.At(answer, l.token).(string)
	if l.cookie != "" {
		token = cookie(response.Header, l.cookie)
	}
	if token == "" || len(token) > 16<<10 || strings.ContainsAny(token, "\r\n") {
		return nil, strange("the answer to the login holds no token")
	}
	g := &web.Grant{Header: cmp.Or(l.header, "Authorization"), Value: l.prefix + token}
	if l.cookie != "" {
		g.Header, g.Value = "Cookie", l.cookie+"="+token
	}
	return g.Lasting(lifetime(l.lifetime, answer, token)), nil
}

func cookie(h http.Header, name string) string {
	for _, one := range (&http.Response{Header: h}).Cookies() {
		if one.Name == name {
			return one.Value
		}
	}
	return ""
}

// lifetime tells how long a token lasts; 0: nobody says.
func lifetime(path string, answer any, token string) time.Duration {
	switch path {
	case "":
		return 0
	case lifetimeJWT:
		return jwtLifetime(token)
	}
	n, err := json.Number(scalar(web.At(answer, path))).Int64()
	if err != nil || n > int64(maxLifetime/time.Second) {
		return 0
	}
	return time.Duration(n) * time.Second
}

const maxLifetime = 365 * 24 * time.Hour

// jwtLifetime reads a token's claims. They are not verified: a lie would only make us log in too early or too late. Where the
// issuer says when it made the token, no clock of ours is needed.
func jwtLifetime(token string) time.Duration {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return 0
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		Exp, Iat float64
	}
	if err != nil || json.Unmarshal(raw, &claims) != nil || claims.Exp <= 0 || claims.Exp > 1<<40 {
		return 0
	}
	from := claims.Iat
	if from <= 0 {
		from = float64(time.Now().Unix())
	}
	return min(time.Duration(max(claims.Exp-from, 0))*time.Second, maxLifetime)
}

// rendering prepares what templates see.
func (c *conn) rendering(vars connectors.Vars) *template.Rendering {
	return &template.Rendering{Vars: vars, Encode: c.protocol.times.encode}
}
