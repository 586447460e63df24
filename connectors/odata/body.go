package odata

import (
	"slices"
	"strings"

	"gantry/connectors"
)

// written gives a rendered body in the form that a record's type, or an action's parameters, ask for.
func (c *conn) written(m *model, at place, v any) (any, error) {
	object, ok := v.(map[string]any)
	if !ok {
		return nil, connectors.Misuse("a body is an object")
	}
	if at.function == nil {
		return c.record(m, at.kind, object)
	}
	out := make(map[string]any, len(object))
	for name, inner := range object {
		p, known := at.function.parameters[name]
		if !known {
			return nil, connectors.Misuse("%s has no parameter %q; it has %s", at.function.name, name, some(at.function.parameters))
		}
		var err error
		if out[name], err = c.member(m, p, inner); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// record writes the members of a record, or of a value with members.
func (c *conn) record(m *model, kind string, object map[string]any) (map[string]any, error) {
	out := make(map[string]any, len(object))
	for name, v := range object {
		p, known := m.property(kind, name)
		r, related := m.relation(kind, name)
		switch {
		case known:
		case related:
			p = property{name: r.name, kind: r.target, many: r.many}
		case strings.Contains(name, "@") || m.isOpen(kind):
			p = property{name: name} // an annotation, such as Supplier@odata.bind
		default:
			return nil, lacks("%s has no property %q", kind, name)
		}
		var err error
		if out[p.name], err = c.member(m, p, v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (c *conn) member(m *model, p property, v any) (any, error) {
	if p.many && v != nil {
		items, ok := v.([]any)
		if !ok {
			return nil, connectors.Misuse("%s is a list", p.name)
		}
		one := p
		one.many = false
		out := make([]any, len(items))
		for i, item := range slices.All(items) {
			var err error
			if out[i], err = c.member(m, one, item); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	if object, ok := v.(map[string]any); ok && p.kind != "" {
		return c.record(m, p.kind, object)
	}
	kind := m.primitive(p)
	if kind == "" && p.kind != "" && v != nil {
		return nil, connectors.Misuse("%s is no single value", p.name)
	}
	out, err := c.w.value(v, kind)
	if err != nil {
		return nil, connectors.Misuse("%s: %w", p.name, err)
	}
	return out, nil
}
