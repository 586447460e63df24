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
}

func (tryton) fields(model string) invocation {
	return invocation{method: "model." + model + ".fields_get", params: []any{}}
}

func compileDiscovery(d dialect, v any) (connectors.Statement, error) {
	if _, ok := d.(describing); !ok {
		return nil, errors.New("discover: systems of this dialect describe no fields")
	}
	if m, ok := v.(map[string]any); !ok || len(m) > 0 {
		return nil, errors.New("discover: the jsonrpc driver asks for the fields of the list's model, and has no members there")
	}
	return discovery{}, nil
}

// holds tells what Tryton's types hold. What is not here, no field of a record can hold.
var holds = map[string]string{
	"char": "string", "text": "string", "fulltext": "string", "selection": "string", "reference": "string", "time": "string",
	"integer": "integer", "bigint": "integer", "many2one": "integer", "one2one": "integer", "float": "float", "numeric": "decimal",
	"boolean": "boolean", "date": "date", "datetime": "instant", "timestamp": "instant",
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
	answer, err := c.call(ctx, c.dialect.(describing).fields(list.model)) // compileDiscovery has seen to it
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
			out.Columns = append(out.Columns, found(name, field))
		}
	}
	return out, c.sample(ctx, list, &out)
}

func found(name string, field map[string]any) connectors.Found {
	f := connectors.Found{Name: name}
	f.Type, _ = field["type"].(string)
	f.Title, _ = field["string"].(string)
	f.ReadOnly = field["readonly"] == true
	if memberName.MatchString(name) {
		f.Native = holds[f.Type]
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
			if v := record[out.Columns[i].Name]; v != nil && v != "" {
				out.Columns[i].Filled++
			}
		}
	}
	return nil
}
