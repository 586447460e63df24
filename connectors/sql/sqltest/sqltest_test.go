package sqltest_test

import (
	"fmt"
	"testing"

	"gantry/connectors/sql/sqltest"
)

func TestMain(m *testing.M) { sqltest.Main(m) }

// servers are the servers that this package starts.
func servers() map[string]func(testing.TB) *sqltest.Server {
	return map[string]func(testing.TB) *sqltest.Server{
		"postgres": sqltest.Postgres, "mariadb": sqltest.MariaDB, "sqlite": sqltest.SQLite,
	}
}

func TestDatabasesAreSeparate(t *testing.T) {
	for name, server := range servers() {
		t.Run(name, func(t *testing.T) {
			s := server(t)
			for i := range 2 {
				d := s.Database(t, `CREATE TABLE po (po_id integer PRIMARY KEY)`, fmt.Sprintf(`INSERT INTO po VALUES (%d)`, i))
				var n, id int
				if err := d.DB.QueryRow(`SELECT count(*), max(po_id) FROM po`).Scan(&n, &id); err != nil || n != 1 || id != i {
					t.Errorf("database %d holds %d rows, the last is %d (%v)", i, n, id, err)
				}
			}
		})
	}
}

func TestStopAndStart(t *testing.T) {
	for name, server := range servers() {
		if name == "sqlite" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			s := server(t)
			d := s.Database(t, `CREATE TABLE po (po_id integer PRIMARY KEY)`)
			s.Stop(t)
			if err := d.DB.Ping(); err == nil {
				t.Error("a stopped server answers")
			}
			s.Start(t)
			if _, err := d.DB.Exec(`INSERT INTO po VALUES (1)`); err != nil {
				t.Errorf("after the start: %v", err)
			}
		})
	}
}
