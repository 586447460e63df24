package jsonrpc

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"gantry/connectors"
)

// template is a JSON value with parameters in it. It gives what encoding/json takes; nothing in it is text that was
// put together.
type template interface {
	render(r *rendering) (any, error)
}

// rendering is one use of a template.
type rendering struct {
	ctx  context.Context
	vars connectors.Vars
	find func(ctx context.Context, model string, domain any, field string) (any, error)
}

type (
	literal   struct{ value any }
	parameter struct{ name, kind string }
	array     []template
	object    []member
	member    struct {
		name     string
		optional bool // left out where it is null
		value    template
	}
	each struct {
		list string
		do   template
	}
	lookup struct {
		model, field string
		domain       template
		otherwise    any
	}
)

func (t literal) render(*rendering) (any, error) { return t.value, nil }

func (t parameter) render(r *rendering) (any, error) {
	value, known := r.vars[t.name]
	if !known {
		return nil, misused("the statement's parameter :%s has no value", t.name)
	}
	out, err := encode(value, t.kind)
	if err != nil {
		return nil, misused("the parameter :%s: %w", t.name, err)
	}
	return out, nil
}

func (t array) render(r *rendering) (any, error) {
	out := []any{}
	for _, item := range t {
		if many, ok := item.(each); ok {
			members, err := many.members(r)
			if err != nil {
				return nil, err
			}
			out = append(out, members...)
			continue
		}
		v, err := item.render(r)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func (t object) render(r *rendering) (any, error) {
	out := make(map[string]any, len(t))
	for _, m := range t {
		v, err := m.value.render(r)
		if err != nil {
			return nil, err
		}
		if v != nil || !m.optional {
			out[m.name] = v
		}
	}
	return out, nil
}

func (t each) render(r *rendering) (any, error) { return t.members(r) }

func (t each) members(r *rendering) ([]any, error) {
	var out []any
	list, ok := r.vars[t.list].([]connectors.Vars)
	if !ok && r.vars[t.list] != nil {
		return nil, misused("%s is no list", t.list)
	}
	for _, vars := range list {
		one := *r
		one.vars = vars
		v, err := t.do.render(&one)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func (t lookup) render(r *rendering) (any, error) {
	domain, err := t.domain.render(r)
	if err != nil {
		return nil, err
	}
	v, err := r.find(r.ctx, t.model, domain, t.field)
	if v == nil {
		v = t.otherwise
	}
	return v, err
}

// names are what templates take from outside.
type names struct {
	params []string
	lists  map[string][]string
}

// in gives the names inside of a list's members.
func (n *names) in(list string) *names { return &names{params: n.lists[list]} }

const maxTemplateDepth = 20

var reference = regexp.MustCompile(`^:([a-z][a-z0-9_]*)(?: as (decimal|date|datetime|float))?$`)

// compileTemplate compiles a value of a definition, and notes the names that it uses.
func compileTemplate(v any, n *names, depth int) (template, error) {
	if depth > maxTemplateDepth {
		return nil, fmt.Errorf("nested deeper than %d levels", maxTemplateDepth)
	}
	switch v := v.(type) {
	case string:
		return compileText(v, n)
	case []any:
		out := make(array, len(v))
		for i, item := range v {
			var err error
			if out[i], err = compileTemplate(item, n, depth+1); err != nil {
				return nil, fmt.Errorf("[%d]: %w", i, err)
			}
		}
		return out, nil
	case map[string]any:
		switch {
		case v["$each"] != nil:
			return compileEach(v, n, depth)
		case v["$find"] != nil:
			return compileFind(v, n, depth)
		}
		return compileObject(v, n, depth)
	}
	return literal{v}, nil
}

func compileText(s string, n *names) (template, error) {
	if rest, ok := strings.CutPrefix(s, "::"); ok {
		return literal{":" + rest}, nil
	}
	if !strings.HasPrefix(s, ":") {
		return literal{s}, nil
	}
	parts := reference.FindStringSubmatch(s)
	if parts == nil {
		return nil, fmt.Errorf("%q is no parameter: write :name, or :name as decimal, date, datetime or float", s)
	}
	if !slices.Contains(n.params, parts[1]) {
		n.params = append(n.params, parts[1])
	}
	return parameter{parts[1], parts[2]}, nil
}

func compileObject(v map[string]any, n *names, depth int) (template, error) {
	var out object
	for _, key := range slices.Sorted(maps.Keys(v)) {
		if strings.HasPrefix(key, "$") {
			return nil, fmt.Errorf("there is no %s; there are $each with $do, and $find with domain and field", key)
		}
		value, err := compileTemplate(v[key], n, depth+1)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		name, optional := strings.CutSuffix(key, "?")
		out = append(out, member{name, optional, value})
	}
	return out, nil
}

func compileEach(v map[string]any, n *names, depth int) (template, error) {
	list, _ := v["$each"].(string)
	do, there := v["$do"]
	if list == "" || !there || len(v) != 2 || n.lists == nil {
		return nil, errors.New("$each names a list of the input, has `$do` beside it, and is not inside of another one")
	}
	inner := n.in(list)
	t, err := compileTemplate(do, inner, depth+1)
	if err != nil {
		return nil, fmt.Errorf("$each %s: %w", list, err)
	}
	n.lists[list] = inner.params
	return each{list, t}, nil
}

func compileFind(v map[string]any, n *names, depth int) (template, error) {
	model, _ := v["$find"].(string)
	field, _ := v["field"].(string)
	expected := 3
	if _, there := v["else"]; there {
		expected++
	}
	if model == "" || field == "" || v["domain"] == nil || len(v) != expected {
		return nil, errors.New("$find names a model, and has `domain` and `field` beside it, and may have `else`")
	}
	domain, err := compileTemplate(v["domain"], n, depth+1)
	if err != nil {
		return nil, fmt.Errorf("$find %s: domain: %w", model, err)
	}
	return lookup{model, field, domain, v["else"]}, nil
}
