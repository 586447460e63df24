package jsonrpc

import (
	"context"
	"errors"
	"fmt"

	"gantry/connectors/template"
)

// grammar is what templates of this driver have beyond parameters and lists.
var grammar = template.Grammar{
	Kinds: []string{kindDecimal, kindDate, kindDatetime, kindFloat},
	Forms: map[string]template.Form{"$find": compileFind},
}

// finder is what a look-up needs of its rendering.
type finder struct {
	ctx  context.Context
	find func(ctx context.Context, model string, domain any, field string) (any, error)
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
	f := r.Driver.(finder)
	v, err := f.find(f.ctx, t.model, domain, t.field)
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
	if model == "" || field == "" || v["domain"] == nil || len(v) != expected {
		return nil, errors.New("$find names a model, and has `domain` and `field` beside it, and may have `else`")
	}
	domain, err := c.Compile(v["domain"])
	if err != nil {
		return nil, fmt.Errorf("$find %s: domain: %w", model, err)
	}
	return lookup{model, field, domain, v["else"]}, nil
}
