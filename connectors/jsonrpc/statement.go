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

// statement is a query of a model; a query of the records that a call gives; or a call.
type statement struct {
	dialect dialect

	model   string
	columns map[string]column // of a query
	fields  []string          // what is asked of the model
	domain  template.Value

	method   string
	params   template.Value    // by their place
	named    template.Value    // by their name
	batch    template.Value    // several calls in place of the one
	results  map[string]string // column to path
	affected string            // path of the number of records; "": the system does not say
	listing  *listing          // of a query of a call's records
	guard    *guard
	login    *loginCall // of a definition's protocol

	context template.Value // nil: the login's own
	names   *template.Compiler
}

var _ connectors.Deep = (*statement)(nil)

// Params implements connectors.Statement.
func (s *statement) Params() []string { return s.names.Names.Params }

// Lists implements connectors.Deep.
func (s *statement) Lists() map[string][]string { return s.names.Names.Lists }

var (
	modelName  = regexp.MustCompile(`^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_-]*)*$`)
	methodName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*([./:][A-Za-z_][A-Za-z0-9_-]*)*$`)
	columnName = regexp.MustCompile(`^[a-z_][a-z0-9_$#]*$`)
)

// The members of each kind of statement.
var (
	queryMembers   = []string{"columns", "context", "domain", "model"}
	listingMembers = []string{"columns", "context", "method", "named", "params", "rows", "sorted", "total"}
	callMembers    = []string{"affected", "batch", "context", "method", "named", "params", "result", "unchanged"}
)

func compile(d dialect, native map[string]any) (*statement, error) {
	s := &statement{dialect: d, names: template.NewCompiler(grammar(d))}
	members, rest := queryMembers, s.compileQuery
	switch {
	case native["protocol"] != nil:
		members, rest = []string{"protocol"}, s.compileProtocol
	case native["rows"] != nil:
		members, rest = listingMembers, s.compileListing
	case native["method"] != nil || native["batch"] != nil:
		members, rest = callMembers, s.compileCall
	}
	for _, name := range slices.Sorted(maps.Keys(native)) {
		if !slices.Contains(members, name) {
			return nil, fmt.Errorf("%s: a query has %s; one of a call's records has %s; a call has %s", name,
				strings.Join(queryMembers, ", "), strings.Join(listingMembers, ", "), strings.Join(callMembers, ", "))
		}
	}
	var err error
	if s.context, err = s.object("context", native["context"]); err != nil {
		return nil, err
	}
	if err := rest(native); err != nil {
		return nil, err
	}
	return s, d.accepts(s)
}

func (s *statement) object(name string, v any) (template.Value, error) {
	if v == nil {
		return nil, nil
	}
	if _, ok := v.(map[string]any); !ok {
		return nil, fmt.Errorf("%s: must be an object", name)
	}
	return s.template(name, v)
}

func (s *statement) list(name string, v any) (template.Value, error) {
	if v == nil {
		return nil, nil
	}
	if _, ok := v.([]any); !ok {
		return nil, fmt.Errorf("%s: must be a list", name)
	}
	return s.template(name, v)
}

func (s *statement) template(name string, v any) (template.Value, error) {
	t, err := s.names.Compile(v)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

func (s *statement) compileQuery(native map[string]any) (err error) {
	if _, ok := s.dialect.(modelled); !ok {
		return errors.New("a step has `method`, or `batch`; beside it a query has `rows` and `columns`")
	}
	if s.model, _ = native["model"].(string); !modelName.MatchString(s.model) {
		return errors.New("a step has `model`, the name of one such as purchase.purchase, or `method`")
	}
	if err := s.compileColumns(native["columns"], fieldPath); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(s.columns)) {
		for _, path := range s.columns[name].paths {
			if !slices.Contains(s.fields, path) {
				s.fields = append(s.fields, path)
			}
		}
	}
	s.domain, err = s.list("domain", native["domain"])
	return err
}

func (s *statement) compileCall(native map[string]any) (err error) {
	if err := s.compileMethod(native); err != nil {
		return err
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

// compileMethod compiles what is called, and with what.
func (s *statement) compileMethod(native map[string]any) (err error) {
	if native["batch"] != nil {
		return s.compileBatch(native)
	}
	if s.method, _ = native["method"].(string); !methodName.MatchString(s.method) {
		return errors.New("method: must be the name of one, such as order.create or model.purchase.purchase.create")
	}
	if s.params, err = s.list("params", native["params"]); err != nil {
		return err
	}
	s.named, err = s.object("named", native["named"])
	return err
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
