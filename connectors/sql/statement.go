package sqldriver

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// statement is a definition's SQL, taken apart once and rendered many times.
type statement struct {
	dialect dialect
	pieces  []piece
	params  []string
	returns bool   // it gives rows
	wraps   bool   // it can stand in SELECT * FROM (…)
	key     string // the column in which an effect reports the generated key (MySQL); empty: none
}

// Params implements connectors.Statement.
func (s *statement) Params() []string { return s.params }

// maxStatement bounds a definition's statement, in bytes.
const maxStatement = 256 << 10

// compile checks the native members of a step: sql, and last_insert_id for MySQL.
func compile(d dialect, native map[string]any) (*statement, error) {
	s := &statement{dialect: d}
	var source string
	for name, value := range native {
		text, ok := value.(string)
		if !ok {
			return nil, fmt.Errorf("%s: expected text, found %T", name, value)
		}
		switch {
		case name == "sql":
			source = text
		case name == "last_insert_id" && !d.reportsKeys():
			return nil, fmt.Errorf("last_insert_id: %s has RETURNING or OUTPUT for that", d.name())
		case name == "last_insert_id" && !plainName.MatchString(text):
			return nil, fmt.Errorf("last_insert_id: %q is no plain column name", text)
		case name == "last_insert_id":
			s.key = strings.ToLower(text)
		default:
			return nil, fmt.Errorf("%s: the sql driver knows no such member; it has sql and last_insert_id", name)
		}
	}
	if len(source) > maxStatement {
		return nil, fmt.Errorf("sql: longer than %d bytes", maxStatement)
	}
	return s, s.parse(source)
}

func (s *statement) parse(source string) error {
	parts, err := lex(source, s.dialect.lexis())
	if err != nil {
		return fmt.Errorf("sql: %w", err)
	}
	s.pieces = parts.pieces
	for _, p := range s.pieces {
		if p.param != "" && !slices.Contains(s.params, p.param) {
			s.params = append(s.params, p.param)
		}
	}
	s.returns = returnsRows(parts.words)
	s.wraps = s.dialect.nests(parts.words[0])
	return nil
}

// returnsRows tells by its words whether a statement gives rows. A word inside of a name in quotes does not count.
func returnsRows(words []string) bool {
	switch words[0] {
	case "select", "values", "table", "show", "pragma", "explain":
		return true
	case "with":
		return !slices.ContainsFunc(words, isEffect) || slices.Contains(words, "returning")
	}
	return slices.Contains(words, "returning") || slices.Contains(words, "output")
}

func isEffect(word string) bool {
	return word == "insert" || word == "update" || word == "delete" || word == "merge"
}

// plainName is what a column of a filter or an order may be called: nothing that would need escaping.
var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_$#]{0,127}$`)
