package jsonrpc

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// column is where a query's column comes from: the first of the paths that is not null.
type column struct {
	paths []string
	kind  string
}

var (
	fieldPath  = regexp.MustCompile(`^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*$`)    // of a model
	memberPath = regexp.MustCompile(`^(\.|[A-Za-z0-9_$-]+(\.[A-Za-z0-9_$-]+)*)$`) // of an answer
)

func (s *statement) compileColumns(v any, paths *regexp.Regexp) error {
	columns, _ := v.(map[string]any)
	if len(columns) == 0 {
		return errors.New("columns: says which columns the query has, and from which field each of them comes")
	}
	s.columns = map[string]column{}
	for _, name := range slices.Sorted(maps.Keys(columns)) {
		c, err := s.compileColumn(columns[name], paths)
		if err != nil || !columnName.MatchString(name) {
			return errors.Join(fmt.Errorf("columns: %s", name), err)
		}
		s.columns[name] = c
	}
	return nil
}

func (s *statement) compileColumn(v any, paths *regexp.Regexp) (column, error) {
	var c column
	_, kinds := s.dialect.kinds()
	specs, many := v.([]any)
	if !many {
		specs = []any{v}
	}
	for _, spec := range specs {
		text, _ := spec.(string)
		path, kind, said := strings.Cut(text, " as ")
		if !paths.MatchString(path) || said && !slices.Contains(kinds, kind) {
			return c, fmt.Errorf("%v is no field; write name, relation.name, or name as %s", spec, strings.Join(kinds, ", "))
		}
		c.paths = append(c.paths, path)
		if said {
			c.kind = kind
		}
	}
	if len(c.paths) == 0 {
		return c, errors.New("names no field")
	}
	return c, nil
}
