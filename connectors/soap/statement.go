package soap

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"gantry/connectors"
	"gantry/connectors/markup"
	"gantry/connectors/sift"
)

// statement is a query, which has `records`, or a call.
type statement struct {
	action   string
	body     *markup.Template
	records  *markup.Path // nil: a call
	counted  *markup.Path // what offsets count; nil: the records
	total    *markup.Path
	columns  []column // of a query, or of a call's effect; sorted by name
	sorted   []string
	affected *markup.Path
}

// column is where a column comes from.
type column struct {
	sift.Column
	path *markup.Path
}

var _ connectors.Deep = (*statement)(nil)

// Params implements connectors.Statement.
func (s *statement) Params() []string { return s.body.Params }

// Lists implements connectors.Deep.
func (s *statement) Lists() map[string][]string { return s.body.Lists }

// What a template holds beside parameters: the place and the size of a page.
const (
	paramOffset = "$offset"
	paramSize   = "$size"
)

var grammar = markup.Grammar{Filters: true, Specials: []string{paramOffset, paramSize}}

var (
	queryMembers = []string{"body", "columns", "counted", "records", "soap_action", "sorted", "total"}
	callMembers  = []string{"affected", "body", "result", "soap_action"}
	columnName   = regexp.MustCompile(`^[a-z_][a-z0-9_$#]*$`)
	columnSpec   = regexp.MustCompile(`^(.+?)(?: as (text|integer|decimal|boolean|date|datetime))?$`)
)

func compile(native map[string]any) (*statement, error) {
	s := &statement{}
	members := callMembers
	if native["records"] != nil {
		members = queryMembers
	}
	for _, name := range slices.Sorted(maps.Keys(native)) {
		if !slices.Contains(members, name) {
			return nil, fmt.Errorf("%s: a query has %s; a call has %s", name, strings.Join(queryMembers, ", "), strings.Join(callMembers, ", "))
		}
	}
	var isText bool
	if s.action, isText = native["soap_action"].(string); !isText && native["soap_action"] != nil || strings.ContainsAny(s.action, "\"\r\n") {
		return nil, errors.New("soap_action: must be a text without quotes")
	}
	body, _ := native["body"].(string)
	var err error
	if s.body, err = markup.CompileTemplate(body, grammar); err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	if native["records"] != nil {
		return s, s.compileQuery(native)
	}
	return s, s.compileCall(native)
}

// pages tells whether the query is asked page by page.
func (s *statement) pages() bool { return len(s.body.Specials) > 0 }

// filling is one use of a body.
func filling(vars connectors.Vars, filters map[string]any, offset, size int) markup.Filling {
	return markup.Filling{
		Vars: vars, Filters: filters, Specials: map[string]any{paramOffset: int64(offset), paramSize: int64(size)}, Text: lexical,
	}
}

func (s *statement) compileQuery(native map[string]any) (err error) {
	if s.records, err = path(native["records"]); err != nil {
		return fmt.Errorf("records: %w", err)
	}
	for name, into := range map[string]**markup.Path{"total": &s.total, "counted": &s.counted} {
		if native[name] == nil {
			continue
		}
		if *into, err = path(native[name]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if s.columns, err = columns(native["columns"]); err != nil {
		return fmt.Errorf("columns: %w", err)
	}
	sorted, ok := native["sorted"].([]any)
	for _, name := range sorted {
		text, _ := name.(string)
		ok = ok && s.column(text) != nil
		s.sorted = append(s.sorted, text)
	}
	if !ok && native["sorted"] != nil {
		return errors.New("sorted: lists columns of the query")
	}
	for _, name := range s.body.Filters {
		if s.column(name) == nil {
			return fmt.Errorf("body: {=%s}: the query has no such column", name)
		}
	}
	if len(s.body.Lists) > 0 {
		return errors.New("body: a query takes no list")
	}
	return nil
}

func (s *statement) compileCall(native map[string]any) (err error) {
	if s.pages() || len(s.body.Filters) > 0 {
		return errors.New("body: a call has no pages and no filters: give it `records` if it is a query")
	}
	if native["affected"] != nil {
		if s.affected, err = path(native["affected"]); err != nil {
			return fmt.Errorf("affected: %w", err)
		}
	}
	if native["result"] != nil {
		if s.columns, err = columns(native["result"]); err != nil {
			return fmt.Errorf("result: %w", err)
		}
	}
	return nil
}

func path(v any) (*markup.Path, error) {
	text, _ := v.(string)
	return markup.CompilePath(text)
}

func columns(v any) ([]column, error) {
	specs, _ := v.(map[string]any)
	if len(specs) == 0 {
		return nil, errors.New("says which columns there are, and by which XPath each of them is found")
	}
	var out []column
	for _, name := range slices.Sorted(maps.Keys(specs)) {
		text, _ := specs[name].(string)
		parts := columnSpec.FindStringSubmatch(text)
		if parts == nil || !columnName.MatchString(name) {
			return nil, fmt.Errorf("%s: must be an XPath, with or without `as` and a kind", name)
		}
		c := column{Column: sift.Column{Name: name, Kind: sift.Text}}
		if parts[2] != "" {
			c.Kind = sift.Kind(parts[2])
		}
		var err error
		if c.path, err = markup.CompilePath(parts[1]); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, c)
	}
	return out, nil
}

func (s *statement) column(name string) *column {
	i := slices.IndexFunc(s.columns, func(c column) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return &s.columns[i]
}
