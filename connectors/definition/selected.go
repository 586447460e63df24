package definition

import (
	"maps"
	"regexp"
	"slices"

	"gantry/connectors"
	"gantry/connectors/entity"
)

// selected gives a statement whose driver can choose its columns those that the definition reads.
func selected(s connectors.Statement, columns map[string]bool) connectors.Statement {
	if narrow, ok := s.(connectors.Selective); ok {
		return narrow.Select(slices.Sorted(maps.Keys(columns)))
	}
	return s
}

// columnsOf names the columns that an entity's records are made of.
func columnsOf(e *Entity) map[string]bool {
	out := union(columnParams(e.Key), fieldColumns(e.Fields), fieldColumns(e.CustomFields))
	if e.Version != nil {
		out[e.Version.Name] = true
	}
	if e.Operations.List != nil {
		maps.Copy(out, columnParams(e.Operations.List.Keyset))
	}
	for _, child := range e.Children {
		if child.Of != "" {
			out[child.Of] = true
		}
	}
	return out
}

// childColumns names the columns that the members of a child's lists are made of.
func childColumns(name string, child *Child, fields map[string]*Field) map[string]bool {
	out := columnParams(child.Order)
	if child.Parent != "" {
		out[child.Parent] = true
	}
	for _, f := range fields {
		if f.Type == entity.List && f.From == name {
			maps.Copy(out, fieldColumns(f.Fields))
		}
	}
	return out
}

// rowMember finds what an expression reads of a native row: row.po_no, row['po_no'].
var rowMember = regexp.MustCompile(`\brow(?:\.|\[["'])([a-z_][a-z0-9_$#]*)`)

func fieldColumns(fields map[string]*Field) map[string]bool {
	out := map[string]bool{}
	for _, f := range fields {
		for _, text := range []string{f.Value, f.TZ} {
			for _, m := range rowMember.FindAllStringSubmatch(text, -1) {
				out[m[1]] = true
			}
		}
		switch {
		case f.Type == entity.List: // its `from` is a child
		case len(f.Fields) > 0:
			maps.Copy(out, fieldColumns(f.Fields))
		case f.From != "":
			out[f.From] = true
		}
	}
	return out
}
