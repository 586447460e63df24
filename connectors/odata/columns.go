package odata

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"gantry/connectors"
	"gantry/connectors/sift"
)

// origin is a column with its type: where its value stands in a record.
type origin struct {
	column   string
	path     []string // names as the service writes them
	related  int      // how many of them lead to other records
	property property
	kind     string // of Edm
	parent   bool
	etag     bool
}

// text is the path as options write it.
func (o origin) text() string { return strings.Join(o.path, "/") }

// sorted is how the column's values compare.
func (o origin) sorted() sift.Column {
	kind := sift.Text
	switch o.kind {
	case "Edm.Byte", "Edm.SByte", "Edm.Int16", "Edm.Int32", "Edm.Int64", "Edm.Decimal":
		kind = sift.Decimal
	case "Edm.DateTime", "Edm.DateTimeOffset", "Edm.Date":
		kind = sift.Datetime
	case "Edm.Boolean":
		kind = sift.Boolean
	}
	return sift.Column{Name: o.column, Kind: kind}
}

// origin finds where a column comes from: what the statement says of it, or the property of its name. kind is the records' type, parent that
// of those around them.
func (s *statement) origin(m *model, column, kind, parent string) (origin, error) {
	own, named := s.named[column]
	o := origin{column: column, parent: own.parent}
	if o.parent {
		kind = parent
	}
	path := own.path
	if !named {
		path = []string{column}
		if !columnName.MatchString(column) {
			return o, connectors.Misuse("%q is no name of a column", column)
		}
	}
	if p, known := m.property(kind, column); !named && column == etagColumn && (!known || p.name != etagColumn) {
		o.etag = true
		return o, nil
	}
	for i, name := range path {
		p, known := m.property(kind, name)
		switch last := i == len(path)-1; {
		case known && last:
			o.path, o.property, o.kind = append(o.path, p.name), p, m.primitive(p)
			if o.kind == "" || p.many {
				return o, connectors.Misuse("the column %s: %s of %s is no single value", column, p.name, kind)
			}
			return o, nil
		case known && m.primitive(p) == "" && !p.many:
			o.path, kind = append(o.path, p.name), p.kind
			continue
		}
		r, related := m.relation(kind, name)
		if !related || r.many || i == len(path)-1 {
			return o, lacks("the column %s: %s has no property %q", column, kind, name)
		}
		o.path, o.related, kind = append(o.path, r.name), len(o.path)+1, r.target
	}
	return o, nil
}

// of takes the column's value out of a record.
func (o origin) of(record, parent map[string]any) (any, error) {
	if o.parent {
		record = parent
	}
	if o.etag {
		return etagOf(record, nil), nil
	}
	var v any = record
	for _, name := range o.path {
		inner, ok := v.(map[string]any)
		if !ok {
			return nil, nil // what is around it is null
		}
		v = inner[name]
	}
	return decode(v, o.kind)
}

// etagOf gives a record's ETag: of version 4, of version 2, or the answer's; nil: it has none.
func etagOf(record map[string]any, header http.Header) any {
	if s, ok := record["@odata.etag"].(string); ok {
		return s
	}
	if inner, ok := record["__metadata"].(map[string]any); ok {
		if s, ok := inner["etag"].(string); ok {
			return s
		}
	}
	if s := header.Get("ETag"); s != "" {
		return s
	}
	return nil
}

// shown are the columns of a statement's rows.
func (s *statement) shown(m *model, kind string) []string {
	out := slices.Clone(s.wanted)
	for name := range s.named {
		out = append(out, name)
	}
	if len(out) == 0 {
		for _, one := range m.lineage(kind) {
			for name, p := range one.properties {
				if m.primitive(p) != "" && !p.many {
					out = append(out, strings.ToLower(name))
				}
			}
		}
		out = append(out, etagColumn)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// choice says which properties and related records a request asks for.
type choice struct {
	properties []string
	related    map[string]*choice
}

func (c *choice) add(o origin) {
	at := c
	for _, name := range o.path[:o.related] {
		at = at.into(name)
	}
	if o.related < len(o.path) {
		if name := o.path[o.related]; !slices.Contains(at.properties, name) {
			at.properties = append(at.properties, name)
		}
	}
}

func (c *choice) into(name string) *choice {
	if c.related == nil {
		c.related = map[string]*choice{}
	}
	if c.related[name] == nil {
		c.related[name] = &choice{}
	}
	return c.related[name]
}

// options writes $select and $expand.
func (c *choice) options(dialect string) []string {
	if dialect == v4 {
		return c.v4()
	}
	selected, expanded := c.v2("")
	out := []string{"$select=" + escape(strings.Join(selected, ","))}
	if len(expanded) > 0 {
		out = append(out, "$expand="+escape(strings.Join(expanded, ",")))
	}
	return out
}

// v2 names everything from the set on: to_Supplier/SupplierName.
func (c *choice) v2(before string) (selected, expanded []string) {
	for _, name := range c.properties {
		selected = append(selected, before+name)
	}
	for _, name := range slices.Sorted(maps.Keys(c.related)) {
		expanded = append(expanded, before+name)
		s, e := c.related[name].v2(before + name + "/")
		if expanded = append(expanded, e...); len(s) == 0 {
			s = []string{before + name}
		}
		selected = append(selected, s...)
	}
	return selected, expanded
}

// v4 has the options of what is related in its brackets.
func (c *choice) v4() []string {
	var out, expanded []string
	if len(c.properties) > 0 {
		out = append(out, "$select="+escape(strings.Join(c.properties, ",")))
	}
	for _, name := range slices.Sorted(maps.Keys(c.related)) {
		if inner := c.related[name].v4(); len(inner) > 0 {
			name += "(" + strings.Join(inner, ";") + ")"
		}
		expanded = append(expanded, name)
	}
	if len(expanded) > 0 {
		out = append(out, "$expand="+strings.Join(expanded, ","))
	}
	return out
}

// lower are properties' names as columns have them.
func lower(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = strings.ToLower(name)
	}
	return out
}
