package sqldriver

import (
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gantry/connectors"
	"gantry/connectors/catalogue"
	"gantry/connectors/conformance"
	"gantry/connectors/sql/sqltest"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// emulation is how H2 takes the place of a product that cannot be had here. It parses much of both languages. What it
// cannot show are the products' own types, locks, plans and messages, and how their client libraries carry values.
type emulation struct {
	dialect  dialect
	settings string
	table    string
	standIns []string          // for what a real server has from the start
	refuses  map[string]string // statements of the product that H2 does not know: why
}

func emulations() []emulation {
	return []emulation{
		{
			dialect:  sqlServer{},
			settings: "MODE=MSSQLServer;DATABASE_TO_UPPER=FALSE;CASE_INSENSITIVE_IDENTIFIERS=TRUE",
			table:    "CREATE TABLE part (part_id bigint PRIMARY KEY, name nvarchar(100) NOT NULL, price decimal(20,2), category varchar(10), modified datetime2(3) NOT NULL)",
			standIns: []string{`CREATE ALIAS SERVERPROPERTY AS 'String of(String name) { return "16.0.4085.2"; }'`},
			refuses: map[string]string{
				"INSERT INTO part (part_id, name, modified) OUTPUT inserted.part_id VALUES (900, 'x', '2026-01-01')": "H2 gives generated keys as SELECT … FROM FINAL TABLE (INSERT …) only",
			},
		},
		{
			dialect:  oracle{},
			settings: "MODE=Oracle;DEFAULT_NULL_ORDERING=HIGH",
			table:    "CREATE TABLE part (part_id NUMBER(19) PRIMARY KEY, name VARCHAR2(100 CHAR) NOT NULL, price NUMBER(20,2), category VARCHAR2(10), modified TIMESTAMP NOT NULL)",
			standIns: []string{"CREATE VIEW product_component_version AS SELECT '19.0.0.0.0' AS version FROM dual"},
			refuses: map[string]string{
				"SET TRANSACTION READ ONLY":          "H2 has no read-only transactions",
				"SELECT q'[it's]' AS text FROM dual": "H2 does not know Oracle's q quotes",
			},
		},
	}
}

// open gives H2 as if it were the product, with the suite's table, still empty.
func (e emulation) open(t *testing.T) (connectors.Conn, onH2) {
	t.Helper()
	d := onH2{e.dialect, startH2(t, e.settings)}
	for _, statement := range append(e.standIns, e.table) {
		if err := d.session.run(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return opened(t, d, connectors.Target{}), d
}

// reference gives a SQLite database with the same table.
func reference(t *testing.T) (connectors.Conn, dialect) {
	t.Helper()
	database := sqltest.SQLite(t).Database(t, "CREATE TABLE part (part_id INTEGER PRIMARY KEY, name TEXT NOT NULL, price TEXT, category TEXT, modified DATETIME NOT NULL)")
	return opened(t, sqlite{}, database.Target()), sqlite{}
}

func opened(t *testing.T, d dialect, target connectors.Target) connectors.Conn {
	t.Helper()
	a := address{}
	if target.Settings != nil {
		var err error
		if a, err = newAddress(target); err != nil {
			t.Fatal(err)
		}
	}
	c, err := open(d, a, target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func compiled(t *testing.T, d dialect, source string) *statement {
	t.Helper()
	s, err := compile(d, map[string]any{"sql": source})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// rowsOf reads everything that a query gives.
func rowsOf(t *testing.T, c connectors.Conn, r connectors.Read) (rows []connectors.Row) {
	t.Helper()
	for row, err := range c.Read(t.Context(), r) {
		if err != nil {
			t.Fatal(err)
		}
		kept := connectors.Row{}
		maps.Copy(kept, row)
		rows = append(rows, kept)
	}
	return rows
}

const insertPart = "INSERT INTO part (part_id, name, price, category, modified) VALUES (:part_id, :name, :price, :category, :modified)"

// fillParts writes the suite's parts through the driver.
func fillParts(t *testing.T, c connectors.Conn, d dialect) {
	t.Helper()
	insert := compiled(t, d, insertPart)
	commit(t, c, func(tx connectors.Tx) {
		for _, part := range conformance.Parts(conformance.PartCount) {
			expectEffect(t, tx, insert, connectors.Vars(part), 1)
		}
	})
}

func commit(t *testing.T, c connectors.Conn, work func(connectors.Tx)) {
	t.Helper()
	tx, err := c.Begin(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	work(tx)
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func expectEffect(t *testing.T, tx connectors.Tx, s *statement, vars connectors.Vars, rows int64) {
	t.Helper()
	effect, err := tx.Exec(t.Context(), s, vars)
	if err != nil {
		t.Fatal(err)
	}
	if effect.Affected != rows {
		t.Errorf("%d rows affected, expected %d", effect.Affected, rows)
	}
}

// reads are the queries that both must answer alike, with the number of rows that it takes to mean something.
func reads() map[string]struct {
	source string
	vars   connectors.Vars
	read   connectors.Read
	rows   int
} {
	type entry = struct {
		source string
		vars   connectors.Vars
		read   connectors.Read
		rows   int
	}
	const all = "SELECT part_id, name, price, category, modified FROM part -- all of them"
	const some = "SELECT part_id, name, category, modified FROM part WHERE category = :category OR :category IS NULL"
	modified := conformance.Parts(50)[49]["modified"].(time.Time)
	byKey := []string{"part_id"}
	one := func(column string, op connectors.Op, values ...any) []connectors.Filter {
		return []connectors.Filter{{Column: column, Op: op, Values: values}}
	}
	many := make([]any, 1500) // two IN lists
	for i := range many {
		many[i] = int64(2 * i)
	}
	return map[string]entry{
		"a parameter twice":          {some, connectors.Vars{"category": "c1"}, connectors.Read{OrderBy: byKey}, 24},
		"a parameter that is null":   {some, connectors.Vars{"category": nil}, connectors.Read{OrderBy: byKey}, 137},
		"first page":                 {all, nil, connectors.Read{OrderBy: []string{"modified", "part_id"}, Limit: 15}, 15},
		"next page":                  {all, nil, connectors.Read{OrderBy: []string{"modified", "part_id"}, After: []any{modified, int64(45)}, Limit: 15}, 15},
		"one key":                    {all, nil, connectors.Read{OrderBy: byKey, After: []any{int64(130)}}, 7},
		"three keys":                 {all, nil, connectors.Read{OrderBy: []string{"modified", "name", "part_id"}, After: []any{modified, "Größe 45's", int64(45)}, Limit: 4}, 4},
		"equal":                      {all, nil, connectors.Read{Filters: one("name", connectors.Equal, "Größe 7's"), OrderBy: byKey}, 1},
		"one of, or null":            {all, nil, connectors.Read{Filters: one("category", connectors.Equal, "c1", "c3", nil), OrderBy: byKey}, 67},
		"null":                       {all, nil, connectors.Read{Filters: one("category", connectors.Equal, nil), OrderBy: byKey}, 20},
		"no value at all":            {all, nil, connectors.Read{Filters: one("category", connectors.Equal), OrderBy: byKey}, 0},
		"more than one list":         {all, nil, connectors.Read{Filters: one("part_id", connectors.Equal, many...), OrderBy: byKey}, 68},
		"greater":                    {all, nil, connectors.Read{Filters: one("modified", connectors.Greater, modified), OrderBy: byKey}, 87},
		"greater or equal":           {all, nil, connectors.Read{Filters: one("modified", connectors.GreaterOrEqual, modified), OrderBy: byKey}, 97},
		"less":                       {all, nil, connectors.Read{Filters: one("modified", connectors.Less, modified), OrderBy: byKey}, 40},
		"less or equal":              {all, nil, connectors.Read{Filters: one("modified", connectors.LessOrEqual, modified), OrderBy: byKey}, 50},
		"filters, a page and a null": {some, connectors.Vars{"category": nil}, connectors.Read{Filters: append(one("modified", connectors.Greater, modified), one("category", connectors.Equal, nil, "c2")...), OrderBy: []string{"modified", "part_id"}, After: []any{modified, int64(3)}, Limit: 5}, 5},
	}
}

// TestReadsOnH2 runs what SQL Server and Oracle are sent, and compares the rows with SQLite's.
func TestReadsOnH2(t *testing.T) {
	for _, e := range emulations() {
		t.Run(e.dialect.name(), func(t *testing.T) {
			product, d := e.open(t)
			fillParts(t, product, d)
			sqlite, s := reference(t)
			fillParts(t, sqlite, s)
			for name, test := range reads() {
				t.Run(name, func(t *testing.T) {
					test.read.Vars = test.vars
					test.read.Statement = compiled(t, s, test.source)
					want := rowsOf(t, sqlite, test.read)
					test.read.Statement = compiled(t, d, test.source)
					got := rowsOf(t, product, test.read)
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("-SQLite +%s:\n%s", d.name(), diff)
					}
					if len(got) != test.rows {
						t.Errorf("%d rows, expected %d", len(got), test.rows)
					}
				})
			}
		})
	}
}

// TestPagesOnH2 reads all parts page by page: each one once, in order, although a page ends amid equal times.
func TestPagesOnH2(t *testing.T) {
	for _, e := range emulations() {
		t.Run(e.dialect.name(), func(t *testing.T) {
			c, d := e.open(t)
			fillParts(t, c, d)
			read := connectors.Read{Statement: compiled(t, d, "SELECT part_id, modified FROM part"), OrderBy: []string{"modified", "part_id"}, Limit: 7}
			var got []int64
			for {
				page := rowsOf(t, c, read)
				for _, row := range page {
					got = append(got, row["part_id"].(int64))
				}
				if len(page) < read.Limit || len(got) > conformance.PartCount {
					break
				}
				last := page[len(page)-1]
				read.After = []any{last["modified"], last["part_id"]}
			}
			if !slices.IsSorted(got) || len(slices.Compact(got)) != conformance.PartCount {
				t.Errorf("the pages give %v", got)
			}
		})
	}
}

// TestWritesOnH2 updates, breaks a rule, and undoes.
func TestWritesOnH2(t *testing.T) {
	for _, e := range emulations() {
		t.Run(e.dialect.name(), func(t *testing.T) {
			c, d := e.open(t)
			fillParts(t, c, d)
			rename := compiled(t, d, "UPDATE part SET name = :name WHERE part_id = :part_id")
			commit(t, c, func(tx connectors.Tx) {
				expectEffect(t, tx, rename, connectors.Vars{"part_id": int64(3), "name": "Gehäuse"}, 1)
				expectEffect(t, tx, rename, connectors.Vars{"part_id": int64(3000), "name": "x"}, 0)
			})
			tx, err := c.Begin(t.Context(), false)
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback()
			expectEffect(t, tx, rename, connectors.Vars{"part_id": int64(4), "name": "never"}, 1)
			if _, err := tx.Exec(t.Context(), compiled(t, d, insertPart), connectors.Vars(conformance.Parts(1)[0])); err == nil {
				t.Error("a key was taken twice")
			}
			if err := tx.Rollback(); err != nil {
				t.Fatal(err)
			}
			got := rowsOf(t, c, connectors.Read{
				Statement: compiled(t, d, "SELECT part_id, name FROM part WHERE part_id IN (:a, :b)"),
				Vars:      connectors.Vars{"a": int64(3), "b": int64(4)}, OrderBy: []string{"part_id"},
			})
			want := []connectors.Row{{"part_id": int64(3), "name": "Gehäuse"}, {"part_id": int64(4), "name": "Größe 4's"}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// baseLayer is what of a base definition is SQL, and the table that its comment tells a DBA to make.
type baseLayer struct {
	Check struct{ SQL string }
	Inbox struct{ Insert, Find, Finish struct{ SQL string } }
	table string
}

var createInbox = regexp.MustCompile(`(?s)CREATE TABLE gantry_inbox .*?\);`)

func readBase(t *testing.T, dialect string) baseLayer {
	t.Helper()
	source, err := fs.ReadFile(catalogue.FS, "base/sql-"+dialect+".yaml")
	if err != nil {
		t.Fatal(err)
	}
	var base baseLayer
	if err := yaml.Unmarshal(source, &base); err != nil {
		t.Fatal(err)
	}
	base.table = createInbox.FindString(strings.ReplaceAll(string(source), "\n#", "\n"))
	base.table = strings.ReplaceAll(base.table, " COLLATE Latin1_General_BIN2", "") // H2 has other collations
	for _, step := range []*string{&base.Inbox.Insert.SQL, &base.Inbox.Find.SQL, &base.Inbox.Finish.SQL} {
		*step = strings.ReplaceAll(*step, "{table}", "gantry_inbox")
	}
	return base
}

// TestBaseLayersOnH2 makes the inbox's table as the base layer's comment has it, and goes the way of a write through it.
func TestBaseLayersOnH2(t *testing.T) {
	for _, e := range emulations() {
		t.Run(e.dialect.name(), func(t *testing.T) {
			base := readBase(t, e.dialect.name())
			c, d := e.open(t)
			if err := d.session.run(base.table); err != nil {
				t.Fatal(err)
			}
			insert, finish := compiled(t, d, base.Inbox.Insert.SQL), compiled(t, d, base.Inbox.Finish.SQL)
			key := connectors.Vars{"idempotency_key": "it's Größe 1"}
			row := connectors.Vars{"idempotency_key": key["idempotency_key"], "entity": "vendors", "operation": "create", "now": time.Date(2026, 3, 29, 2, 30, 0, 123_000_000, time.UTC)}
			find := connectors.Read{Statement: compiled(t, d, base.Inbox.Find.SQL), Vars: key}
			commit(t, c, func(tx connectors.Tx) { expectEffect(t, tx, insert, row, 1) })
			expectRecord(t, rowsOf(t, c, find), nil)
			commit(t, c, func(tx connectors.Tx) {
				expectEffect(t, tx, finish, connectors.Vars{"idempotency_key": key["idempotency_key"], "record_id": "V-1"}, 1)
				if _, err := tx.Exec(t.Context(), insert, row); err == nil {
					t.Error("the inbox took a key twice")
				}
			})
			expectRecord(t, rowsOf(t, c, find), "V-1")

			checked := opened(t, d, connectors.Target{Check: compiled(t, d, base.Check.SQL)})
			if info, err := checked.Check(t.Context()); err != nil || info.Version == "" {
				t.Errorf("the check gives %+v, %v", info, err)
			}
		})
	}
}

func expectRecord(t *testing.T, got []connectors.Row, id any) {
	t.Helper()
	if diff := cmp.Diff([]connectors.Row{{"record_id": id}}, got); diff != "" {
		t.Error(diff)
	}
}

// TestUnknownToH2 keeps the list of what these tests cannot show true.
func TestUnknownToH2(t *testing.T) {
	for _, e := range emulations() {
		t.Run(e.dialect.name(), func(t *testing.T) {
			_, d := e.open(t)
			for statement, reason := range e.refuses {
				compiled(t, d, statement) // the driver knows it
				if err := d.session.run(statement); err == nil {
					t.Errorf("H2 takes %q now; the list says: %s", statement, reason)
				} else {
					t.Logf("%s: %v", reason, err)
				}
			}
		})
	}
}
