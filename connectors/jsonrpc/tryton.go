package jsonrpc

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"gantry/connectors"
	"gantry/connectors/web"
)

// tryton is the dialect of the ERP Tryton (6.0): https://docs.tryton.org/. It is near to JSON-RPC and is not it: there is no member `jsonrpc`,
// `error` is a list, decimals and dates are objects with a `__class__`, and the last parameter is the context.
type tryton struct{}

var _ modelled = tryton{}

// preferences is the method that gives the context in which the user works: company, language, groups. It is also the
// cheapest proof of a login.
const preferences = "model.res.user.get_preferences"

func (tryton) settings() []string { return []string{"database"} }

func (tryton) kinds() (params, columns []string) {
	params = []string{kindDecimal, kindDate, kindDatetime, kindFloat, kindBoolean}
	return params, append(params, kindRecord)
}

func (tryton) accepts(s *statement) error {
	switch {
	case s.named != nil:
		return errors.New("named: Tryton takes parameters by their place")
	case s.batch != nil:
		return errors.New("batch: Tryton has none")
	case s.method != "" && !trytonMethod(s.method):
		return errors.New("method: must be one such as model.purchase.purchase.create")
	}
	return nil
}

func (tryton) passes(_ *conn, call invocation) error {
	switch {
	case strings.HasPrefix(call.method, "common."):
		return connectors.RefuseLogin()
	case !trytonMethod(call.method):
		return connectors.RefusePassage("call", "must be one such as model.purchase.purchase.search_read")
	case call.named != nil:
		return connectors.RefusePassage("named", "Tryton takes parameters by their place")
	}
	return nil
}

func trytonMethod(name string) bool {
	kind, _, deeper := strings.Cut(name, ".")
	switch kind {
	case "model", "wizard", "report", "common", "system":
		return deeper
	}
	return false
}

// logIn gets a session, or, where the login says basic, does without. The server answers a wrong password with a page of HTML, after
// a while.
func (d tryton) logIn(ctx context.Context, c *conn) (*grant, error) {
	g := &grant{header: basic(c.user, c.password), renewable: true}
	if c.way != "basic" {
		answer, err := c.post(ctx, nil, invocation{
			method: "common.db.login", params: []any{c.user, map[string]any{"password": c.password.Reveal()}, "en"}, patience: loginPatience,
		})
		if err != nil {
			return nil, err
		}
		session, ok := web.At(answer, "1").(string)
		if g.user = web.At(answer, "0"); !ok || g.user == nil {
			return nil, strange("the answer to the login holds no session")
		}
		g.header = "Session " + base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s:%v:%s", c.user, g.user, session))
		g.end = "common.db.logout"
	}
	answer, err := c.post(ctx, g, invocation{method: preferences, params: []any{true}, patience: loginPatience})
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

func (tryton) refuses(_ *conn, f *connectors.Failure) bool { return said(f, http.StatusUnauthorized) }

func (tryton) proof() invocation { return invocation{method: preferences, params: []any{true}} }

func (tryton) version(ctx context.Context, c *conn) string {
	answer, err := c.post(ctx, nil, invocation{method: "common.server.version"})
	version, _ := answer.(string)
	if err != nil {
		return ""
	}
	return version
}

func (tryton) request(c *conn, login *grant, id int64, call invocation) (web.Request, error) {
	r := web.Request{Method: http.MethodPost, Header: http.Header{"Content-Type": {"application/json"}}}
	if call.method != "common.server.version" {
		r.URL = url.PathEscape(c.database) + "/"
	}
	params := call.params
	if login != nil {
		r.Header.Set("Authorization", login.header)
		if !strings.HasPrefix(call.method, "common.") {
			params = append(params[:len(params):len(params)], over(login.context, call.context))
		}
	}
	if params == nil {
		params = []any{}
	}
	var err error
	r.Body, err = body(map[string]any{"id": id, "method": call.method, "params": params}) // these three, and no other
	return r, err
}

// result takes the result out of an answer. A fault of the system comes under the status 200, as a list: what kind it is, and what
// it has to say.
func (tryton) result(answer *web.Response, _ int64) (any, error) {
	envelope, err := opened(answer)
	if err != nil {
		return nil, err
	}
	if said, failed := envelope["error"]; failed && said != nil {
		return nil, trytonFault(said)
	}
	value, there := envelope["result"]
	if !there {
		return nil, strange("the answer has neither a result nor an error")
	}
	return value, nil
}

// trytonKinds are the faults that the system means; any other is one that happened to it.
var trytonKinds = map[string]bool{"UserError": true, "UserWarning": true, "ConcurrencyException": true, "LoginException": true, "MissingDependenciesException": true}

// trytonFault makes a Failure of the member error. The server has rolled back.
func trytonFault(said any) *connectors.Failure {
	first, _ := web.At(said, "0").(string)
	f := faulty("fault", firstLine(first))
	if trytonKinds[first] {
		f.Status, f.Source["error"] = first, first
		f.Message = web.Clip(trytonWords(said, first, f.Source))
	}
	f.Err = errors.New(f.Message)
	return f
}

// trytonWords finds what a fault says for people: [kind, [message, description, …]], of a warning [kind, [name, message, …]], or
// [kind, message].
func trytonWords(said any, kind string, source map[string]any) string {
	if s, ok := web.At(said, "1").(string); ok {
		return s
	}
	message, more := web.At(said, "1.0"), web.At(said, "1.1")
	if kind == "UserWarning" {
		source["warning"], _ = message.(string)
		message, more = more, web.At(said, "1.2")
	}
	text, _ := message.(string)
	if description, _ := more.(string); description != "" {
		text += " " + description
	}
	return text
}
