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

// grammar is what templates of this driver have beyond parameters and lists.
func grammar(d dialect) template.Grammar {
	params, _ := d.kinds()
	g := template.Grammar{Kinds: params, Forms: map[string]template.Form{"$offset": compileAsked, "$size": compileAsked, "$equal": compileAsked}}
	if _, ok := d.(modelled); ok {
		g.Forms["$find"] = compileFind
	}
	return g
}

// rendered is what the driver's own forms see.
type rendered struct {
	asked *asked
	find  func(model string, domain any, field string) (any, error)
}

// rendering prepares what templates see. Look-ups that are asked twice are answered once.
func (c *conn) rendering(ctx context.Context, vars connectors.Vars, asked *asked) *template.Rendering {
	known := map[string]any{}
	find := func(model string, domain any, field string) (any, error) {
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
	}
	return &template.Rendering{Vars: vars, Encode: c.dialect.encode, Driver: rendered{asked, find}}
}

// find gives a field of the first record of a domain; nil: there is none.
func (c *conn) find(ctx context.Context, model string, domain any, field string) (any, error) {
	d := c.dialect.(modelled)
	conditions, _ := domain.([]any)
	answer, err := c.call(ctx, d.page(model, conditions, nil, []key{{path: defaultOrder}}, []string{field}, 1))
	if err != nil {
		return nil, err
	}
	record, _ := web.At(answer, "0").(map[string]any)
	return d.found(record, field), nil
}

// lookup is {$find: model, domain: […], field: name, else: …}.
type lookup struct {
	model, field string
	domain       template.Value
	otherwise    any
}

// Render implements template.Value.
func (t lookup) Render(r *template.Rendering) (any, error) {
	domain, err := t.domain.Render(r)
	if err != nil {
		return nil, err
	}
	v, err := r.Driver.(rendered).find(t.model, domain, t.field)
	if v == nil {
		v = t.otherwise
	}
	return v, err
}

func compileFind(c *template.Compiler, v map[string]any) (template.Value, error) {
	model, _ := v["$find"].(string)
	field, _ := v["field"].(string)
	expected := 3
	if _, there := v["else"]; there {
		expected++
	}
	if _, list := v["domain"].([]any); model == "" || field == "" || !list || len(v) != expected {
		return nil, errors.New("$find names a model, and has `domain` and `field` beside it, and may have `else`")
	}
	domain, err := c.Compile(v["domain"])
	if err != nil {
		return nil, fmt.Errorf("$find %s: domain: %w", model, err)
	}
	return lookup{model, field, domain, v["else"]}, nil
}
