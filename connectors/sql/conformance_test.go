package sqldriver_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"gantry/connectors"
	"gantry/connectors/conformance"
	sqldriver "gantry/connectors/sql"
	"gantry/connectors/sql/sqltest"
)

func TestMain(m *testing.M) { sqltest.Main(m) }

// product is a database product as the suites and the tests here use it.
type product struct {
	dialect string
	server  func(testing.TB) *sqltest.Server
	table   string
	many    string
	slow    string
	running string // counts the slow statements
	key     string // last_insert_id
}

func products() map[string]product {
	return map[string]product{
		"postgres": {
			dialect: "postgres", server: sqltest.Postgres,
			table:   `CREATE TABLE part (part_id bigint PRIMARY KEY, name text NOT NULL, price numeric(20,2), category varchar(10), modified timestamp NOT NULL)`,
			many:    `SELECT i FROM generate_series(1, 1000000) AS i`,
			slow:    `SELECT 1 AS one FROM pg_sleep(20)`,
			running: `SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(20)%' AND pid <> pg_backend_pid()`,
		},
		"mariadb": {
			dialect: "mysql", server: sqltest.MariaDB,
			table:   "CREATE TABLE part (part_id bigint AUTO_INCREMENT PRIMARY KEY, name varchar(100) NOT NULL, price decimal(20,2), category varchar(10), modified datetime NOT NULL, KEY (modified, part_id))",
			many:    `SELECT seq AS i FROM seq_1_to_1000000`,
			slow:    `SELECT SLEEP(20) AS one`,
			running: `SELECT count(*) FROM information_schema.processlist WHERE info LIKE '%SLEEP(20)%' AND id <> CONNECTION_ID()`,
			key:     "part_id",
		},
		"sqlite": {
			dialect: "sqlite", server: sqltest.SQLite,
			table: `CREATE TABLE part (part_id INTEGER PRIMARY KEY, name TEXT NOT NULL, price TEXT, category TEXT, modified DATETIME NOT NULL)`,
			many:  `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT i FROM n`,
			slow:  `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS one FROM n`,
		},
	}
}

// filled makes a database that holds the suite's parts.
func (p product) filled(t testing.TB) *sqltest.Database {
	t.Helper()
	var values []string
	for _, part := range conformance.Parts(conformance.PartCount) {
		category := "NULL"
		if c, ok := part["category"].(string); ok {
			category = "'" + c + "'"
		}
		modified := part["modified"].(time.Time).Format(time.DateTime)
		values = append(values, "("+strings.Join([]string{
			strconv.FormatInt(part["part_id"].(int64), 10), "'" + strings.ReplaceAll(part["name"].(string), "'", "''") + "'",
			"'" + part["price"].(string) + "'", category, "'" + modified + "'",
		}, ",")+")")
	}
	return p.server(t).Database(t, p.table, "INSERT INTO part VALUES "+strings.Join(values, ","))
}

func (p product) suite() conformance.Suite {
	const columns = "(part_id, name, price, category, modified) VALUES (:part_id, :name, :price, :category, :modified)"
	native := func(sql string) map[string]any { return map[string]any{"sql": sql} }
	returning := native("INSERT INTO part " + columns + " RETURNING part_id")
	if p.key != "" {
		returning = map[string]any{"sql": "INSERT INTO part " + columns, "last_insert_id": p.key}
	}
	s := conformance.Suite{
		Driver: sqldriver.Driver{}, Dialect: p.dialect, Reads: true,
		Target: func(t testing.TB) connectors.Target { return p.filled(t).Target() },
		Steps: conformance.Steps{
			All:       native("SELECT part_id, name, price, category, modified FROM part -- all of them"),
			One:       native("SELECT part_id, name, price, category, modified FROM part WHERE part_id = :part_id;"),
			Insert:    native("INSERT INTO part " + columns),
			Returning: returning,
			Rename:    native("UPDATE part SET name = :name WHERE part_id = :part_id"),
			Slow:      native(p.slow), Many: native(p.many),
			Writes: native("DELETE FROM part"),
		},
	}
	if p.running != "" {
		s.Refuse = func(*connectors.Target) {} // the suite's own password is wrong
		s.Running = func(t testing.TB) int {
			var n int
			if err := p.server(t).Admin().QueryRow(p.running).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	return s
}

func TestConformance(t *testing.T) {
	for name, p := range products() {
		t.Run(name, func(t *testing.T) { conformance.Run(t, p.suite()) })
	}
}
