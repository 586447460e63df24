package scaffold_test

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"gantry/connectors"
	"gantry/connectors/catalogue"
	"gantry/connectors/definition"
	"gantry/connectors/entity"
	"gantry/connectors/scaffold"
	sqldriver "gantry/connectors/sql"
)

// TestEveryBeginningIsSound lints what is written for every entity and dialect.
func TestEveryBeginningIsSound(t *testing.T) {
	files := map[string][]byte{}
	for _, dialect := range scaffold.Dialects() {
		for _, e := range entity.Catalogue() {
			id := e.Name + "-" + dialect
			files[id+".yaml"] = begun(t, id, dialect, e.Name)
		}
	}
	if problems := lint(t, files); len(problems) > 0 {
		t.Error(problems)
	}
}

// TestEveryLineCanBeTaken takes the # away from each field's line alone, names a column, and lints that.
func TestEveryLineCanBeTaken(t *testing.T) {
	commented := regexp.MustCompile(`(?m)^      # ([a-z_]+: \{.*)$`)
	files := map[string][]byte{}
	for _, e := range entity.Catalogue() {
		lines := commented.FindAllString(string(begun(t, "any", "postgres", e.Name)), -1)
		if len(lines) < len(e.Fields) {
			t.Fatalf("%s: %d lines for %d fields", e.Name, len(lines), len(e.Fields))
		}
		for i, line := range lines {
			id := fmt.Sprintf("%s-%d", e.Name, i)
			taken := strings.Replace(strings.Replace(line, "# ", "", 1), "COLUMN", "c", 1)
			text := strings.Replace(string(begun(t, id, "postgres", e.Name)), line, taken, 1)
			if strings.Contains(line, "`children`") { // the statement that reads them is taken with it
				name, _, _ := strings.Cut(strings.TrimPrefix(taken, "      "), ":")
				text = strings.NewReplacer("# children:", "children:", "#   "+name+":", "  "+name+":", "PARENT_COLUMN", "thing", "LINE_COLUMN", "line").Replace(text)
			}
			files[id+".yaml"] = []byte(strings.Replace(text, "SELECT thing_id", "SELECT thing_id, c", 1))
		}
	}
	if problems := lint(t, files); len(problems) > 0 {
		t.Error(problems)
	}
}

func begun(t *testing.T, id, dialect, entity string) []byte {
	t.Helper()
	text, err := scaffold.SQL(scaffold.Wish{ID: id, Dialect: dialect, Entity: entity, Table: "dbo.Things", Key: "thing_id"})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// lint checks files over the layers of SQL.
func lint(t *testing.T, files map[string][]byte) definition.Problems {
	t.Helper()
	layers, err := fs.Glob(catalogue.FS, "base/sql*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range layers {
		if files[name], err = fs.ReadFile(catalogue.FS, name); err != nil {
			t.Fatal(err)
		}
	}
	return definition.Lint([]connectors.Driver{sqldriver.Driver{}}, files)
}

func TestNamesAreChecked(t *testing.T) {
	good := scaffold.Wish{ID: "our-mes", Dialect: "postgres", Entity: "items", Table: "things", Key: "id"}
	for name, change := range map[string]func(*scaffold.Wish){
		"id":      func(w *scaffold.Wish) { w.ID = "Our MES" },
		"dialect": func(w *scaffold.Wish) { w.Dialect = "db2" },
		"entity":  func(w *scaffold.Wish) { w.Entity = "things" },
		"table":   func(w *scaffold.Wish) { w.Table = "things; DROP TABLE things" },
		"key":     func(w *scaffold.Wish) { w.Key = "id}\nsql: x" },
	} {
		w := good
		change(&w)
		if _, err := scaffold.SQL(w); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
