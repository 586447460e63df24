package files

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gantry/connectors"
	"gantry/connectors/markup"
)

// statement is a query, which has `files`, or a write, which has `write`.
type statement struct {
	folders []option
	pattern option
	layout  layoutSpec
	columns []column // sorted by name; of a write in the order of the file
	params  []string
	lists   map[string][]string

	// Of a query.
	newest   bool
	byTime   bool
	settle   time.Duration
	marker   option
	pending  option
	unique   []string
	group    []string
	where    map[string]option
	errors   option
	archive  option
	ordinals map[string]int // column to its place in columns

	// Of a write.
	writes bool
	sent   option
	absent option
	each   string
	result []string
}

var _ connectors.Deep = (*statement)(nil)

// Params implements connectors.Statement.
func (s *statement) Params() []string { return s.params }

// Lists implements connectors.Deep.
func (s *statement) Lists() map[string][]string { return s.lists }

const defaultSettle = 2 * time.Second

var (
	layoutMembers = []string{"compression", "dates", "datetimes", "decimal", "encoding", "format", "header", "quotes", "records", "separator", "skip", "trailer"}
	queryMembers  = []string{"archive", "columns", "errors", "files", "folder", "group", "marker", "pending", "settle", "show", "sort", "unique", "where"}
	writeMembers  = []string{"absent", "columns", "document", "each", "folder", "newline", "result", "sent", "write"}
)

func compile(native map[string]any) (*statement, error) {
	s := &statement{writes: native["write"] != nil, lists: map[string][]string{}}
	own := queryMembers
	if s.writes {
		own = writeMembers
	}
	for _, name := range slices.Sorted(maps.Keys(native)) {
		if !slices.Contains(own, name) && !slices.Contains(layoutMembers, name) {
			return nil, fmt.Errorf("%s: a query has %s; a write has %s; both have %s", name,
				strings.Join(queryMembers, ", "), strings.Join(writeMembers, ", "), strings.Join(layoutMembers, ", "))
		}
	}
	m := members{native: native, s: s}
	m.layout()
	m.folder()
	if s.writes {
		m.write()
	} else {
		m.query()
	}
	if len(m.problems) > 0 {
		return nil, errors.Join(m.problems...)
	}
	return s, nil
}

// members reads the members of a step, and gathers what is wrong with them.
type members struct {
	native   map[string]any
	s        *statement
	problems []error
}

func (m *members) problem(format string, args ...any) {
	m.problems = append(m.problems, fmt.Errorf(format, args...))
}

// option reads a member that is a text or a parameter.
func (m *members) option(name, otherwise string) option {
	v, there := m.native[name]
	if !there || v == nil {
		return option{literal: otherwise}
	}
	o, err := m.s.option(v)
	if err != nil {
		m.problem("%s: %w", name, err)
	}
	return o
}

func (m *members) words(name string) []string {
	v, there := m.native[name]
	if !there || v == nil {
		return nil
	}
	items, ok := v.([]any)
	var out []string
	for _, item := range items {
		word, isText := item.(string)
		ok = ok && isText
		out = append(out, word)
	}
	if !ok || len(out) == 0 {
		m.problem("%s: must be a list of names", name)
	}
	return out
}

// word reads a member that is one of a few words; the first is the default.
func (m *members) word(name string, values ...string) string {
	v, there := m.native[name]
	if !there {
		return values[0]
	}
	word, _ := v.(string)
	if !slices.Contains(values, word) {
		m.problem("%s: must be one of: %s", name, strings.Join(values, ", "))
	}
	return word
}

func (m *members) folder() {
	items, many := m.native["folder"].([]any)
	if !many {
		items = []any{m.native["folder"]}
	}
	if m.native["folder"] == nil {
		items = []any{"."}
	}
	for _, item := range items {
		o, err := m.s.option(item)
		if _, local := cleanFolder(o.literal); err != nil || !local || len(o.parts) > 0 {
			m.problem("folder: must be the name of a folder below that of the login, or a list of them")
		}
		m.s.folders = append(m.s.folders, o)
	}
	if len(m.s.folders) > 8 || len(m.s.folders) == 0 || m.s.writes && len(m.s.folders) != 1 {
		m.problem("folder: a query has up to eight, a write has one")
	}
}

func (m *members) query() {
	s := m.s
	s.pattern = m.option("files", "")
	if s.pattern.empty() {
		m.problem("files: says which files are read: items_*.csv")
	}
	s.newest = m.word("show", "newest", "all") == "newest"
	s.byTime = m.word("sort", "name", "modified") == "modified"
	s.marker, s.pending = m.option("marker", ""), m.option("pending", "")
	s.errors, s.archive = m.option("errors", ""), m.option("archive", "")
	s.settle = defaultSettle
	if v, there := m.native["settle"]; there {
		var err error
		if s.settle, err = time.ParseDuration(fmt.Sprint(v)); err != nil || s.settle < 0 || s.settle > 10*time.Minute {
			m.problem("settle: must be a time such as 2s, up to 10m")
		}
	}
	s.columns = m.columns("columns", m.native["columns"])
	slices.SortFunc(s.columns, func(a, b column) int { return strings.Compare(a.name, b.name) })
	s.ordinals = map[string]int{}
	for i, c := range s.columns {
		s.ordinals[c.name] = i
	}
	s.unique, s.group = m.ownColumns("unique"), m.ownColumns("group")
	m.where()
}

// ownColumns reads a list of columns of the query's own.
func (m *members) ownColumns(name string) []string {
	words := m.words(name)
	for _, word := range words {
		if _, known := m.s.ordinals[word]; !known {
			m.problem("%s: there is no column %q", name, word)
		}
	}
	return words
}

func (m *members) where() {
	v, there := m.native["where"]
	if !there {
		return
	}
	conditions, ok := v.(map[string]any)
	m.s.where = map[string]option{}
	for _, name := range slices.Sorted(maps.Keys(conditions)) {
		o, err := m.s.option(conditions[name])
		if _, known := m.s.ordinals[name]; err != nil || !known {
			m.problem("where: %s: must be a column of the query, with a value or a parameter", name)
		}
		m.s.where[name] = o
	}
	if !ok {
		m.problem("where: maps columns to what they must be")
	}
}

func (m *members) write() {
	s := m.s
	s.pattern, s.sent, s.absent = m.option("write", ""), m.option("sent", ""), m.option("absent", "")
	if len(s.pattern.parts) == 0 {
		m.problem("write: must be a name with a parameter in it, so that each file has a name of its own: PO_{number}.csv")
	}
	if strings.ContainsAny(s.pattern.fixed(), `*?/\:`) {
		m.problem("write: a name has no folder and no wildcard")
	}
	s.layout.newline = m.word("newline", "crlf", "lf")
	if s.layout.format == formatXML {
		m.document()
		return
	}
	if m.native["document"] != nil {
		m.problem("document: is the whole file of `format: xml`")
	}
	s.columns = m.columns("columns", m.native["columns"])
	m.each()
	m.sequence()
	for _, c := range s.columns {
		if c.member == "" {
			s.need(c.name)
		}
	}
	m.result(func(name string) bool {
		return slices.ContainsFunc(s.columns, func(c column) bool { return c.name == name && c.member == "" })
	})
}

// result reads which of the written values the effect gives back.
func (m *members) result(written func(name string) bool) {
	m.s.result = m.words("result")
	for _, name := range m.s.result {
		if !written(name) {
			m.problem("result: the file has no %q", name)
		}
	}
}

// document reads the element that a file of XML is.
func (m *members) document() {
	for _, name := range []string{"columns", "compression", "each", "header", "quotes", "records", "separator", "skip"} {
		if m.native[name] != nil {
			m.problem("%s: a written file of XML is its `document`, and has no %s", name, name)
		}
	}
	text, _ := m.native["document"].(string)
	t, err := markup.CompileTemplate(text, markup.Grammar{})
	if err != nil {
		m.problem("document: %w", err)
		return
	}
	s := m.s
	s.layout.document, s.layout.written = t, text
	for _, name := range t.Params {
		s.need(name)
	}
	maps.Copy(s.lists, t.Lists)
	m.result(func(name string) bool { return slices.Contains(t.Params, name) })
}

// each reads the part of a line that stands for a list's member.
func (m *members) each() {
	v, there := m.native["each"]
	if !there {
		return
	}
	part, _ := v.(map[string]any)
	list, _ := part["list"].(string)
	if list == "" || len(part) != 2 {
		m.problem("each: names a `list` of the input, and has `columns`")
		return
	}
	m.s.each = list
	m.s.lists[list] = nil
	for _, c := range m.columns("each: columns", part["columns"]) {
		c.member = list
		m.s.columns = append(m.s.columns, c)
		m.s.lists[list] = append(m.s.lists[list], c.name)
	}
}

// sequence puts a write's columns into the order of the file.
func (m *members) sequence() {
	s := m.s
	if s.layout.format == formatFixed {
		slices.SortFunc(s.columns, func(a, b column) int { return a.at - b.at })
		for i := 1; i < len(s.columns); i++ {
			if s.columns[i-1].at+s.columns[i-1].width > s.columns[i].at {
				m.problem("columns: %s and %s overlap", s.columns[i-1].name, s.columns[i].name)
			}
		}
		return
	}
	names := s.layout.names
	if len(names) == 0 {
		m.problem("header: lists the columns of the file in their order")
		return
	}
	ordered := make([]column, 0, len(names))
	for _, name := range names {
		i := slices.IndexFunc(s.columns, func(c column) bool { return c.source == name })
		if i < 0 {
			m.problem("header: no column of the write is %q", name)
			continue
		}
		ordered = append(ordered, s.columns[i])
	}
	if len(ordered) != len(s.columns) {
		m.problem("columns: each of them must stand in `header`, once")
	}
	s.columns = ordered
}

// need notes a parameter.
func (s *statement) need(name string) {
	if !slices.Contains(s.params, name) {
		s.params = append(s.params, name)
	}
}
