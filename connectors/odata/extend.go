package odata

import (
	"errors"
	"fmt"
	"maps"
	"regexp"

	"gantry/connectors"
	"gantry/connectors/template"
)

var _ connectors.Extender = Driver{}

// memberName is what a property must be called so that it can be carried: it stands in paths and in bodies.
var memberName = regexp.MustCompile(`^[A-Za-z_]\w{0,127}$`)

func checkNames(columns []connectors.Extra) error {
	for _, c := range columns {
		if !memberName.MatchString(c.Name) {
			return fmt.Errorf("%q cannot be carried as the name of a property", c.Name)
		}
	}
	return nil
}

// ExtendQuery implements connectors.Extender: the properties are columns like the others.
func (Driver) ExtendQuery(x connectors.Extension, native map[string]any) (map[string]any, bool, error) {
	if err := checkNames(x.Columns); err != nil {
		return nil, false, err
	}
	own, _ := native["columns"].(map[string]any)
	columns := map[string]any{}
	maps.Copy(columns, own)
	for _, c := range x.Columns {
		columns[c.Alias] = c.Name
	}
	out := maps.Clone(native)
	out["columns"] = columns
	return out, true, nil
}

// ExtendWrite implements connectors.Extender: the values are members of a body that has a place for them. How they are written, their types say.
func (Driver) ExtendWrite(x connectors.Extension, steps []map[string]any) (extended, after []map[string]any, err error) {
	if err := checkNames(x.Columns); err != nil {
		return nil, nil, err
	}
	members := map[string]any{}
	for _, c := range x.Columns {
		members[c.Name] = ":" + c.Alias
	}
	extended, found := template.ExtendSteps(steps, members, "body", "batch")
	if !found {
		return nil, nil, errors.New("no body of the operation has a place for further members: $custom")
	}
	return extended, nil, nil
}
