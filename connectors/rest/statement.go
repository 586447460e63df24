package rest

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"gantry/connectors"
	"gantry/connectors/native"
	"gantry/connectors/template"
)

// statement is a query, which has rows, or a call.
type statement struct {
	request *request
	none    []int // statuses that say: there is none

	rows    string // path of the records; "": a call
	each    string // path of a list of each record; "": the records themselves are the rows
	columns map[string]column
	order   []string // columns by which the system orders its records by itself
	only    map[string]template.Value
	ways    ways
	loose   []string // query parameters whose text comes from a parameter

	results  map[string]column
	affected string // path of the number of records; "": count
	count    int64  // of a success; -1: the system does not say
}

var _ connectors.Deep = (*statement)(nil)

// Params implements connectors.Statement.
func (s *statement) Params() []string { return s.request.names.Names.Params }

// Lists implements connectors.Deep.
func (s *statement) Lists() map[string][]string { return s.request.names.Names.Lists }

func compile(step map[string]any) (*statement, error) {
	m := native.Object("step", step)
	s := &statement{count: -1, loose: looseParameters(step["query"])}
	var err error
	if s.request, err = compileRequest(m, grammar); err != nil {
		return nil, err
	}
	s.none = m.Numbers("none")
	if s.rows = m.Text("rows"); s.rows != "" {
		err = s.compileQuery(m)
	} else {
		err = s.compileCall(m)
	}
	if err != nil {
		return nil, err
	}
	if err := m.Done(); err != nil {
		return nil, fmt.Errorf("%w; a query has rows, columns, each, only, order, none, where, sort and pages, a call body, headers, result, affected and none", err)
	}
	return s, nil
}

// looseParameters are members of a query whose text is not the definition's own.
func looseParameters(v any) []string {
	query, _ := v.(map[string]any)
	var out []string
	for name, item := range query {
		s, isText := item.(string)
		if !isText || strings.HasPrefix(s, ":") && !strings.HasPrefix(s, "::") {
			out = append(out, name)
		}
	}
	return out
}

func (s *statement) compileQuery(m *native.Members) (err error) {
	if s.request.method != http.MethodGet {
		return errors.New("a query is a get: what else a request may do, nobody can know")
	}
	s.each = m.Text("each")
	if s.columns, err = compileColumns("columns", m.TextMap("columns")); err != nil {
		return err
	}
	if len(s.columns) == 0 && m.Err() == nil {
		return errors.New("columns: says which columns the query has, and from which path each of them comes")
	}
	for name, c := range s.columns {
		if c.parent && s.each == "" {
			return fmt.Errorf("columns: %s: there is no record around a record without `each`", name)
		}
	}
	s.order = m.Texts("order")
	for _, name := range s.order {
		if _, known := s.columns[name]; !known {
			return fmt.Errorf("order: there is no column %q", name)
		}
	}
	if err := s.compileOnly(m); err != nil {
		return err
	}
	s.ways, err = compileWays(m)
	return err
}

// compileOnly compiles what the query asks for beside a Read's filters: columns that equal a parameter.
func (s *statement) compileOnly(m *native.Members) error {
	own, there := m.Take("only")
	if !there {
		return nil
	}
	conditions, ok := own.(map[string]any)
	if !ok {
		return errors.New("only: must be an object of columns and what they equal")
	}
	s.only = map[string]template.Value{}
	for _, name := range slices.Sorted(maps.Keys(conditions)) {
		if _, known := s.columns[name]; !known {
			return fmt.Errorf("only: there is no column %q", name)
		}
		value, err := s.request.names.Compile(conditions[name])
		if err != nil {
			return fmt.Errorf("only: %s: %w", name, err)
		}
		s.only[name] = value
	}
	return nil
}

func (s *statement) compileCall(m *native.Members) (err error) {
	if s.results, err = compileColumns("result", m.TextMap("result")); err != nil {
		return err
	}
	v, there := m.Take("affected")
	switch v := v.(type) {
	case nil:
		if there {
			return errors.New("affected: must be a number, or a path")
		}
	case string:
		s.affected = v
	default:
		if s.count, err = strconv.ParseInt(fmt.Sprint(v), 10, 64); err != nil || s.count < 0 {
			return errors.New("affected: must be a number, or a path")
		}
	}
	return nil
}
