package jsonrpc

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"gantry/connectors"
	"gantry/connectors/template"
)

// statement is a query, which has a model, or a call, which has a method.
type statement struct {
	model   string
	columns map[string]column
	fields  []string // what is asked of the model
	domain  template.Value

	method   string
	params   template.Value
	results  map[string]string // column to path
	rows     string            // path of the records that it gives; "": it is no query
	affected string            // path of the number of records; "": the system does not say
	guard    *guard

	context template.Value // nil: the login's own
	names   *template.Compiler
}

// column is where a query's column comes from: the first of the paths that is not null.
type column struct {
	paths []string
	kind  string
}

// guard is the system's optimistic lock.
type guard struct {
	model     string
	id, since template.Value
}

var _ connectors.Deep = (*statement)(nil)

// Params implements connectors.Statement.
func (s *statement) Params() []string { return s.names.Names.Params }

// Lists implements connectors.Deep.
func (s *statement) Lists() map[string][]string { return s.names.Names.Lists }

var (
	modelName  = regexp.MustCompile(`^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_-]*)*$`)
	methodName = regexp.MustCompile(`^(model|wizard|report|common|system)(\.[a-z_][a-z0-9_-]*)+$`)
	fieldPath  = regexp.MustCompile(`^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*$`)
	columnName = regexp.MustCompile(`^[a-z_][a-z0-9_$#]*$`)
	columnSpec = regexp.MustCompile(`^([a-z0-9_.]+)(?: as (decimal|date|datetime|float|record))?$`)
)

var (
	queryMembers = []string{"columns", "context", "domain", "model"}
	callMembers  = []string{"affected", "context", "method", "params", "result", "rows", "unchanged"}
)

func compile(native map[string]any) (*statement, error) {
	s := &statement{names: template.NewCompiler(grammar)}
	members := queryMembers
	if native["method"] != nil {
		members = callMembers
	}
	for _, name := range slices.Sorted(maps.Keys(native)) {
		if !slices.Contains(members, name) {
			return nil, fmt.Errorf("%s: a query has %s; a call has %s", name, strings.Join(queryMembers, ", "), strings.Join(callMembers, ", "))
		}
	}
	if err := s.compileContext(native["context"]); err != nil {
		return nil, err
	}
	if native["method"] != nil {
		return s, s.compileCall(native)
	}
	return s, s.compileQuery(native)
}

func (s *statement) compileContext(v any) error {
	if v == nil {
		return nil
	}
	if _, ok := v.(map[string]any); !ok {
		return errors.New("context: must be an object")
	}
	t, err := s.names.Compile(v)
	if err != nil {
		return fmt.Errorf("context: %w", err)
	}
	s.context = t
	return nil
}

func (s *statement) compileQuery(native map[string]any) (err error) {
	if s.model, _ = native["model"].(string); !modelName.MatchString(s.model) {
		return errors.New("a step has `model`, the name of one such as purchase.purchase, or `method`")
	}
	columns, _ := native["columns"].(map[string]any)
	if len(columns) == 0 {
		return errors.New("columns: says which columns the query has, and from which field each of them comes")
	}
	s.columns = map[string]column{}
	for _, name := range slices.Sorted(maps.Keys(columns)) {
		c, err := compileColumn(columns[name])
		if err != nil || !columnName.MatchString(name) {
			return errors.Join(fmt.Errorf("columns: %s", name), err)
		}
		s.columns[name] = c
		for _, path := range c.paths {
			if !slices.Contains(s.fields, path) {
				s.fields = append(s.fields, path)
			}
		}
	}
	domain := native["domain"]
	if domain == nil {
		domain = []any{}
	}
	if _, ok := domain.([]any); !ok {
		return errors.New("domain: must be a list of conditions")
	}
	if s.domain, err = s.names.Compile(domain); err != nil {
		return fmt.Errorf("domain: %w", err)
	}
	return nil
}

func compileColumn(v any) (column, error) {
	var c column
	specs, many := v.([]any)
	if !many {
		specs = []any{v}
	}
	for _, spec := range specs {
		text, _ := spec.(string)
		parts := columnSpec.FindStringSubmatch(text)
		if parts == nil || !fieldPath.MatchString(parts[1]) {
			return c, fmt.Errorf("%v is no field; write name, relation.name, or name as decimal, date, datetime, float or record", spec)
		}
		c.paths = append(c.paths, parts[1])
		if parts[2] != "" {
			c.kind = parts[2]
		}
	}
	if len(c.paths) == 0 {
		return c, errors.New("names no field")
	}
	return c, nil
}

func (s *statement) compileCall(native map[string]any) (err error) {
	if s.method, _ = native["method"].(string); !methodName.MatchString(s.method) {
		return errors.New("method: must be one such as model.purchase.purchase.create")
	}
	params, ok := native["params"].([]any)
	if !ok && native["params"] != nil {
		return errors.New("params: must be a list")
	}
	if s.params, err = s.names.Compile(params); err != nil {
		return fmt.Errorf("params: %w", err)
	}
	if s.rows, err = path(native["rows"]); err != nil {
		return fmt.Errorf("rows: %w", err)
	}
	if s.affected, err = path(native["affected"]); err != nil {
		return fmt.Errorf("affected: %w", err)
	}
	s.results = map[string]string{}
	results, ok := native["result"].(map[string]any)
	if !ok && native["result"] != nil {
		return errors.New("result: maps columns to their path in the answer")
	}
	for name, v := range results {
		if s.results[name], err = path(v); err != nil || !columnName.MatchString(name) {
			return errors.Join(fmt.Errorf("result: %s", name), err)
		}
	}
	return s.compileGuard(native["unchanged"])
}

func path(v any) (string, error) {
	if v == nil {
		return "", nil
	}
	s, ok := v.(string)
	if !ok || s == "" {
		return "", errors.New(`a path is a text: "0", "a.b", or "." for the whole answer`)
	}
	return s, nil
}

func (s *statement) compileGuard(v any) error {
	if v == nil {
		return nil
	}
	m, _ := v.(map[string]any)
	g := &guard{}
	g.model, _ = m["model"].(string)
	if len(m) != 3 || !modelName.MatchString(g.model) || m["id"] == nil || m["since"] == nil {
		return errors.New("unchanged: has model, id and since")
	}
	var err error
	if g.id, err = s.names.Compile(m["id"]); err != nil {
		return fmt.Errorf("unchanged: id: %w", err)
	}
	if g.since, err = s.names.Compile(m["since"]); err != nil {
		return fmt.Errorf("unchanged: since: %w", err)
	}
	s.guard = g
	return nil
}
