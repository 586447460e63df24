package files

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"gantry/connectors/markup"
	"gantry/connectors/sift"
)

// column is a column of a query, or of a written file.
type column struct {
	name   string
	source string // a header, or one of the pseudo columns
	number int    // of a column by position, from 1
	at     int    // of fixed width, from 1
	width  int
	path   *markup.Path // of XML
	kind   sift.Kind
	member string // the list whose members have it; "": the record
}

// sifted is the column as filters and orders see it.
func (c *column) sifted() sift.Column { return sift.Column{Name: c.name, Kind: c.kind} }

// The columns that every file has.
const (
	sourceFile     = "$file"
	sourceLine     = "$line"
	sourceModified = "$modified"
)

func (c column) pseudo() bool {
	return c.source == sourceFile || c.source == sourceLine || c.source == sourceModified
}

var (
	columnName = regexp.MustCompile(`^[a-z_][a-z0-9_$#]*$`)
	columnSpec = regexp.MustCompile(`^(.+?)(?: as (text|integer|decimal|boolean|date|datetime))?$`)
	position   = regexp.MustCompile(`^#([1-9][0-9]{0,3})$`)
)

func (m *members) columns(at string, v any) []column {
	specs, ok := v.(map[string]any)
	if !ok || len(specs) == 0 {
		m.problem("%s: says which columns there are, and where in the file each of them is", at)
		return nil
	}
	var out []column
	for _, name := range slices.Sorted(maps.Keys(specs)) {
		c, err := m.column(name, specs[name])
		if err != nil || !columnName.MatchString(name) {
			m.problem("%s: %s: %w", at, name, orName(err))
		}
		out = append(out, c)
	}
	return out
}

func orName(err error) error {
	if err == nil {
		return fmt.Errorf("a column's name has small letters, digits and _")
	}
	return err
}

func (m *members) column(name string, spec any) (column, error) {
	c := column{name: name, kind: sift.Text}
	switch spec := spec.(type) {
	case string:
		parts := columnSpec.FindStringSubmatch(spec)
		if parts == nil {
			return c, fmt.Errorf("must be a header, #1, or $file, $line or $modified, with or without `as` and a kind")
		}
		c.source = parts[1]
		if parts[2] != "" {
			c.kind = sift.Kind(parts[2])
		}
	case map[string]any:
		if err := c.fixed(spec); err != nil {
			return c, err
		}
	default:
		return c, fmt.Errorf("must be a text, or have at and width")
	}
	return c, c.check(m.s.layout.format)
}

// fixed reads the place of a column in a line of fixed width.
func (c *column) fixed(spec map[string]any) error {
	for key, v := range spec {
		n, isNumber := whole(v)
		word, _ := v.(string)
		switch {
		case key == "at" && isNumber && n > 0 && n <= maxRecord:
			c.at = n
		case key == "width" && isNumber && n > 0 && n <= maxRecord:
			c.width = n
		case key == "as" && sift.IsKind(word):
			c.kind = sift.Kind(word)
		default:
			return fmt.Errorf("has at and width, from 1, and may have `as`; not %s: %v", key, v)
		}
	}
	if c.at == 0 || c.width == 0 {
		return fmt.Errorf("has at and width")
	}
	return nil
}

func whole(v any) (int, bool) {
	n, err := strconv.Atoi(fmt.Sprint(v))
	return n, err == nil
}

// check judges a column by the file's format.
func (c *column) check(f format) error {
	switch c.source {
	case sourceFile:
		c.kind = sift.Text
		return nil
	case sourceLine:
		c.kind = sift.Integer
		return nil
	case sourceModified:
		c.kind = sift.Datetime
		return nil
	}
	switch f {
	case formatFixed:
		if c.at == 0 {
			return fmt.Errorf("a column of fixed width has at and width")
		}
	case formatXML:
		var err error
		c.path, err = markup.CompilePath(c.source)
		return err
	default:
		if c.at != 0 {
			return fmt.Errorf("at and width are for fixed width")
		}
		if found := position.FindStringSubmatch(c.source); found != nil {
			c.number, _ = strconv.Atoi(found[1]) // the expression lets nothing else through
		}
	}
	return nil
}
