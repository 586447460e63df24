package rest

import (
	"fmt"
	"regexp"
	"strings"
)

// column is where a column comes from.
type column struct {
	path   string // in the record; "." is the record itself
	kind   string
	header bool // path is a header of the answer
	parent bool // path is in the record that holds the member
}

var (
	columnName = regexp.MustCompile(`^[a-z_][a-z0-9_$#]*$`)
	columnSpec = regexp.MustCompile(`^(header |\^)?([A-Za-z0-9_$@#:.-]+)(?: as (` + strings.Join(kinds, "|") + `))?$`)
)

func compileColumn(spec string) (column, error) {
	parts := columnSpec.FindStringSubmatch(spec)
	if parts == nil {
		return column{}, fmt.Errorf("%q is no column; write path.to.member, ^path of the record around it, or header Name, and perhaps as %s", spec, strings.Join(kinds, ", "))
	}
	return column{path: parts[2], kind: parts[3], header: parts[1] == "header ", parent: parts[1] == "^"}, nil
}

// compared is the kind of a value that the system compares with the column.
func (c column) compared() string {
	if c.kind == kindString {
		return "" // as the caller has it
	}
	return c.kind
}

func compileColumns(at string, specs map[string]string) (map[string]column, error) {
	out := map[string]column{}
	for name, spec := range specs {
		c, err := compileColumn(spec)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", at, name, err)
		}
		if !columnName.MatchString(name) {
			return nil, fmt.Errorf("%s: %s: is no name of a column: lower-case letters, digits and _", at, name)
		}
		out[name] = c
	}
	return out, nil
}
