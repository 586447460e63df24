package jsonrpc

import (
	"errors"
	"fmt"
	"slices"

	"gantry/connectors"
	"gantry/connectors/template"
)

// listing is a query of the records that a call gives. The system gives them in an order of its own, and may be able to filter by one value;
// every filter is applied here all the same, and every other order made here.
type listing struct {
	rows   string   // path of the records in the answer
	total  string   // path of how many there are; "": it does not say
	sorted []string // columns, in the system's order
	pages  bool     // it takes $offset
}

// asked is what a query of records asks of the call.
type asked struct {
	offset, size int
	equal        map[string]any // the one value of a column
}

// ask is {$offset: true}, {$size: true} or {$equal: column}.
type ask struct{ name, column string }

func compileAsked(c *template.Compiler, v map[string]any) (template.Value, error) {
	if len(v) != 1 {
		return nil, errors.New("$offset, $size and $equal stand alone")
	}
	for name, value := range v {
		if column, ok := value.(string); ok && name == "$equal" && columnName.MatchString(column) {
			return ask{name: name, column: column}, nil
		}
		if value == true && name != "$equal" {
			return ask{name: name}, nil
		}
	}
	return nil, errors.New("write {$offset: true}, {$size: true} or {$equal: column}")
}

// Render implements template.Value.
func (a ask) Render(r *template.Rendering) (any, error) {
	asked := r.Driver.(rendered).asked
	switch {
	case asked == nil:
		return nil, connectors.Misuse("%s stands in a query of records", a.name)
	case a.name == "$offset":
		return asked.offset, nil
	case a.name == "$size":
		return asked.size, nil
	}
	return asked.equal[a.column], nil
}

func (s *statement) compileListing(native map[string]any) (err error) {
	if err := s.compileMethod(native); err != nil {
		return err
	}
	if err := s.compileColumns(native["columns"], memberPath); err != nil {
		return err
	}
	s.listing = &listing{pages: asks(native["params"], "$offset") || asks(native["named"], "$offset")}
	if s.listing.rows, err = path(native["rows"]); err != nil {
		return fmt.Errorf("rows: %w", err)
	}
	if s.listing.total, err = path(native["total"]); err != nil {
		return fmt.Errorf("total: %w", err)
	}
	sorted, ok := native["sorted"].([]any)
	if !ok && native["sorted"] != nil {
		return errors.New("sorted: a list of columns")
	}
	for _, v := range sorted {
		name, _ := v.(string)
		if _, known := s.columns[name]; !known {
			return fmt.Errorf("sorted: there is no column %v", v)
		}
		s.listing.sorted = append(s.listing.sorted, name)
	}
	return nil
}

// asks tells whether a form stands anywhere in a template.
func asks(v any, form string) bool {
	switch v := v.(type) {
	case []any:
		return slices.ContainsFunc(v, func(one any) bool { return asks(one, form) })
	case map[string]any:
		for name, one := range v {
			if name == form || asks(one, form) {
				return true
			}
		}
	}
	return false
}
