package jsonrpc

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gantry/connectors"
	"gantry/connectors/lane"
)

// sampleRecords is how many records are looked at to see which fields are in use.
const sampleRecords = 20

// discovery is a definition's `discover`: the model is that of the list.
type discovery struct{}

var _ connectors.Discoverer = (*conn)(nil)

// Params implements connectors.Statement.
func (discovery) Params() []string { return nil }

// describing is a dialect whose systems describe a model's fields.
type describing interface {
	// fields asks for the description: an object of {type, string, readonly} by the field's name.
	fields(model string) invocation
	// holds tells what a field of one of its types holds; "": nothing that a field of a record can hold.
	holds(kind string) string
}

func (tryton) fields(model string) invocation {
	return invocation{method: "model." + model + ".fields_get", params: []any{}}
}

func (tryton) holds(kind string) string { return trytonHolds[kind] }

func (odoo) fields(model string) invocation {
	return invocation{method: model + ".fields_get", named: map[string]any{"attributes": []any{"type", "string", "readonly"}}}
}

func (odoo) holds(kind string) string { return odooHolds[kind] }

func compileDiscovery(d dialect, v any) (connectors.Statement, error) {
	if _, ok := d.(describing); !ok {
		return nil, errors.New("discover: systems of this dialect describe no fields")
	}
	if m, ok := v.(map[string]any); !ok || len(m) > 0 {
		return nil, errors.New("discover: the jsonrpc driver asks for the fields of the list's model, and has no members there")
	}
	return discovery{}, nil
}

// trytonHolds are Tryton's types.
var trytonHolds = map[string]string{
	"char": "string", "text": "string", "fulltext": "string", "selection": "string", "reference": "string", "time": "string",
	"integer": "integer", "bigint": "integer", "many2one": "integer", "one2one": "integer", "float": "float", "numeric": "decimal",
	"boolean": "boolean", "date": "date", "datetime": "instant", "timestamp": "instant",
}

// odooHolds are Odoo's types, https://www.odoo.com/documentation/19.0/developer/reference/backend/orm.html#fields.
var odooHolds = map[string]string{
	"char": "string", "text": "string", "html": "string", "selection": "string", "reference": "string", "integer": "integer",
	"float": "float", "monetary": "decimal", "boolean": "boolean", "date": "date", "datetime": "instant",
}

// Discover implements connectors.Discoverer: the fields of the model, as the server describes them to the login.
func (c *conn) Discover(ctx context.Context, d connectors.Discovery) (connectors.Findings, error) {
	var out connectors.Findings
	list, ok := d.List.(*statement)
	if !ok || list.model == "" {
		return out, connectors.Misuse("there is no model to ask for its fields: %T", d.List)
	}
	if err := c.lanes.Enter(ctx, lane.Calls, c.limits.Timeout); err != nil {
		return out, err
	}
	defer c.lanes.Leave(lane.Calls)
	describes := c.dialect.(describing) // compileDiscovery has seen to it
	answer, err := c.call(ctx, describes.fields(list.model))
	if err != nil {
		return out, c.whetherDenied(ctx, list, err)
	}
	fields, ok := answer.(map[string]any)
	if !ok {
		return out, strange("the answer describes no fields")
	}
	used := list.paths(d.Used)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		field, isObject := fields[name].(map[string]any)
		switch {
		case used[name] || !isObject:
		case len(out.Columns) == d.Limit:
			out.More = true
		default:
			out.Columns = append(out.Columns, found(describes, name, field))
		}
	}
	return out, c.sample(ctx, list, &out)
}

func found(describes describing, name string, field map[string]any) connectors.Found {
	f := connectors.Found{Name: name}
	f.Type, _ = field["type"].(string)
	f.Title, _ = field["string"].(string)
	f.ReadOnly = field["readonly"] == true
	if memberName.MatchString(name) {
		f.Native = describes.holds(f.Type)
	}
	return f
}

// paths are the model's own fields from which columns come.
func (s *statement) paths(columns []string) map[string]bool {
	out := map[string]bool{}
	for _, name := range columns {
		for _, path := range s.columns[name].paths {
			if !strings.Contains(path, ".") {
				out[path] = true
			}
		}
	}
	return out
}

// sample counts the records that have values. What the server computes may fail on a record; then nothing is counted.
func (c *conn) sample(ctx context.Context, list *statement, out *connectors.Findings) error {
	wanted := []string{"id"}
	for _, f := range out.Columns {
		if f.Native != "" {
			wanted = append(wanted, f.Name)
		}
	}
	answer, err := c.call(ctx, c.dialect.(modelled).page(list.model, nil, nil, []key{{path: defaultOrder}}, wanted, sampleRecords))
	if f, answered := errors.AsType[*connectors.Failure](err); answered && f.Kind == connectors.Answered {
		c.logger.DebugContext(ctx, "records cannot be sampled", "model", list.model, "error", err)
		return nil
	}
	if err != nil {
		return err
	}
	records, _ := answer.([]any)
	for _, item := range records {
		record, isObject := item.(map[string]any)
		if !isObject {
			return strange(fmt.Sprintf("a record of %s is no object", list.model))
		}
		out.Records++
		for i := range out.Columns {
			column := &out.Columns[i]
			if v, err := c.dialect.decode(record[column.Name], kindOf(column.Native)); err != nil || v != nil && v != "" {
				column.Filled++
			}
		}
	}
	return nil
}
