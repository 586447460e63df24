// Package scaffold writes the first version of a definition, for a technician who maps a system of the plant's own: a file
// that passes the linter, with every canonical field of the entity in it, to be filled in from the top.
//
// It asks no system anything, and what it writes maps only the record's key until somebody names the columns.
package scaffold

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"time"

	"gantry/connectors"
	"gantry/connectors/entity"
)

//go:embed sql.yaml.tmpl
var sqlText string

// EditorSchema is the file, beside a definition, that its first line names to editors.
const EditorSchema = "definition.schema.json"

var sqlTemplate = template.Must(template.New("sql").Parse(sqlText))

// Dialects are those of SQL that a definition can be begun for, by the layer that it stands on.
func Dialects() []string { return []string{"postgres", "mysql", "sqlserver", "oracle", "sqlite"} }

// Wish is the definition that is wanted.
type Wish struct {
	ID      string   // of the system
	Dialect string   // one of Dialects
	Entity  string   // a canonical one
	Table   string   // or view, as SQL writes it: dbo.WorkOrder
	Key     string   // its key's column
	Columns []Column // of the table, where somebody has looked; nil: the key alone is selected
}

// Column is one that the table has.
type Column struct {
	Name string
	Kind string // native, as definitions have it: integer, string, datetime …; "": not known
}

// ColumnsOf tells a row's columns, by name.
func ColumnsOf(row connectors.Row) (all []Column) {
	for _, name := range slices.Sorted(maps.Keys(row)) {
		all = append(all, Column{name, kind(row[name])})
	}
	return all
}

// kind says what a native value is.
func kind(value any) string {
	switch value.(type) {
	case bool:
		return "boolean"
	case int64:
		return "integer"
	case float64:
		return "float"
	case string:
		return "string"
	case time.Time:
		return "datetime"
	}
	return ""
}

// Selected is what the list selects.
func (w Wish) Selected() string {
	names := []string{w.Key}
	for _, c := range w.Columns {
		if !strings.EqualFold(c.Name, w.Key) {
			names = append(names, c.Name)
		}
	}
	return strings.Join(names, ", ")
}

// KeyColumn is the key's column as definitions have it: the driver gives all names in lower case.
func (w Wish) KeyColumn() string { return strings.ToLower(w.Key) }

// KeyType is what the key holds.
func (w Wish) KeyType() string {
	for _, c := range w.Columns {
		if strings.EqualFold(c.Name, w.Key) && c.Kind == "string" {
			return "string"
		}
	}
	return "integer"
}

// The forms of names. A table may have a schema before it, and a dialect's quotes around its parts.
var (
	idForm    = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	tableForm = regexp.MustCompile(`^[A-Za-z0-9_$#.\[\]"` + "`" + `]{1,200}$`)
)

// SQL writes a definition for a database.
func SQL(w Wish) ([]byte, error) {
	e, known := entity.Lookup(w.Entity)
	switch {
	case w.Dialect == "" || w.Entity == "" || w.Table == "":
		return nil, errors.New("the dialect, the entity and the table are needed")
	case !idForm.MatchString(w.ID):
		return nil, fmt.Errorf("the id %q is not of lower-case words, digits and dashes, such as our-mes", w.ID)
	case !slices.Contains(Dialects(), w.Dialect):
		return nil, fmt.Errorf("there is no dialect %q: %s", w.Dialect, strings.Join(Dialects(), ", "))
	case !known:
		return nil, fmt.Errorf("there is no entity %q: %s", w.Entity, strings.Join(entities(), ", "))
	case !tableForm.MatchString(w.Table), !tableForm.MatchString(w.Key):
		return nil, fmt.Errorf("%q and %q are no names of a table and of a column", w.Table, w.Key)
	}
	var b bytes.Buffer
	err := sqlTemplate.Execute(&b, struct {
		Wish
		Schema, Title string
		Fields        []row
		Lists         []string
	}{w, EditorSchema, e.Title, rows(e.Fields), lists(e.Fields)})
	return b.Bytes(), err
}

func entities() (names []string) {
	for _, e := range entity.Catalogue() {
		names = append(names, e.Name)
	}
	return names
}

// row is the line of one field that is to be mapped.
type row struct{ Name, Mapping, Hint string }

func rows(fields []*entity.Field) (all []row) {
	for _, f := range fields {
		all = append(all, rowOf(f))
	}
	return all
}

// lists are the fields whose rows are read by a statement of their own.
func lists(fields []*entity.Field) (names []string) {
	for _, f := range fields {
		if f.Type == entity.List {
			names = append(names, f.Name)
		}
	}
	return names
}

// rowOf writes a field as it could be mapped, and says what it is.
func rowOf(f *entity.Field) row {
	const column = "COLUMN"
	switch f.Type {
	case entity.Status:
		return row{f.Name, "{from: " + column + ", enum: {NATIVE_CODE: " + f.Values[0] + "}}", strings.Join(f.Values, ", ")}
	case entity.Enum:
		return row{f.Name, "{from: " + column + ", enum: {NATIVE_CODE: " + f.Values[0] + "}}", strings.Join(f.Values, ", ")}
	case entity.Datetime:
		return row{f.Name, "{from: " + column + `, native: datetime, tz: "${login.timezone}"}`, "a moment; native: instant where the column has a zone, text_datetime where it is a text"}
	case entity.Date:
		return row{f.Name, "{from: " + column + ", native: date}", "a day"}
	case entity.Ref:
		return row{f.Name, "{from: " + column + ", native: integer}", "the id of one of " + f.Ref + "; native: string where it is a text"}
	case entity.Object:
		return row{f.Name, "{fields: {" + f.Fields[0].Name + ": {from: " + column + "}}}", "of: " + names(f.Fields)}
	case entity.List:
		return row{f.Name, "{from: " + f.Name + ", fields: {" + f.Fields[0].Name + ": {from: " + column + "}}}", "the rows of `children` above, of: " + names(f.Fields)}
	}
	return row{f.Name, "{from: " + column + "}", string(f.Type)}
}

func names(fields []*entity.Field) string {
	all := make([]string, len(fields))
	for i, f := range fields {
		all[i] = f.Name
	}
	return strings.Join(all, ", ")
}
