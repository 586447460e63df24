package jsonrpc

import (
	"errors"
	"fmt"
	"maps"
	"regexp"

	"gantry/connectors"
	"gantry/connectors/template"
)

var _ connectors.Extender = Driver{}

// memberName is what a model's field is called.
var memberName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,127}$`)

// kindOf gives the kind of a value that a column holds.
func kindOf(native string) string {
	switch native {
	case "decimal", "date", "float", "boolean":
		return native // the words are the same
	case "datetime", "instant":
		return kindDatetime
	}
	return ""
}

func as(text, kind string) string {
	if kind == "" {
		return text
	}
	return text + " as " + kind
}

func checkNames(columns []connectors.Extra) error {
	for _, c := range columns {
		if !memberName.MatchString(c.Name) {
			return fmt.Errorf("%q cannot be carried as the name of a field", c.Name)
		}
	}
	return nil
}

// ExtendQuery implements connectors.Extender: the fields are columns like the others.
func (Driver) ExtendQuery(x connectors.Extension, native map[string]any) (map[string]any, bool, error) {
	columns, ok := native["columns"].(map[string]any)
	if !ok {
		return nil, false, errors.New("the records come from a method, and not from a model")
	}
	if err := checkNames(x.Columns); err != nil {
		return nil, false, err
	}
	columns = maps.Clone(columns)
	for _, c := range x.Columns {
		columns[c.Alias] = as(c.Name, kindOf(c.Native))
	}
	out := maps.Clone(native)
	out["columns"] = columns
	return out, true, nil
}

// ExtendWrite implements connectors.Extender: the values are members of the parameters that have a place for them.
func (Driver) ExtendWrite(x connectors.Extension, steps []map[string]any) (extended, after []map[string]any, err error) {
	if err := checkNames(x.Columns); err != nil {
		return nil, nil, err
	}
	members := map[string]any{}
	for _, c := range x.Columns {
		members[c.Name] = as(":"+c.Alias, kindOf(c.Native))
	}
	extended, found := template.ExtendSteps(steps, members, "params")
	if !found {
		return nil, nil, errors.New("no call of the operation has a place for further members: $custom")
	}
	return extended, nil, nil
}
