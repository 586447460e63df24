package jsonrpc

import (
	"gantry/connectors"
)

// condition is what must hold of a record: a comparison of a field with a value, or several conditions of which all, or any,
// must hold. Each dialect has its own way to say it.
type condition struct {
	path, kind string
	operator   string // of domains: =, in, >, >=, <, <=
	value      any    // encoded; nil: null
	all, any   []condition
}

func (k key) is(operator string, value any) condition {
	return condition{path: k.path, kind: k.kind, operator: operator, value: value}
}

var operators = map[connectors.Op]string{connectors.Greater: ">", connectors.GreaterOrEqual: ">=", connectors.Less: "<", connectors.LessOrEqual: "<="}

// condition takes a filter apart.
func (s *statement) condition(f connectors.Filter) (condition, error) {
	c, known := s.columns[f.Column]
	if !known {
		return condition{}, connectors.Misuse("the query has no column %q", f.Column)
	}
	values := make([]any, 0, len(f.Values))
	null := false
	for _, v := range f.Values {
		encoded, err := s.dialect.encode(v, c.kind)
		if err != nil {
			return condition{}, connectors.Misuse("filter on %s: %w", f.Column, err)
		}
		if null = null || encoded == nil; encoded != nil {
			values = append(values, encoded)
		}
	}
	if f.Op == connectors.Equal {
		return c.equal(values, null), nil
	}
	operator := operators[f.Op]
	if operator == "" || len(values) != 1 || null {
		return condition{}, connectors.Misuse("filter on %s: %s takes one value that is not null", f.Column, f.Op)
	}
	return c.first(func(k key) condition { return k.is(operator, values[0]) }), nil
}

// keys are a column's paths.
func (c column) keys() []key {
	out := make([]key, len(c.paths))
	for i, path := range c.paths {
		out[i] = key{path: path, kind: c.kind}
	}
	return out
}

// first says of the first path that is not null what holds.
func (c column) first(holds func(key) condition) condition {
	keys := c.keys()
	last := len(keys) - 1
	out := holds(keys[last])
	for i := last - 1; i >= 0; i-- {
		out = condition{any: []condition{holds(keys[i]), {all: []condition{keys[i].is("=", nil), out}}}}
	}
	return out
}

func (c column) equal(values []any, null bool) condition {
	var either []condition
	if len(values) > 0 || !null {
		either = append(either, c.first(func(k key) condition { return k.is("in", values) }))
	}
	if null {
		var none []condition
		for _, k := range c.keys() {
			none = append(none, k.is("=", nil))
		}
		either = append(either, condition{all: none})
	}
	if len(either) == 1 {
		return either[0]
	}
	return condition{any: either}
}

// beyond is what holds for the rows after a position: the first column greater, or equal and the rest beyond.
func (s *statement) beyond(order []key, after []any) (condition, error) {
	value, err := s.dialect.encode(after[0], order[0].kind)
	if err != nil || value == nil {
		return condition{}, connectors.Misuse("the position has no value for %s", order[0].column)
	}
	greater := order[0].is(">", value)
	if len(order) == 1 {
		return greater, nil
	}
	rest, err := s.beyond(order[1:], after[1:])
	if err != nil {
		return condition{}, err
	}
	return condition{any: []condition{greater, {all: []condition{order[0].is("=", value), rest}}}}, nil
}
