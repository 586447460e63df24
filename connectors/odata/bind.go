package odata

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"gantry/connectors"
	"gantry/connectors/template"
)

// place is a path with its keys written, and what it leads to.
type place struct {
	path     string // from the service's root
	kind     string // the type of the records
	single   bool   // one record, by its key
	function *function
}

// bind writes a path's keys. outer has the parameters of what is around a batch's member.
func (c *conn) bind(m *model, path resource, vars, outer connectors.Vars) (place, error) {
	var at place
	for i, s := range path {
		if err := at.enter(m, s.name, i == 0); err != nil {
			return at, err
		}
		if at.path += url.PathEscape(s.name); len(s.keys) > 0 {
			keys, err := c.keys(m, at.kind, s, vars, outer)
			if err != nil {
				return at, err
			}
			at.path, at.single = at.path+"("+keys+")", true
		}
		if i < len(path)-1 {
			at.path += "/"
		}
	}
	return at, nil
}

// enter goes one segment further.
func (at *place) enter(m *model, name string, first bool) error {
	if f := m.functions[name]; f != nil {
		at.function, at.kind, at.single = f, f.returns.kind, !f.returns.many
		return nil
	}
	if first {
		kind, known := m.sets[name]
		if !known {
			return connectors.Misuse("the service has no set, action or function %q; it has %s", name, some(m.sets))
		}
		at.kind, at.single = kind, false
		return nil
	}
	if m.types[name] != nil { // a cast
		at.kind = name
		return nil
	}
	r, known := m.relation(at.kind, name)
	if !known {
		return connectors.Misuse("%s has no related %q, and the service no action of this name", at.kind, name)
	}
	at.kind, at.single = r.target, !r.many
	return nil
}

// some names the first of a map's keys.
func some[V any](all map[string]V) string {
	names := slices.Sorted(maps.Keys(all))
	if len(names) > 20 {
		names = append(names[:20], "…")
	}
	return strings.Join(names, ", ")
}

// keys writes what stands in a segment's brackets.
func (c *conn) keys(m *model, kind string, s segment, vars, outer connectors.Vars) (string, error) {
	all := m.keys(kind)
	out := make([]string, len(s.keys))
	for i, k := range s.keys {
		name := k.name
		if name == "" && len(all) != 1 {
			return "", connectors.Misuse("the key of %s is %s: each value has its property's name", s.name, strings.Join(all, ", "))
		}
		if name == "" {
			name = all[0]
		}
		p, known := m.property(kind, name)
		if !known {
			return "", lacks("%s has no property %q", kind, name)
		}
		v, err := k.of(vars, outer)
		if err != nil {
			return "", err
		}
		text, err := c.w.literal(v, p, m.primitive(p))
		if err != nil {
			return "", connectors.Misuse("the key %s: %w", p.name, err)
		}
		if out[i] = url.PathEscape(text); k.name != "" {
			out[i] = p.name + "=" + out[i]
		}
	}
	return strings.Join(out, ","), nil
}

// of gives a key's value, which is never null.
func (k key) of(vars, outer connectors.Vars) (any, error) {
	if k.param == "" {
		return k.value, nil
	}
	if k.outer {
		vars = outer
	}
	v, known := vars[k.param]
	if !known || v == nil {
		return nil, connectors.Misuse("the parameter :%s has no value", k.param)
	}
	return v, nil
}

// options writes a request's own parameters: those of a function as their types ask.
func (c *conn) options(m *model, own map[string]template.Value, f *function, vars connectors.Vars) ([]string, error) {
	var out []string
	for name, t := range own {
		v, err := t.Render(c.rendering(vars))
		if err != nil {
			return nil, err
		}
		if v == nil {
			continue
		}
		text := scalar(v)
		if f != nil {
			if p, typed := f.parameters[name]; typed {
				if text, err = c.w.literal(v, p, m.primitive(p)); err != nil {
					return nil, connectors.Misuse("the parameter %s: %w", name, err)
				}
			}
		}
		out = append(out, url.QueryEscape(name)+"="+escape(text))
	}
	return out, nil
}

// serviceOf gives the path of a statement's service, relative to the address: "./sap/…/". nil: the protocol's.
func (c *conn) serviceOf(s *statement, vars connectors.Vars) (string, error) {
	at := c.protocol.service
	if s != nil && len(s.service) > 0 {
		at = s.service
	}
	return at.render(vars)
}

func (r root) render(vars connectors.Vars) (string, error) {
	var out strings.Builder
	out.WriteString("./")
	for _, s := range r {
		name := s.name // as the definition has it: in SERVICE;v=2 the ; is no part of a name
		if s.param != "" {
			name = url.PathEscape(scalar(vars[s.param]))
		}
		if strings.Trim(name, ".") == "" {
			return "", connectors.Misuse("the parameter :%s is no segment of a path", s.param)
		}
		out.WriteString(name + "/")
	}
	return out.String(), nil
}

// rendering prepares what templates see: values as they are, for a type writes them.
func (c *conn) rendering(vars connectors.Vars) *template.Rendering {
	return &template.Rendering{Vars: vars, Encode: asItIs}
}

// with adds the login's settings, which statements may always name.
func (c *conn) with(vars connectors.Vars) connectors.Vars {
	out := maps.Clone(c.vars)
	maps.Copy(out, vars)
	return out
}

// scalar is a value as a query or a header has it; what is none is empty.
func scalar(v any) string {
	switch v := v.(type) {
	case nil, map[string]any, []any:
		return ""
	case string:
		return v
	case time.Time:
		return v.UTC().Format(instant)
	}
	return fmt.Sprint(v)
}
