package sqldriver

import (
	"context"

	"gantry/connectors"
)

// Driver speaks to SQL databases.
type Driver struct{}

var _ connectors.Driver = Driver{}

// Name implements connectors.Driver.
func (Driver) Name() string { return "sql" }

// Specification implements connectors.Driver.
func (Driver) Specification() connectors.Specification {
	return connectors.Specification{
		Speaks: "SQL: named statements of the definition, whose values are always bound",
		Dialects: []connectors.Claim{
			{Name: postgres{}.name(), Means: "PostgreSQL", On: "PostgreSQL 15"},
			{Name: mySQL{}.name(), Means: "MySQL and MariaDB", On: "MariaDB 10.11"},
			{Name: sqlite{}.name(), Means: "SQLite, in the agent itself", On: "SQLite 3"},
			{Name: sqlServer{}.name(), Means: "SQL Server: its statements ran on H2 in its mode"},
			{Name: oracle{}.name(), Means: "Oracle 12c and later: its statements ran on H2 in its mode"},
		},
		Logins: []connectors.Claim{
			{Name: "user and password", On: "PostgreSQL 15, MariaDB 10.11"}, {Name: "TLS", Means: "disable, prefer, require or verify-full", On: "PostgreSQL 15"},
		},
		Pages:  []connectors.Claim{{Name: "keyset", Means: "after the last row; neither skips nor repeats", On: "PostgreSQL 15, MariaDB 10.11, SQLite 3"}},
		Kits:   []string{"base/sql-postgres", "base/sql-mysql", "base/sql-sqlite", "base/sql-sqlserver", "base/sql-oracle"},
		Limits: "No server of Microsoft's or Oracle's was at hand, and no MySQL: what they speak on the wire is their client libraries' part.",
	}
}

// Compile implements connectors.Driver. native has the members sql and, for MySQL, last_insert_id: the column in which
// the generated key is returned.
func (Driver) Compile(dialect string, native map[string]any) (connectors.Statement, error) {
	if err := connectors.CheckDialect(Driver{}, dialect); err != nil {
		return nil, err
	}
	d, _ := findDialect(dialect)
	if discover, is := native["discover"]; is {
		return compileDiscovery(d, discover)
	}
	s, err := compile(d, native)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Open implements connectors.Driver. It logs in when the first call needs it.
func (Driver) Open(ctx context.Context, t connectors.Target) (connectors.Conn, error) {
	if err := connectors.CheckDialect(Driver{}, t.Dialect); err != nil {
		return nil, connectors.Misuse("%w", err)
	}
	d, _ := findDialect(t.Dialect)
	a, err := newAddress(t)
	if err != nil {
		return nil, err
	}
	return open(d, a, t)
}
