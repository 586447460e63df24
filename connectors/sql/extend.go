package sqldriver

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"gantry/connectors"
)

var _ connectors.Extender = Driver{}

// source is the table of an entity's records, by a definition's `discover`.
type source struct {
	dialect dialect
	table   string            // as SQL has it: the definition's own text
	key     map[string]string // by the statements' column, the table's
}

var tableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_$#]*(\.[A-Za-z_][A-Za-z0-9_$#]*)?$`)

// readSource reads `table` and `key` of a definition's discover.
func readSource(d dialect, discover map[string]any) (*source, error) {
	s := &source{dialect: d, key: map[string]string{}}
	for name, v := range discover {
		switch name {
		case "table":
			if s.table, _ = v.(string); !tableName.MatchString(s.table) {
				return nil, fmt.Errorf("discover: table: %v is no name of a table, nor schema.table", v)
			}
		case "key":
			columns, _ := v.(map[string]any)
			for column, of := range columns {
				if s.key[column], _ = of.(string); !plainName.MatchString(s.key[column]) || !plainName.MatchString(column) {
					return nil, fmt.Errorf("discover: key: %s: %v is no plain name of a column", column, of)
				}
			}
		case "sql":
		default:
			return nil, fmt.Errorf("discover: %s: the sql driver knows no such member; it has table, key and sql", name)
		}
	}
	if s.table == "" {
		return nil, errors.New("discover: names no table")
	}
	return s, nil
}

// ExtendQuery implements connectors.Extender: the table is joined to the statement, record by record over the key.
//
//	SELECT q.*, x."Shelf" AS "x_shelf" FROM (<statement>) q LEFT JOIN item x ON x."item_no" = q."item_no"
//
// The names of columns are those that the system gave, in its own quotes.
func (Driver) ExtendQuery(x connectors.Extension, native map[string]any) (map[string]any, bool, error) {
	s, own, err := extending(x, native)
	if err != nil {
		return nil, false, err
	}
	if !own.wraps {
		return nil, false, errors.New("the statement cannot stand in another one, so that no columns can be joined to it: it must begin with SELECT")
	}
	var b strings.Builder
	b.WriteString("SELECT q.*")
	for _, c := range x.Columns {
		name, err := s.column(c.Name)
		if err != nil {
			return nil, false, err
		}
		fmt.Fprintf(&b, ", x.%s AS %s", name, s.dialect.quote(c.Alias))
	}
	fmt.Fprintf(&b, " FROM (\n%s\n) q LEFT JOIN %s x", native["sql"], s.table)
	for i, key := range x.Key {
		fmt.Fprintf(&b, "%sx.%s = q.%s", pick(i == 0, " ON ", " AND "), s.dialect.quote(s.keyColumn(key)), s.dialect.quote(key))
	}
	return map[string]any{"sql": b.String()}, true, nil
}

// ExtendWrite implements connectors.Extender: each column gets its value by a statement of its own, in the same transaction, behind
// those of the definition.
func (Driver) ExtendWrite(x connectors.Extension, steps []map[string]any) (extended, after []map[string]any, err error) {
	s, _, err := extending(x, nil)
	if err != nil {
		return nil, nil, err
	}
	for _, c := range x.Columns {
		name, err := s.column(c.Name)
		if err != nil {
			return nil, nil, err
		}
		var b strings.Builder
		fmt.Fprintf(&b, "UPDATE %s SET %s = :%s", s.table, name, c.Alias)
		for i, key := range x.Key {
			fmt.Fprintf(&b, "%s%s = :%s", pick(i == 0, " WHERE ", " AND "), s.dialect.quote(s.keyColumn(key)), key)
		}
		after = append(after, map[string]any{"sql": b.String()})
	}
	return steps, after, nil
}

// extending checks what all extensions need; native nil: no statement is asked for.
func extending(x connectors.Extension, native map[string]any) (*source, *statement, error) {
	d, ok := findDialect(x.Dialect)
	if !ok {
		return nil, nil, connectors.CheckDialect(Driver{}, x.Dialect)
	}
	s, err := readSource(d, x.Discover)
	if err != nil {
		return nil, nil, err
	}
	for _, key := range x.Key {
		if !plainName.MatchString(key) {
			return nil, nil, fmt.Errorf("%q is no plain column name", key)
		}
	}
	if native == nil {
		return s, nil, nil
	}
	own, err := compile(d, native)
	return s, own, err
}

func (s *source) keyColumn(of string) string {
	if own, there := s.key[of]; there {
		return own
	}
	return of
}

// column quotes a name of the system's. One that could end its own quotes is never carried.
func (s *source) column(name string) (string, error) {
	bad := func(c rune) bool { return strings.ContainsRune("\"'`[]\\;", c) || !unicode.IsPrint(c) }
	if name == "" || len(name) > 128 || strings.ContainsFunc(name, bad) {
		return "", fmt.Errorf("%q cannot be carried as the name of a column", name)
	}
	return s.dialect.exact(name), nil
}

// carried reports whether a column found in the system can be mapped at all.
func (s *source) carried(name string) bool {
	_, err := s.column(name)
	return err == nil
}
