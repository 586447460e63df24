package jsonrpc

import (
	"strings"

	"gantry/connectors"
)

func (tryton) page(model string, domain, own []any, order []key, fields []string, limit int) invocation {
	if len(own) > 0 {
		domain = append([]any{own}, domain...)
	}
	if domain == nil {
		domain = []any{}
	}
	by := []any{}
	for _, k := range order {
		path := k.path
		if k.kind == kindRecord {
			path += ".id" // otherwise it is the related records' own order
		}
		by = append(by, []any{path, "ASC"})
	}
	return invocation{method: "model." + model + ".search_read", params: []any{domain, 0, limit, by, fields}}
}

// say: all is a list of conditions, any one that begins with OR.
func (d tryton) say(c condition) []any { return []any{d.clause(c)} }

func (d tryton) clause(c condition) []any {
	out := []any{}
	switch {
	case c.any != nil:
		out = append(out, "OR")
	case c.all == nil:
		return []any{c.path, c.operator, c.value}
	}
	for _, one := range append(c.any, c.all...) {
		out = append(out, d.clause(one))
	}
	return out
}

func (tryton) orders(string) bool { return true }

// field walks to a field of a related record, which stands beside the relation under its name and a point.
func (tryton) field(record map[string]any, path string) any {
	for {
		name, rest, deeper := strings.Cut(path, ".")
		if !deeper {
			return record[name]
		}
		inner, ok := record[name+"."].(map[string]any)
		if !ok {
			return nil
		}
		record, path = inner, rest
	}
}

func (d tryton) found(record map[string]any, field string) any { return d.field(record, field) }

func (tryton) need(method string) (right, bool) {
	name, isModel := strings.CutPrefix(method, "model.")
	i := strings.LastIndexByte(name, '.')
	if !isModel || i < 0 {
		return right{}, false
	}
	model, name := name[:i], name[i+1:]
	switch name {
	case "create", "delete", "read", "write":
		return right{model: model, operation: name}, true
	case "search", "search_read":
		return right{model: model, operation: "read"}, true
	}
	return right{model: model, operation: "write", button: name}, true
}

// unclear: the refusal itself says so in the user's language only.
func (tryton) unclear(f *connectors.Failure) bool { return f.Source["error"] == "UserError" }
