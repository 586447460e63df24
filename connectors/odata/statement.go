package odata

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"gantry/connectors"
	"gantry/connectors/native"
	"gantry/connectors/template"
)

// statement is a query, a call, or a batch of calls.
type statement struct {
	service root // nil: the protocol's
	names   *template.Compiler

	method string
	path   resource
	query  map[string]template.Value
	none   []int
	named  map[string]column // columns that the definition names itself

	each   string // of a query: what is related, whose records are the rows
	only   map[string]template.Value
	filter string
	pages  paging
	wanted []string // beside those of named; nil, and none named: all properties

	body    template.Value // of a call; nil: none
	ifMatch template.Value

	batch []member
}

// member is one call of a batch.
type member struct {
	list string // run for each member of this list of the input; "": once
	*statement
}

// column is where a column comes from.
type column struct {
	path   []string
	parent bool // of the record around a related one
}

// etagColumn is the column of a record's ETag.
const etagColumn = "etag"

var (
	_ connectors.Deep      = (*statement)(nil)
	_ connectors.Selective = (*statement)(nil)
)

// Params implements connectors.Statement.
func (s *statement) Params() []string { return s.names.Names.Params }

// Lists implements connectors.Deep.
func (s *statement) Lists() map[string][]string { return s.names.Names.Lists }

// Select implements connectors.Selective.
func (s *statement) Select(columns []string) connectors.Statement {
	narrow := *s
	narrow.wanted = slices.Clone(columns)
	return &narrow
}

func (s *statement) isQuery() bool { return s.method == http.MethodGet }

// verbs are a call's members, and their methods.
var verbs = map[string]string{
	"get": http.MethodGet, "post": http.MethodPost, "put": http.MethodPut, "patch": http.MethodPatch, "merge": "MERGE", "delete": http.MethodDelete,
}

func compile(dialect string, own map[string]any) (*statement, error) {
	m := native.Object("step", own)
	s := &statement{names: template.NewCompiler(template.Grammar{})}
	var err error
	if s.service, err = compileRoot(m.Text("service"), s.names); err != nil {
		return nil, fmt.Errorf("service: %w", err)
	}
	if m.Has("batch") {
		err = s.compileBatch(dialect, m)
	} else {
		err = s.compileRequest(dialect, m, nil)
	}
	if err != nil {
		return nil, err
	}
	if err := m.Done(); err != nil {
		return nil, fmt.Errorf("%w; a query has get, columns, each, only, filter, pages, query, none and service, a call body, if_match, result, query, none and service", err)
	}
	return s, nil
}

// compileRequest compiles a query or a call; outer is what is around a batch's member of a list.
func (s *statement) compileRequest(dialect string, m *native.Members, outer *template.Compiler) error {
	for _, verb := range slices.Sorted(maps.Keys(verbs)) {
		if !m.Has(verb) {
			continue
		}
		if s.method != "" {
			return errors.New("a step has one of get, post, patch, merge, put and delete")
		}
		s.method = verbs[verb]
		var err error
		if s.path, err = compilePath(m.Text(verb), s.names, outer); err != nil {
			return fmt.Errorf("%s: %w", verb, err)
		}
	}
	switch {
	case s.method == "":
		return errors.New("a step has one of get, post, patch, merge, put and delete, with its path, or `batch`")
	case s.method == "MERGE" && dialect != v2:
		return errors.New("merge: version 4 knows patch alone")
	}
	s.none = m.Numbers("none")
	var err error
	if s.query, err = compileParameters(m, s.names); err != nil {
		return err
	}
	if s.isQuery() {
		return s.compileQuery(m)
	}
	return s.compileCall(m)
}

func (s *statement) compileQuery(m *native.Members) (err error) {
	if s.each = m.Text("each"); s.each != "" && !resourceName.MatchString(s.each) {
		return fmt.Errorf("each: %q is no name of what is related to a record", s.each)
	}
	if s.named, err = compileColumns("columns", m, s.each != ""); err != nil {
		return err
	}
	if s.pages, err = compilePaging(m); err != nil {
		return err
	}
	if s.filter = m.Text("filter"); strings.ContainsAny(s.filter, "&#?\r\n") || len(s.filter) > 1000 {
		return errors.New("filter: is one condition of OData's language")
	}
	own, there := m.Take("only")
	if !there {
		return nil
	}
	inner := native.Object("only", own)
	s.only = map[string]template.Value{}
	for _, name := range inner.Names() {
		v, _ := inner.Take(name)
		if s.only[name], err = s.names.Compile(v); err != nil || !columnName.MatchString(name) {
			return errors.Join(fmt.Errorf("only: %s: is no column with what it equals", name), err)
		}
	}
	return inner.Done()
}

func (s *statement) compileCall(m *native.Members) (err error) {
	if s.named, err = compileColumns("result", m, false); err != nil {
		return err
	}
	if body, there := m.Take("body"); there {
		if s.method == http.MethodDelete {
			return errors.New("body: a delete has none")
		}
		if s.body, err = s.names.Compile(body); err != nil {
			return fmt.Errorf("body: %w", err)
		}
	}
	if own := m.Text("if_match"); own != "" {
		if s.ifMatch, err = s.names.Compile(own); err != nil {
			return fmt.Errorf("if_match: %w", err)
		}
	}
	return nil
}

const maxBatch = 100

func (s *statement) compileBatch(dialect string, m *native.Members) error {
	own, _ := m.Take("batch")
	calls, ok := own.([]any)
	if !ok || len(calls) == 0 || len(calls) > maxBatch {
		return fmt.Errorf("batch: is a list of 1 to %d calls", maxBatch)
	}
	for i, call := range calls {
		inner := native.Object(fmt.Sprintf("batch[%d]", i), call)
		one := member{inner.Text("each"), &statement{names: s.names}}
		outer := (*template.Compiler)(nil)
		if one.list != "" {
			one.names, outer = template.NewCompiler(template.Grammar{}), s.names
		}
		if err := one.compileRequest(dialect, inner, outer); err != nil {
			return fmt.Errorf("batch[%d]: %w", i, err)
		}
		if one.isQuery() || len(one.none) > 0 {
			return fmt.Errorf("batch[%d]: a change set has calls alone, without `none`", i)
		}
		if err := inner.Done(); err != nil {
			return err
		}
		if one.list != "" {
			s.names.Names.Lists[one.list] = append(s.names.Names.Lists[one.list], one.names.Names.Params...)
		}
		s.batch = append(s.batch, one)
	}
	return nil
}

var (
	columnName = regexp.MustCompile(`^[a-z_][a-z0-9_$#]*$`)
	columnPath = regexp.MustCompile(`^(\^)?([A-Za-z_]\w*(?:/[A-Za-z_]\w*){0,4})$`)
)

func compileColumns(at string, m *native.Members, related bool) (map[string]column, error) {
	out := map[string]column{}
	for name, spec := range m.TextMap(at) {
		parts := columnPath.FindStringSubmatch(spec)
		switch {
		case !columnName.MatchString(name):
			return nil, fmt.Errorf("%s: %s: is no name of a column: lower-case letters, digits and _", at, name)
		case parts == nil:
			return nil, fmt.Errorf("%s: %s: %q is no property; write Name, Related/Name, or ^Name of the record around it", at, name, spec)
		case parts[1] != "" && !related:
			return nil, fmt.Errorf("%s: %s: there is no record around a record without `each`", at, name)
		}
		out[name] = column{strings.Split(parts[2], "/"), parts[1] != ""}
	}
	return out, nil
}
