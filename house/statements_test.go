package house

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gantry/connectors"
	"gantry/connectors/catalogue"
	"gantry/connectors/definition"
	"gantry/connectors/demoplant"
	sqldriver "gantry/connectors/sql"
	"gantry/connectors/sql/sqltest"
	"gantry/house/adventureworks"
)

// TestStatements runs every statement of the built-in definitions against the real database: what reads must give rows,
// and what writes must be understood by the server. (What a write does is the tests' of the whole road.)
func TestStatements(t *testing.T) {
	set, err := definition.Load(catalogue.FS)
	if err != nil {
		t.Fatal(err)
	}
	for id, target := range map[string]func(*testing.T) connectors.Target{
		"demo-plant":             demoTarget,
		"adventureworks":         func(t *testing.T) connectors.Target { return adventureWorksTarget(t, sqltest.Postgres) },
		"adventureworks-inbox":   func(t *testing.T) connectors.Target { return adventureWorksTarget(t, sqltest.Postgres) },
		"adventureworks-mariadb": func(t *testing.T) connectors.Target { return adventureWorksTarget(t, sqltest.MariaDB) },
	} {
		t.Run(id, func(t *testing.T) {
			driver := sqldriver.Driver{}
			program, err := definition.Compile(set.Lookup(id), []connectors.Driver{driver})
			if err != nil {
				t.Fatal(err)
			}
			conn, err := driver.Open(t.Context(), target(t))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close() })
			for name, table := range program.Tables {
				t.Run(name, func(t *testing.T) {
					readStatements(t, conn, table)
					for _, p := range table.Procedures {
						understood(t, conn, p)
					}
					for _, p := range table.Actions {
						understood(t, conn, p)
					}
				})
			}
		})
	}
}

func demoTarget(t *testing.T) connectors.Target {
	path := filepath.Join(t.TempDir(), "plant.db")
	if err := demoplant.Create(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	target := sqltest.SQLite(t).Database(t).Target()
	target.Settings = map[string]any{"path": path, "timezone": demoplant.Timezone}
	return target
}

func adventureWorksTarget(t *testing.T, server func(testing.TB) *sqltest.Server) connectors.Target {
	needData(t)
	database := server(t).Database(t)
	if err := adventureworks.Load(t.Context(), database.DB, database.Server.Dialect); err != nil {
		t.Fatal(err)
	}
	return database.Target()
}

// readStatements reads all rows of a table by pages of the keyset, each row once, and some children.
func readStatements(t *testing.T, conn connectors.Conn, table *definition.Table) {
	t.Helper()
	var order []string
	for _, column := range table.Operations.List.Keyset {
		order = append(order, column.Name)
	}
	rows, seen := 0, map[string]bool{}
	var parents []connectors.Row
	var after []any
	for full := true; full; {
		n := 0
		for row, err := range conn.Read(t.Context(), connectors.Read{Statement: table.List, OrderBy: order, After: after, Limit: 700}) {
			if err != nil {
				t.Fatalf("list: %v", explained(err))
			}
			n++
			after = after[:0]
			var id strings.Builder
			for _, column := range order {
				after = append(after, row[column])
			}
			for _, key := range table.Key {
				fmt.Fprintf(&id, "%v~", row[key.Name])
			}
			seen[id.String()] = true
			if len(parents) < 50 {
				parents = append(parents, cloneRow(row))
			}
			missing(t, table, row)
		}
		rows, full = rows+n, n == 700
	}
	if rows == 0 || len(seen) != rows {
		t.Errorf("%d rows, %d of them different", rows, len(seen))
	}
	for name, branch := range table.Children {
		readChildren(t, conn, name, branch, parents)
	}
}

// missing finds mapped columns that the statement does not return.
func missing(t *testing.T, table *definition.Table, row connectors.Row) {
	t.Helper()
	for _, f := range slices.Concat(table.Members, table.Envelope, table.Custom) {
		if _, there := row[f.From]; f.From != "" && len(f.Members) == 0 && !there {
			t.Fatalf("the statement returns no column %s for %s", f.From, f.Name)
		}
	}
}

func readChildren(t *testing.T, conn connectors.Conn, name string, branch *definition.Branch, parents []connectors.Row) {
	t.Helper()
	var of []any
	for _, row := range parents {
		of = append(of, row[branch.Of])
	}
	order := []string{branch.Parent}
	for _, column := range branch.Order {
		order = append(order, column.Name)
	}
	for _, err := range conn.Read(t.Context(), connectors.Read{Statement: branch.Statement, OrderBy: order,
		Filters: []connectors.Filter{{Column: branch.Parent, Op: connectors.Equal, Values: of}}}) {
		if err != nil {
			t.Fatalf("children %s: %v", name, explained(err))
		}
	}
}

func cloneRow(row connectors.Row) connectors.Row {
	out := connectors.Row{}
	maps.Copy(out, row)
	return out
}

// understood runs each statement of a write with null parameters, each in a transaction that is rolled back. A rule of the
// database may refuse it; a server that does not understand it is a fault.
func understood(t *testing.T, conn connectors.Conn, p *definition.Procedure) {
	t.Helper()
	calls := p.Steps
	if p.Find != nil {
		calls = append(slices.Clone(calls), p.Find)
	}
	for _, call := range calls {
		if err := execute(t.Context(), conn, call.Statement); err != nil && !refused(err) {
			t.Errorf("%s, step %q: %v", p.Name, call.ID, explained(err))
		}
	}
}

func execute(ctx context.Context, conn connectors.Conn, s connectors.Statement) (err error) {
	tx, err := conn.Begin(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tx.Rollback()) }()
	vars := connectors.Vars{}
	for _, name := range s.Params() {
		vars[name] = nil
	}
	_, err = tx.Exec(ctx, s, vars)
	return err
}

// refused tells a value that the database refuses from a statement that it does not understand: PostgreSQL's class 23,
// MariaDB's 1048 and 1364, SQLite's 19 with its subcodes.
func refused(err error) bool {
	f, ok := errors.AsType[*connectors.Failure](err)
	if !ok {
		return false
	}
	number := fmt.Sprint(f.Source["number"])
	var code int
	if _, err := fmt.Sscan(number, &code); err != nil {
		code = 0
	}
	return strings.HasPrefix(fmt.Sprint(f.Source["sqlstate"]), "23") || code == 1048 || code == 1364 || code%256 == 19
}

func explained(err error) string {
	if f, ok := errors.AsType[*connectors.Failure](err); ok {
		return fmt.Sprintf("%s %v", f, f.Source)
	}
	return err.Error()
}
