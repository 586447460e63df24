package odata

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"gantry/connectors"
	"gantry/connectors/lane"
)

// sampleRecords is how many records are looked at to see which properties are in use.
const sampleRecords = 20

// discovery is a definition's `discover`: the type is that of the list's records.
type discovery struct{}

var _ connectors.Discoverer = (*conn)(nil)

// Params implements connectors.Statement.
func (discovery) Params() []string { return nil }

func compileDiscovery(v any) (connectors.Statement, error) {
	if m, ok := v.(map[string]any); !ok || len(m) > 0 {
		return nil, errors.New("discover: the odata driver asks the service's metadata, and has no members there")
	}
	return discovery{}, nil
}

// Discover implements connectors.Discoverer: the properties of the list's records, as $metadata describes them.
func (c *conn) Discover(ctx context.Context, d connectors.Discovery) (connectors.Findings, error) {
	var out connectors.Findings
	list, ok := d.List.(*statement)
	if !ok || !list.isQuery() {
		return out, connectors.Misuse("there is no list whose records could be described: %T", d.List)
	}
	if err := c.lanes.Enter(ctx, lane.Calls, c.limits.Timeout); err != nil {
		return out, err
	}
	defer c.lanes.Leave(lane.Calls)
	m, kind, err := c.described(ctx, list, d.Vars)
	if err != nil {
		return out, err
	}
	used := list.properties(m, kind, d.Used)
	for _, p := range m.all(kind) {
		switch {
		case used[p.name]:
		case len(out.Columns) == d.Limit:
			out.More = true
		default:
			out.Columns = append(out.Columns, m.found(p))
		}
	}
	return out, c.sample(ctx, list, d.Vars, &out)
}

// described gives the model, read anew, and the type of a list's rows.
func (c *conn) described(ctx context.Context, list *statement, vars connectors.Vars) (*model, string, error) {
	q := &query{c: c, s: list}
	vars = c.with(vars)
	service, err := c.serviceOf(list, vars)
	if err != nil {
		return nil, "", err
	}
	c.forget(service)
	m, err := c.model(ctx, service)
	if err != nil {
		return nil, "", err
	}
	if q.at, err = c.bind(m, list.path, vars, nil); err != nil {
		return nil, "", err
	}
	kind, _, err := q.kinds(m)
	return m, kind, err
}

// all gives a type's properties, those that it inherits among them, by name.
func (m *model) all(kind string) []property {
	found := map[string]property{}
	for _, s := range slices.Backward(m.lineage(kind)) {
		maps.Copy(found, s.properties)
	}
	out := slices.Collect(maps.Values(found))
	slices.SortFunc(out, func(a, b property) int { return strings.Compare(a.name, b.name) })
	return out
}

// properties are those of the records' own type from which columns come.
func (s *statement) properties(m *model, kind string, columns []string) map[string]bool {
	out := map[string]bool{}
	for _, name := range columns {
		path := []string{name}
		if own, named := s.named[name]; named {
			if path = own.path; own.parent {
				continue
			}
		}
		if p, known := m.property(kind, path[0]); known {
			out[p.name] = true
		}
	}
	return out
}

// found says what a property holds. One of several values, or with members of its own, no field of a record can hold.
func (m *model) found(p property) connectors.Found {
	f := connectors.Found{Name: p.name, Type: p.kind, Title: p.label, ReadOnly: p.readOnly}
	if p.many {
		f.Type = "Collection(" + p.kind + ")"
		return f
	}
	if memberName.MatchString(p.name) {
		f.Native = holds[m.primitive(p)]
	}
	if f.Native == "datetime" && p.day {
		f.Native = "date"
	}
	return f
}

// holds are the types of Edm, and what a field of a record can make of them. A time of day and a duration are texts.
var holds = map[string]string{
	"Edm.String": "string", "Edm.Guid": "string", "Edm.Time": "string", "Edm.TimeOfDay": "string", "Edm.Duration": "string",
	"Edm.Byte": "integer", "Edm.SByte": "integer", "Edm.Int16": "integer", "Edm.Int32": "integer", "Edm.Int64": "integer",
	"Edm.Decimal": "decimal", "Edm.Double": "float", "Edm.Single": "float", "Edm.Boolean": "boolean",
	"Edm.Date": "date", "Edm.DateTime": "datetime", "Edm.DateTimeOffset": "instant",
}

// sample counts the records that have values. They are read whole: to name some hundred properties takes more than a URL has. Of related
// records nothing is counted, nor where the service cannot give all properties of one.
func (c *conn) sample(ctx context.Context, list *statement, vars connectors.Vars, out *connectors.Findings) error {
	if list.each != "" {
		return nil
	}
	whole := *list
	whole.wanted, whole.named = nil, nil
	err := c.read(ctx, connectors.Read{Statement: &whole, Vars: vars, Limit: sampleRecords}, func(row connectors.Row, _ error) bool {
		out.Records++
		for i := range out.Columns {
			if v := row[strings.ToLower(out.Columns[i].Name)]; v != nil && v != "" {
				out.Columns[i].Filled++
			}
		}
		return true
	})
	if f, answered := errors.AsType[*connectors.Failure](err); answered && f.Kind == connectors.Answered && f.Source["login"] != true {
		c.logger.DebugContext(ctx, "records cannot be sampled", "error", err)
		out.Records = 0
		for i := range out.Columns {
			out.Columns[i].Filled = 0
		}
		return nil
	}
	return err
}
