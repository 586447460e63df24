package jsonrpc

import (
	"context"
	"encoding/json"
	"errors"
	"maps"

	"gantry/connectors"
	"gantry/connectors/template"
)

// invocation renders a statement that is a call. asked is what a query of records asks for; nil: it is none.
func (c *conn) invocation(ctx context.Context, s *statement, vars connectors.Vars, asked *asked) (invocation, error) {
	r := c.rendering(ctx, vars, asked)
	if s.batch != nil {
		return s.renderBatch(r)
	}
	call := invocation{method: s.method}
	var err error
	if call.params, err = renderList(s.params, r); err != nil {
		return call, err
	}
	if call.named, err = renderObject(s.named, r); err != nil {
		return call, err
	}
	if call.context, err = renderObject(s.context, r); err != nil {
		return call, err
	}
	return call, s.guard.render(r, &call)
}

func renderList(v template.Value, r *template.Rendering) ([]any, error) {
	if v == nil {
		return nil, nil
	}
	out, err := v.Render(r)
	if err != nil {
		return nil, err
	}
	return out.([]any), nil
}

func renderObject(v template.Value, r *template.Rendering) (map[string]any, error) {
	if v == nil {
		return nil, nil
	}
	out, err := v.Render(r)
	if err != nil {
		return nil, err
	}
	return out.(map[string]any), nil
}

// call makes a call with the login. Where the system says that the login is over it is renewed, once: the call
// was refused before it did anything. One that cannot be renewed is refused for good.
func (c *conn) call(ctx context.Context, call invocation) (any, error) {
	for renewed := false; ; renewed = true {
		login, err := c.session.Get(ctx)
		if err != nil {
			return nil, err
		}
		answer, err := c.post(ctx, login, call)
		f, failed := errors.AsType[*connectors.Failure](err)
		if !failed || !c.refuses(f) {
			return answer, err
		}
		if !login.renewable {
			f = refusing(f)
			c.session.Refuse(login, f)
			return nil, f
		}
		c.session.Expired(login)
		if renewed {
			return nil, f
		}
	}
}

// post makes one exchange and gives the result.
func (c *conn) post(ctx context.Context, login *grant, call invocation) (any, error) {
	calls := int64(max(1, len(call.batch)))
	id := c.next.Add(calls) - calls + 1 // of the first
	request, err := c.dialect.request(c, login, id, call)
	if err != nil {
		return nil, err
	}
	request.Effect, request.Patience = call.effect, call.patience
	answer, err := c.web.Do(ctx, request)
	if err != nil {
		return nil, err
	}
	value, err := c.dialect.result(answer, id)
	_, many := value.(batched)
	switch {
	case err == nil && call.batch != nil:
		value, err = together(value, id, calls)
	case many:
		err = strange("the answer to one call is a list of answers")
	}
	if f, ok := errors.AsType[*connectors.Failure](err); ok && call.effect && f.Status == statusStrange {
		f.Kind, f.Sent = connectors.Lost, true // what it did, nobody can read
	}
	return value, err
}

// body is a request's, in JSON.
func body(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, connectors.Misuse("a value cannot be sent: %w", err)
	}
	return raw, nil
}

// over lays one context over another.
func over(own, others map[string]any) map[string]any {
	merged := map[string]any{}
	maps.Copy(merged, own)
	maps.Copy(merged, others)
	return merged
}
