package jsonrpc

import (
	"context"
	"time"

	"gantry/connectors"
	"gantry/connectors/web"
)

// dialect is what one kind of system makes of calls by method and parameters. Each has files of its own, and nothing else in the package
// asks which one it is.
type dialect interface {
	// settings names the members of a login without which there is no connection.
	settings() []string
	// kinds are the words after `as`: of a parameter, and of a column.
	kinds() (params, columns []string)
	// accepts refuses a statement that the system has no form for.
	accepts(s *statement) error
	// passes refuses a caller's own call (connectors.Passage) that the system has no form for, or that logs in.
	passes(c *conn, call invocation) error

	// logIn gets a login, with the connection's user and password.
	logIn(ctx context.Context, c *conn) (*grant, error)
	// refuses tells a refusal of the login: of one that was tried, or of one that was taken and is over.
	refuses(c *conn, f *connectors.Failure) bool
	// proof is the cheapest call that needs a login; without a method there is none, and the definition must have one.
	proof() invocation
	// version asks the system what it is; "": it does not say.
	version(ctx context.Context, c *conn) string

	// request makes the request of one call; login is nil while there is none.
	request(c *conn, login *grant, id int64, call invocation) (web.Request, error)
	// result takes the result out of the answer. A fault of the system is a *connectors.Failure.
	result(answer *web.Response, id int64) (any, error)

	// encode gives a value of connectors.Row's types in the system's form, decode the way back.
	encode(v any, kind string) (any, error)
	decode(v any, kind string) (any, error)
}

// modelled is a dialect whose systems keep their records in models that can be queried.
type modelled interface {
	dialect
	// page is the call for records of a model, in an order.
	page(model string, domain, own []any, order []key, fields []string, limit int) invocation
	// say puts a condition into the system's language, as members of its list of conditions.
	say(c condition) []any
	// orders tells whether a position among the records can be said by a field.
	orders(path string) bool
	// field takes a field out of a record.
	field(record map[string]any, path string) any
	// found is what a look-up gives of a record.
	found(record map[string]any, field string) any
	// need is the right that a call asks for; ok is false for calls that no model guards.
	need(method string) (right, bool)
	// lacks tells for each right whether the login is known not to have it.
	lacks(ctx context.Context, c *conn, rights []right) ([]bool, error)
	// unclear tells a refusal that may be for want of a right, and does not say so.
	unclear(f *connectors.Failure) bool
}

var dialects = map[string]dialect{"2.0": plain{}, "odoo": odoo{}, "tryton": tryton{}}

// invocation is one call, rendered.
type invocation struct {
	method   string
	params   []any          // by their place
	named    map[string]any // by their name
	context  map[string]any // over that of the login
	batch    []invocation   // instead of all these: several calls in one request
	effect   bool
	patience time.Duration // 0: the connection's
}

// grant is a login that the server took.
type grant struct {
	user      any            // the system's number of it
	header    string         // Authorization; "": the login stands in each call
	context   map[string]any // in which the user works: company, language
	renewable bool           // it ends by itself, and the same password gives another
	end       string         // the method that ends it; "": it needs none
}
