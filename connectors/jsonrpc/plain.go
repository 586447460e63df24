package jsonrpc

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"gantry/connectors"
	"gantry/connectors/web"
)

// plain is the dialect of systems that keep to JSON-RPC 2.0 over HTTP and add nothing: https://www.jsonrpc.org/specification.
type plain struct{}

var _ dialect = plain{}

func (plain) settings() []string { return nil }

func (plain) kinds() (params, columns []string) {
	return []string{kindText, kindDecimal, kindFloat, kindBoolean, kindDate, kindDatetime},
		[]string{kindText, kindInteger, kindDecimal, kindBoolean, kindDate, kindDatetime}
}

func (plain) accepts(s *statement) error {
	switch {
	case s.params != nil && s.named != nil:
		return errors.New("named: parameters go by their place or by their name, not both")
	case s.context != nil:
		return errors.New("context: JSON-RPC has none; it is a parameter like any other")
	case s.guard != nil:
		return errors.New("unchanged: JSON-RPC has no lock of this kind")
	}
	return nil
}

func (plain) passes(c *conn, call invocation) error {
	switch {
	case c.login != nil && call.method == c.login.s.method:
		return connectors.RefuseLogin()
	case call.params != nil && call.named != nil:
		return connectors.RefusePassage("named", "parameters go by their place or by their name, not both")
	}
	return nil
}

// logIn: what goes with every call is proved by the first of them.
func (plain) logIn(ctx context.Context, c *conn) (*grant, error) {
	switch c.way {
	case "", "none":
		return &grant{}, nil
	case "basic":
		return &grant{header: basic(c.user, c.password)}, nil
	case "bearer":
		return &grant{header: "Bearer " + c.password.Reveal()}, nil
	case "session":
		return c.callForToken(ctx)
	}
	return nil, connectors.Misuse("the login has the ways none, basic, bearer and session, not %q", c.way)
}

func (plain) refuses(c *conn, f *connectors.Failure) bool {
	return said(f, http.StatusUnauthorized) || c.login != nil && slices.Contains(c.login.refusals, f.Source["code"])
}

func (plain) proof() invocation { return invocation{} }

func (plain) version(context.Context, *conn) string { return "" }

func (plain) request(_ *conn, login *grant, id int64, call invocation) (web.Request, error) {
	r := web.Request{Method: http.MethodPost, Header: http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}}
	if login != nil && login.header != "" {
		r.Header.Set("Authorization", login.header)
	}
	var document any = enveloped(id, call.method, call.arguments())
	if call.batch != nil {
		all := make([]any, len(call.batch))
		for i, one := range call.batch {
			all[i] = enveloped(id+int64(i), one.method, one.arguments())
		}
		document = all
	}
	var err error
	r.Body, err = body(document)
	return r, err
}

// arguments are those by place or by name; nil: none.
func (call invocation) arguments() any {
	switch {
	case call.named != nil:
		return call.named
	case call.params != nil:
		return call.params
	}
	return nil
}

// result takes the result out of an answer; that of a batch is the list of its answers. Some servers send a fault under a status of its own:
// what the envelope says counts.
func (plain) result(answer *web.Response, id int64) (any, error) {
	document, err := web.Decode(answer.Body)
	envelope, single := document.(map[string]any)
	if answer.Status != http.StatusOK && (err != nil || !single || envelope["jsonrpc"] != "2.0" || envelope["error"] == nil) {
		return nil, refusal(answer)
	}
	if list, batch := document.([]any); batch && err == nil {
		return batched(list), nil
	}
	switch {
	case err != nil:
		_, err := decoded(answer)
		return nil, err
	case !single || envelope["jsonrpc"] != "2.0":
		return nil, strange("the answer is none of JSON-RPC 2.0")
	case !answers(envelope, id):
		return nil, strange("the answer is to another request")
	}
	if said := envelope["error"]; said != nil {
		f := plainFault(said)
		f.Source["http"] = int64(answer.Status)
		return nil, f
	}
	value, there := envelope["result"]
	if !there {
		return nil, strange("the answer has neither a result nor an error")
	}
	return value, nil
}

// Times are texts of RFC 3339.
func (plain) encode(v any, kind string) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case time.Time:
		if kind == kindDate {
			return v.Format(time.DateOnly), nil
		}
		return v.UTC().Format(time.RFC3339Nano), nil
	case []byte:
		return base64.StdEncoding.EncodeToString(v), nil
	case string, int64, float64, bool:
		return encodeScalar(v, kind)
	}
	return nil, fmt.Errorf("a %T cannot be sent", v)
}

func (plain) decode(v any, kind string) (any, error) {
	if v == nil {
		return nil, nil
	}
	switch kind {
	case kindDate:
		return decodeText(v, time.DateOnly)
	case kindDatetime:
		return decodeText(v, time.RFC3339Nano)
	}
	scalar, err := decodeScalar(v)
	if err != nil {
		return nil, err
	}
	switch kind {
	case kindText:
		return fmt.Sprint(scalar), nil
	case kindInteger:
		if _, ok := scalar.(int64); !ok {
			return nil, errors.New("is no whole number")
		}
	case kindDecimal:
		return digits(scalar)
	case kindBoolean:
		if _, ok := scalar.(bool); !ok {
			return nil, errors.New("is no truth")
		}
	}
	return scalar, nil
}
