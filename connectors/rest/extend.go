package rest

import (
	"errors"
	"fmt"
	"maps"
	"regexp"

	"gantry/connectors"
	"gantry/connectors/template"
)

var _ connectors.Extender = Driver{}

// memberName is what a record's member must be called so that it can be carried: a path has one step.
var memberName = regexp.MustCompile(`^[A-Za-z0-9_$@#:-]{1,128}$`)

// kindOf gives the kind of a value that a column holds.
func kindOf(native string) string {
	switch native {
	case "integer", "decimal", "date", "datetime", "instant":
		return native // the words are the same
	}
	return ""
}

func as(text, kind string) string {
	if kind == "" {
		return text
	}
	return text + " as " + kind
}

// ExtendQuery implements connectors.Extender: the members are columns like the others.
func (Driver) ExtendQuery(x connectors.Extension, native map[string]any) (map[string]any, bool, error) {
	columns, ok := native["columns"].(map[string]any)
	if !ok {
		return nil, false, errors.New("the query names no columns")
	}
	columns = maps.Clone(columns)
	for _, c := range x.Columns {
		if !memberName.MatchString(c.Name) {
			return nil, false, fmt.Errorf("%q cannot be carried as the name of a member", c.Name)
		}
		columns[c.Alias] = as(c.Name, kindOf(c.Native))
	}
	out := maps.Clone(native)
	out["columns"] = columns
	return out, hasLanguage(native["where"]) || native["where"] == nil && hasLanguage(x.Protocol["where"]), nil
}

// hasLanguage tells whether the system compares whatever it is asked to, and not only what has a parameter of its own.
func hasLanguage(where any) bool {
	m, _ := where.(map[string]any)
	return m["parameter"] != nil
}

// ExtendWrite implements connectors.Extender: the values are members of a body that has a place for them.
func (Driver) ExtendWrite(x connectors.Extension, steps []map[string]any) (extended, after []map[string]any, err error) {
	members := map[string]any{}
	for _, c := range x.Columns {
		if !memberName.MatchString(c.Name) {
			return nil, nil, fmt.Errorf("%q cannot be carried as the name of a member", c.Name)
		}
		members[c.Name] = as(":"+c.Alias, kindOf(c.Native))
	}
	extended, found := template.ExtendSteps(steps, members, "body")
	if !found {
		return nil, nil, errors.New("no body of the operation has a place for further members: $custom")
	}
	return extended, nil, nil
}
