package sqldriver

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gantry/connectors"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write testdata anew")

// TestRenderedStatements compares what each dialect is sent with testdata. For SQL Server and Oracle, of which there is
// no server here, the proof is that a person has read those files, and that H2 understands them: see h2_test.go.
func TestRenderedStatements(t *testing.T) {
	modified := time.Date(2026, 3, 29, 2, 30, 0, 500_000_000, time.UTC)
	for _, d := range dialects() {
		t.Run(d.name(), func(t *testing.T) {
			s, err := compile(d, map[string]any{"sql": "SELECT po_id, modified FROM po WHERE site = :site OR :site IS NULL"})
			if err != nil {
				t.Fatal(err)
			}
			vars := connectors.Vars{"site": "N'1"}
			var out strings.Builder
			for _, test := range []struct {
				name string
				read connectors.Read
			}{
				{"as it is", connectors.Read{}},
				{"first page", connectors.Read{OrderBy: []string{"modified", "po_id"}, Limit: 501}},
				{"next page", connectors.Read{OrderBy: []string{"modified", "po_id"}, After: []any{modified, int64(7)}, Limit: 501}},
				{"three keys", connectors.Read{OrderBy: []string{"a", "b", "c"}, After: []any{int64(1), "x", true}, Limit: 2}},
				{"one key", connectors.Read{OrderBy: []string{"po_id"}, After: []any{int64(7)}, Limit: 2}},
				{"filters", connectors.Read{Filters: []connectors.Filter{
					{Column: "status", Op: connectors.Equal, Values: []any{int64(1), int64(2), nil}},
					{Column: "modified", Op: connectors.Greater, Values: []any{modified}},
					{Column: "modified", Op: connectors.LessOrEqual, Values: []any{modified.Add(time.Second / 2)}},
					{Column: "vendor", Op: connectors.Equal, Values: []any{nil}},
					{Column: "buyer", Op: connectors.Equal},
				}}},
			} {
				test.read.Statement, test.read.Vars = s, vars
				q, err := renderRead(test.read)
				if err != nil {
					t.Fatalf("%s: %v", test.name, err)
				}
				fmt.Fprintf(&out, "-- %s\n%s;\n-- %v\n\n", test.name, q.text.String(), q.args)
			}
			compareGolden(t, filepath.Join("testdata", d.name()+".sql"), out.String())
		})
	}
}

func compareGolden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is not what is sent now (go test -update writes it; -want +got):\n%s", path, diff)
	}
}

func TestManyValuesAreSplit(t *testing.T) {
	s, err := compile(oracle{}, map[string]any{"sql": "SELECT a FROM b"})
	if err != nil {
		t.Fatal(err)
	}
	values := make([]any, 2500)
	for i := range values {
		values[i] = int64(i)
	}
	filter := []connectors.Filter{{Column: "a", Op: connectors.Equal, Values: values}}
	q, err := renderRead(connectors.Read{Statement: s, Filters: filter})
	if err != nil {
		t.Fatal(err)
	}
	if lists := strings.Count(q.text.String(), " IN ("); lists != 3 || len(q.args) != 2500 {
		t.Errorf("%d lists with %d values", lists, len(q.args))
	}
	s.dialect = sqlServer{}
	if _, err := renderRead(connectors.Read{Statement: s, Filters: filter}); err == nil {
		t.Error("SQL Server takes 2100 parameters, and is sent 2500")
	}
}

func TestCompileExplains(t *testing.T) {
	for _, test := range []struct {
		name, dialect string
		native        map[string]any
		says          string
	}{
		{"unknown dialect", "db2", map[string]any{"sql": "SELECT 1"}, `not "db2"`},
		{"unknown member", "postgres", map[string]any{"sql": "SELECT 1", "url": "x"}, "url: the sql driver knows no such member"},
		{"not text", "postgres", map[string]any{"sql": 1}, "sql: expected text, found int"},
		{"no sql", "postgres", map[string]any{}, "sql: the statement is empty"},
		{"key elsewhere", "postgres", map[string]any{"sql": "SELECT 1", "last_insert_id": "id"}, "last_insert_id: postgres has RETURNING"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Driver{}.Compile(test.dialect, test.native)
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, expected %q", err, test.says)
			}
		})
	}
}

func TestStatementsThatReturnRows(t *testing.T) {
	for sql, want := range map[string]bool{
		"SELECT 1":                             true,
		"WITH a AS (SELECT 1) SELECT * FROM a": true,
		"WITH a AS (SELECT 1) DELETE FROM b":   false,
		"INSERT INTO a VALUES (1) RETURNING b": true,
		"INSERT INTO a VALUES ('returning')":   false,
		"INSERT INTO [output] VALUES (1)":      false,
		"UPDATE a SET b = 1":                   false,
	} {
		s, err := compile(sqlServer{}, map[string]any{"sql": sql})
		if err != nil || s.returns != want {
			t.Errorf("%s: returns rows %v (%v), expected %v", sql, s.returns, err, want)
		}
	}
}
