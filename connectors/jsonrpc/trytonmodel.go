package jsonrpc

import (
	"context"
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
	case "create", "delete", "read":
		return right{model, name}, true
	case "search", "search_read":
		return right{model, "read"}, true
	}
	return right{model, "write"}, true // a button, like write itself
}

// lacks asks for all models at once.
func (d tryton) lacks(ctx context.Context, c *conn, rights []right) ([]bool, error) {
	models := []any{}
	for _, r := range rights {
		models = append(models, r.model)
	}
	answer, err := c.call(ctx, invocation{method: "model.ir.model.access.get_access", params: []any{models}})
	if err != nil {
		return nil, err
	}
	access, _ := answer.(map[string]any)
	out := make([]bool, len(rights))
	for i, r := range rights {
		said, told := access[r.model].(map[string]any)
		out[i] = told && !d.granted(said[r.operation])
	}
	return out, nil
}

// granted reads a right: databases give true, 1, or nothing where no rule is about it.
func (d tryton) granted(v any) bool {
	v, err := d.decode(v, "")
	return err == nil && (v == true || v == int64(1) || v == nil)
}

// unclear: the refusal itself says so in the user's language only.
func (tryton) unclear(f *connectors.Failure) bool { return f.Source["error"] == "UserError" }
