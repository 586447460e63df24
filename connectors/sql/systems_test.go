package sqldriver

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"gantry/connectors"
	"gantry/connectors/catalogue"
	"gantry/connectors/definition"
	"gantry/connectors/engine"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// onlyH2 is the driver, with H2 in a product's mode for a server.
type onlyH2 struct{ d onH2 }

// Name implements connectors.Driver.
func (onlyH2) Name() string { return Driver{}.Name() }

func (onlyH2) Specification() connectors.Specification { return connectors.Specification{} }

// Compile implements connectors.Driver.
func (o onlyH2) Compile(_ string, native map[string]any) (connectors.Statement, error) {
	return compile(o.d, native)
}

// Open implements connectors.Driver.
func (o onlyH2) Open(_ context.Context, t connectors.Target) (connectors.Conn, error) {
	return open(o.d, address{}, t)
}

// TestSystemsOnH2 reads systems whose databases cannot be had here, over tables made as the vendors' documents list them
// (testdata/systems): whatever their definitions read, in pages of two, and some of it filtered. Both dialects of one product must
// give the same records.
func TestSystemsOnH2(t *testing.T) {
	set, err := definition.Load(catalogue.FS)
	if err != nil {
		t.Fatal(err)
	}
	archives := map[string]string{"oracle-ebs": "oracle-ebs", "jde-oracle": "jde", "jde-sqlserver": "jde"}
	for _, d := range set.Systems() {
		if d.Metadata.Proved == "dialect" && archives[d.Metadata.ID] == "" {
			t.Errorf("%s says that its dialect is proved, and no archive shows it", d.Metadata.ID)
		}
	}
	for id, archive := range archives {
		t.Run(id, func(t *testing.T) { readSystem(t, set.Lookup(id), "testdata/systems/"+archive+".txtar") })
	}
}

func readSystem(t *testing.T, d *definition.Definition, path string) {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var e *engine.Engine
	seen := map[string]bool{}
	for i, f := range archive.Files {
		switch entity, query, _ := strings.Cut(f.Name, " "); entity {
		case "tables":
			e = systemOnH2(t, d, string(f.Data))
		default:
			seen[entity] = true
			got := listed(t, e, entity, query)
			if *update {
				archive.Files[i].Data = []byte(got)
			} else if diff := cmp.Diff(string(f.Data), got); diff != "" {
				t.Errorf("%s: -archive +got\n%s", f.Name, diff)
			}
		}
	}
	for name := range d.Entities {
		if !seen[name] {
			t.Errorf("the archive reads no %s", name)
		}
	}
	if *update {
		if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// systemOnH2 opens the definition over H2 with the archive's tables. Its first line holds the login's settings.
func systemOnH2(t *testing.T, d *definition.Definition, tables string) *engine.Engine {
	t.Helper()
	for _, emulated := range emulations() {
		if emulated.dialect.name() != d.Dialect {
			continue
		}
		session := onH2{emulated.dialect, startH2(t, emulated.settings)}
		first, statements, _ := strings.Cut(tables, "\n")
		for _, statement := range append(emulated.standIns, strings.Split(statements, ";\n")...) {
			if strings.TrimSpace(statement) == "" {
				continue
			}
			if err := session.session.run(statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
		var settings map[string]any
		decoder := json.NewDecoder(strings.NewReader(first))
		decoder.UseNumber()
		if err := decoder.Decode(&settings); err != nil {
			t.Fatal(err)
		}
		return opens(t, d, onlyH2{session}, settings)
	}
	t.Fatalf("no emulation of %s", d.Dialect)
	return nil
}

func opens(t *testing.T, d *definition.Definition, driver connectors.Driver, given map[string]any) *engine.Engine {
	t.Helper()
	for name, value := range map[string]string{"host": "db", "database": "x", "username": "gantry"} {
		given[name] = value
	}
	raw, err := json.Marshal(given)
	if err != nil {
		t.Fatal(err)
	}
	settings, _, err := d.Login.Split(raw, []byte(`{"password":"s3cret"}`))
	if err != nil {
		t.Fatal(err)
	}
	program, err := definition.Compile(d, []connectors.Driver{driver})
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.Open(t.Context(), program, engine.Options{Connection: "con_1", CursorKey: []byte("0123456789abcdef"), Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	if info, err := e.Check(t.Context()); err != nil || info.Version == "" {
		t.Errorf("the check gives %+v, %v", info, err)
	}
	return e
}

// listed reads a list page by page, and the first of its records by its id.
func listed(t *testing.T, e *engine.Engine, entity, query string) string {
	t.Helper()
	params, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	params.Set("limit", "2")
	var out bytes.Buffer
	for {
		page, err := e.List(t.Context(), entity, engine.Query{Params: params})
		if err != nil {
			return fmt.Sprintln(err)
		}
		for _, record := range page.Data {
			if one, err := e.Get(t.Context(), entity, record.ID, engine.Query{}); err != nil || !bytes.Equal(one.JSON, record.JSON) {
				t.Errorf("%s %s: %v\n%s\n%s", entity, record.ID, err, one.JSON, record.JSON)
			}
			if err := json.Indent(&out, record.JSON, "", "  "); err != nil {
				t.Fatal(err)
			}
			out.WriteByte('\n')
		}
		if !page.HasMore {
			return out.String()
		}
		params.Set("cursor", page.NextCursor)
	}
}
