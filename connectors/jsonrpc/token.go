package jsonrpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"gantry/connectors"
	"gantry/connectors/template"
	"gantry/connectors/web"
)

// loginCall is the login of a system that hands out a token for a user and a password, by a method of its own.
type loginCall struct {
	s        *statement
	token    string // its path in the answer
	scheme   string // before it, in the header Authorization
	refusals []any  // codes of faults that refuse the login, or say that a token is over
}

// secret is {$secret: name}: a member of the login that is never seen by a definition's expressions.
type secret struct{}

// Render implements template.Value.
func (secret) Render(r *template.Rendering) (any, error) {
	return r.Driver.(connectors.Secret).Reveal(), nil
}

// compileProtocol compiles `protocol: {login: {…}}`.
func (s *statement) compileProtocol(native map[string]any) error {
	protocol, _ := native["protocol"].(map[string]any)
	login, _ := protocol["login"].(map[string]any)
	if len(protocol) != 1 || login == nil {
		return errors.New("protocol: has login, the call that gives a token")
	}
	s.login = &loginCall{s: s, scheme: "Bearer"}
	call := map[string]any{}
	for name, v := range login {
		text, _ := v.(string)
		codes, _ := v.([]any)
		switch {
		case name == "method" || name == "params" || name == "named":
			call[name] = v
		case name == "token" && text != "":
			s.login.token = text
		case name == "scheme" && text != "":
			s.login.scheme = text
		case name == "refused" && codes != nil:
			for _, code := range codes {
				s.login.refusals = append(s.login.refusals, wholeNumber(code))
			}
		default:
			return fmt.Errorf("protocol: login: %s: there are method, params or named, token, scheme and refused", name)
		}
	}
	if s.login.token == "" {
		return errors.New("protocol: login: token is missing: the path of the token in the answer")
	}
	s.names = template.NewCompiler(template.Grammar{Forms: map[string]template.Form{"$secret": compileSecret}})
	return s.compileMethod(call)
}

func compileSecret(_ *template.Compiler, v map[string]any) (template.Value, error) {
	if len(v) != 1 || v["$secret"] != "password" {
		return nil, errors.New("write {$secret: password}")
	}
	return secret{}, nil
}

// wholeNumber reads a code as a definition's file has it.
func wholeNumber(v any) any {
	switch v := v.(type) {
	case int:
		return int64(v)
	case float64:
		return int64(v)
	case json.Number:
		n, _ := v.Int64()
		return n
	}
	return v
}

// callForToken logs in.
func (c *conn) callForToken(ctx context.Context) (*grant, error) {
	if c.login == nil {
		return nil, connectors.Misuse("the definition's protocol says no login by session")
	}
	r := &template.Rendering{Vars: connectors.Vars{"login_username": c.user}, Encode: c.dialect.encode, Driver: c.password}
	call := invocation{method: c.login.s.method, patience: loginPatience}
	var err error
	if call.params, err = renderList(c.login.s.params, r); err != nil {
		return nil, err
	}
	if call.named, err = renderObject(c.login.s.named, r); err != nil {
		return nil, err
	}
	answer, err := c.post(ctx, nil, call)
	if err != nil {
		return nil, err
	}
	token, ok := web.At(answer, c.login.token).(string)
	if !ok || token == "" {
		return nil, strange("the answer to the login holds no token")
	}
	return &grant{header: c.login.scheme + " " + token, renewable: true}, nil
}
