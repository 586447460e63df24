package sqldriver

import (
	"context"
	"database/sql"
	"database/sql/driver"

	"gantry/connectors"
)

// dialect is what one database product does in its own way.
type dialect interface {
	name() string

	// The language.

	lexis() lexis
	placeholder(n int) string // for the n-th value, from 1
	repeats() bool            // a placeholder can stand for a value in two places
	maxArgs() int
	quote(name string) string // of a plain name
	exact(name string) string // of a name as the system itself has it, without quotes in it
	limit(n string) (before, after string)
	nests(first string) bool // a statement with this first word can stand in SELECT * FROM (…)
	reportsKeys() bool       // generated keys come beside the result, not as a row

	// The values.

	bind(v any) any                                    // a Vars value → what its client library takes
	value(column *sql.ColumnType, v any) any           // what the library gives → a Row value
	holds(declared string) (native string, known bool) // what a column of a type holds, where it is not as elsewhere
	cast(v any) (before, after string)                 // around the placeholder of a value that a column is compared with

	// The sessions.

	connector(a address, l connectors.Limits) (driver.Connector, error)
	begin(ctx context.Context, c *sql.Conn, readOnly bool, l connectors.Limits) (*sql.Tx, error)
	// lift takes the server's own time limit off a session, restore puts it back; empty: there is none.
	lift(l connectors.Limits) (lift, restore string)
	// sealing makes a session that wrote read-only again; empty: it is so by itself.
	sealing() string
	version() string // a statement that gives the server's version as its first column

	// failure reads what the system answered. Nil: err is no answer of the system.
	failure(err error) *connectors.Failure
}

// dialects is the one list.
func dialects() []dialect {
	return []dialect{postgres{}, mySQL{}, sqlite{}, sqlServer{}, oracle{}}
}

func findDialect(name string) (dialect, bool) {
	for _, d := range dialects() {
		if d.name() == name {
			return d, true
		}
	}
	return nil, false
}
