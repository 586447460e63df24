package jsonrpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"gantry/connectors"
	"gantry/connectors/template"
	"gantry/connectors/web"
)

// invocation is one call, rendered.
type invocation struct {
	method   string
	params   []any
	context  map[string]any // over that of the login
	effect   bool
	patience time.Duration // 0: the connection's
}

// rendering prepares what templates see. Look-ups that are asked twice are answered once.
func (c *conn) rendering(ctx context.Context, vars connectors.Vars) *template.Rendering {
	known := map[string]any{}
	return &template.Rendering{Vars: vars, Encode: encode, Driver: finder{ctx, func(ctx context.Context, model string, domain any, field string) (any, error) {
		name, err := json.Marshal([]any{model, domain, field})
		if err != nil {
			return nil, connectors.Misuse("the domain of a look-up: %w", err)
		}
		if v, there := known[string(name)]; there {
			return v, nil
		}
		if len(known) == lookUps {
			return nil, connectors.Misuse("the call needs more than %d look-ups", lookUps)
		}
		v, err := c.find(ctx, model, domain, field)
		if err == nil {
			known[string(name)] = v
		}
		return v, err
	}}}
}

// find gives a field of the first record of a domain; nil: there is none.
func (c *conn) find(ctx context.Context, model string, domain any, field string) (any, error) {
	answer, err := c.call(ctx, invocation{method: "model." + model + ".search_read", params: []any{domain, 0, 1, []any{[]any{"id", "ASC"}}, []any{field}}})
	if err != nil {
		return nil, err
	}
	record, _ := web.At(answer, "0").(map[string]any)
	return related(record, field), nil
}

// invocation renders a statement that is a call.
func (c *conn) invocation(ctx context.Context, s *statement, vars connectors.Vars) (invocation, error) {
	r := c.rendering(ctx, vars)
	params, err := s.params.Render(r)
	if err != nil {
		return invocation{}, err
	}
	call := invocation{method: s.method, params: params.([]any)}
	if call.context, err = s.renderContext(r); err != nil {
		return call, err
	}
	return call, s.guard.render(r, &call)
}

// render puts the version that the record must still have into the call's context.
func (g *guard) render(r *template.Rendering, call *invocation) error {
	if g == nil {
		return nil
	}
	id, err := g.id.Render(r)
	if err != nil {
		return err
	}
	since, err := g.since.Render(r)
	if err != nil || since == nil {
		return err
	}
	merged := map[string]any{}
	maps.Copy(merged, call.context)
	merged["_timestamp"] = map[string]any{fmt.Sprintf("%s,%v", g.model, id): since}
	call.context = merged
	return nil
}

// call makes a call with the login. Where the system says that the login is over it is renewed, once: the call
// was refused before it did anything.
func (c *conn) call(ctx context.Context, call invocation) (any, error) {
	for renewed := false; ; renewed = true {
		login, err := c.session.Get(ctx)
		if err != nil {
			return nil, err
		}
		answer, err := c.post(ctx, c.path(), login, call, login.context)
		f, over := sessionIsOver(err)
		if !over {
			return answer, err
		}
		c.session.Expired(login)
		if renewed {
			return nil, f
		}
	}
}

// post makes one exchange and gives the result.
func (c *conn) post(ctx context.Context, path string, login *grant, call invocation, own map[string]any) (any, error) {
	params := call.params
	if login != nil {
		merged := map[string]any{}
		maps.Copy(merged, own)
		maps.Copy(merged, call.context)
		params = append(params[:len(params):len(params)], merged)
	}
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"id": 1, "method": call.method, "params": params}) // these three, and no other
	if err != nil {
		return nil, connectors.Misuse("a value cannot be sent: %w", err)
	}
	header := http.Header{"Content-Type": {"application/json"}}
	if login != nil {
		header.Set("Authorization", login.authorization)
	}
	answer, err := c.web.Do(ctx, web.Request{Method: http.MethodPost, URL: path, Header: header, Body: body, Effect: call.effect, Patience: call.patience})
	if err != nil {
		return nil, err
	}
	value, err := result(answer)
	if f, ok := errors.AsType[*connectors.Failure](err); ok && call.effect && f.Status == statusStrange {
		f.Kind, f.Sent = connectors.Lost, true // what it did, nobody can read
	}
	return value, err
}
