package jsonrpc

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"gantry/connectors"
	"gantry/connectors/web"
)

// odoo is the dialect of the external API of the ERP Odoo at /jsonrpc, 17 and later, announced to end with 22:
// https://www.odoo.com/documentation/19.0/developer/reference/external_rpc_api.html. Every call is the same method of JSON-RPC 2.0, with a
// service, a method and its arguments; the password, or an API key in its place, stands in each.
type odoo struct{}

var _ modelled = odoo{}

// The services. What a model's method is called is model.method here.
const (
	odooLogin   = "common.login"
	odooVersion = "common.version"
	odooContext = "res.users.context_get" // language, time zone; the cheapest proof of a login
)

func (odoo) settings() []string { return []string{"database"} }

func (odoo) kinds() (params, columns []string) {
	params = []string{kindDecimal, kindDate, kindDatetime, kindFloat, kindBoolean}
	return params, append(params, kindRecord, kindName)
}

func (odoo) accepts(s *statement) error {
	switch {
	case s.guard != nil:
		return errors.New("unchanged: Odoo has no lock of this kind")
	case s.batch != nil:
		return errors.New("batch: Odoo has none")
	case s.method != "" && (strings.HasPrefix(s.method, "common.") || !strings.Contains(s.method, ".")):
		return errors.New("method: must be one such as purchase.order.button_confirm")
	}
	for _, path := range s.fields {
		if strings.Contains(path, ".") {
			return errors.New("columns: Odoo gives no fields of related records; there are the number (as record) and the name (as name)")
		}
	}
	return nil
}

func (odoo) passes(_ *conn, call invocation) error {
	switch {
	case strings.HasPrefix(call.method, "common."):
		return connectors.RefuseLogin()
	case !modelName.MatchString(call.method) || !strings.Contains(call.method, "."):
		return connectors.RefusePassage("call", "must be a model and its method, such as purchase.order.button_confirm")
	}
	return nil
}

// logIn asks for the user's number. A wrong password is answered with false.
func (odoo) logIn(ctx context.Context, c *conn) (*grant, error) {
	user, err := c.post(ctx, nil, invocation{method: odooLogin, params: []any{c.database, c.user, c.password.Reveal()}, patience: loginPatience})
	if err != nil {
		return nil, err
	}
	if user == nil || user == false {
		f := faulty(odooDenied, "the login was answered with false")
		f.Source["error"] = odooDenied
		return nil, f
	}
	g := &grant{user: user}
	answer, err := c.post(ctx, g, invocation{method: odooContext, patience: loginPatience})
	if err != nil {
		return nil, err
	}
	g.context, _ = answer.(map[string]any)
	return g, nil
}

// odooDenied is the kind of a fault that refuses the login itself.
const odooDenied = "AccessDenied"

func (odoo) refuses(_ *conn, f *connectors.Failure) bool { return f.Source["error"] == odooDenied }

func (odoo) proof() invocation { return invocation{method: odooContext} }

func (odoo) version(ctx context.Context, c *conn) string {
	answer, err := c.post(ctx, nil, invocation{method: odooVersion})
	version, _ := web.At(answer, "server_version").(string)
	if err != nil {
		return ""
	}
	return version
}

func (odoo) request(c *conn, login *grant, id int64, call invocation) (web.Request, error) {
	i := strings.LastIndexByte(call.method, '.')
	model, method := call.method[:i], call.method[i+1:]
	args := call.params
	if args == nil {
		args = []any{}
	}
	params := map[string]any{"service": model, "method": method, "args": args}
	if login != nil {
		named := over(call.named, map[string]any{"context": over(login.context, call.context)})
		if method == "context_get" {
			named = map[string]any{}
		}
		params = map[string]any{"service": "object", "method": "execute_kw",
			"args": []any{c.database, login.user, c.password.Reveal(), model, method, args, named}}
	}
	raw, err := body(enveloped(id, "call", params))
	return web.Request{Method: http.MethodPost, URL: "jsonrpc", Header: http.Header{"Content-Type": {"application/json"}}, Body: raw}, err
}

// result takes the result out of an answer. A method that gives nothing is answered without the member result. A fault of the system comes
// under the status 200.
func (odoo) result(answer *web.Response, id int64) (any, error) {
	envelope, err := opened(answer)
	if err != nil {
		return nil, err
	}
	if !answers(envelope, id) || envelope["jsonrpc"] != "2.0" {
		return nil, strange("the answer is to another request")
	}
	if said := envelope["error"]; said != nil {
		return nil, odooFault(said)
	}
	return envelope["result"], nil
}

// odooFault makes a Failure of the member error, whose data has the name of the server's exception: odoo.exceptions.UserError,
// psycopg2.OperationalError. What is no exception of Odoo's own happened to the server. It has rolled back.
func odooFault(said any) *connectors.Failure {
	f := plainFault(said)
	name, _ := web.At(said, "data.name").(string)
	kind, meant := strings.CutPrefix(name, "odoo.exceptions.")
	f.Status = name
	if message, _ := web.At(said, "data.message").(string); message != "" {
		f.Message = web.Clip(strings.TrimSpace(message))
	}
	f.Source["data"] = name
	if meant {
		f.Source["error"], f.Source["denied"] = kind, kind == "AccessError"
	} else {
		f.Message = firstLine(f.Message)
	}
	f.Err = errors.New(f.Message)
	return f
}
