package template

import (
	"gantry/connectors"
)

type (
	literal   struct{ value any }
	parameter struct{ name, kind string }
	array     []Value
	object    []member
	member    struct {
		name     string
		optional bool // left out where it is null
		value    Value
	}
	each struct {
		list string
		do   Value
	}
)

// Render implements Value.
func (t literal) Render(*Rendering) (any, error) { return t.value, nil }

// Render implements Value.
func (t parameter) Render(r *Rendering) (any, error) {
	value, known := r.Vars[t.name]
	if !known {
		return nil, connectors.Misuse("the statement's parameter :%s has no value", t.name)
	}
	out, err := r.Encode(value, t.kind)
	if err != nil {
		return nil, connectors.Misuse("the parameter :%s: %w", t.name, err)
	}
	return out, nil
}

// Render implements Value.
func (t array) Render(r *Rendering) (any, error) {
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
		v, err := item.Render(r)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// Render implements Value.
func (t object) Render(r *Rendering) (any, error) {
	out := make(map[string]any, len(t))
	for _, m := range t {
		v, err := m.value.Render(r)
		if err != nil {
			return nil, err
		}
		if v != nil || !m.optional {
			out[m.name] = v
		}
	}
	return out, nil
}

// Render implements Value.
func (t each) Render(r *Rendering) (any, error) { return t.members(r) }

func (t each) members(r *Rendering) ([]any, error) {
	var out []any
	list, ok := r.Vars[t.list].([]connectors.Vars)
	if !ok && r.Vars[t.list] != nil {
		return nil, connectors.Misuse("%s is no list", t.list)
	}
	for _, vars := range list {
		one := *r
		one.Vars = vars
		v, err := t.do.Render(&one)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}
