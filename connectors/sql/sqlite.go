package sqldriver

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"gantry/connectors"

	sqlitelib "modernc.org/sqlite"
)

// sqlite is a file on the agent's machine, over modernc.org/sqlite.
type sqlite struct{}

func (sqlite) name() string { return "sqlite" }
func (sqlite) lexis() lexis {
	return lexis{backtick: true, bracket: true, ownsNumbers: true, ownsMark: true, ownsAt: true}
}
func (sqlite) placeholder(int) string                { return "?" }
func (sqlite) repeats() bool                         { return false }
func (sqlite) maxArgs() int                          { return 32766 }
func (sqlite) quote(name string) string              { return `"` + name + `"` }
func (sqlite) exact(name string) string              { return `"` + name + `"` }
func (sqlite) limit(n string) (before, after string) { return "", " LIMIT " + n }
func (sqlite) nests(first string) bool {
	return first == "select" || first == "with" || first == "values"
}
func (sqlite) reportsKeys() bool { return false }
func (sqlite) sealing() string   { return "PRAGMA query_only = ON" }
func (sqlite) version() string   { return "SELECT sqlite_version()" }

func (sqlite) lift(connectors.Limits) (lift, restore string) { return "", "" }

// sqliteTime is what SQLite's own functions write; see the package comment.
const sqliteTime = "2006-01-02 15:04:05.999999999"

func (sqlite) bind(v any) any {
	switch v := v.(type) {
	case time.Time:
		return v.UTC().Format(sqliteTime)
	case bool:
		return bit(v)
	}
	return v
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (sqlite) value(_ *sql.ColumnType, v any) any {
	if t, ok := v.(time.Time); ok {
		return t.UTC()
	}
	return v
}

// holds follows SQLite's rules of affinity where the declared type is none that others have: https://www.sqlite.org/datatype3.html
func (sqlite) holds(declared string) (string, bool) {
	for _, rule := range []struct{ part, native string }{{"int", "integer"}, {"char", "string"}, {"clob", "string"}, {"text", "string"}, {"blob", ""}} {
		if strings.Contains(declared, rule.part) {
			return rule.native, true
		}
	}
	return "string", declared == ""
}

func (sqlite) cast(any) (before, after string) { return "", "" }

// connector opens the file that the plant's policy allows; it never makes a new one.
func (sqlite) connector(a address, l connectors.Limits) (driver.Connector, error) {
	if a.openPath == nil {
		return nil, connectors.Misuse("no local file may be opened here")
	}
	path, err := a.openPath(a.path)
	if err != nil {
		return nil, err
	}
	options := url.Values{
		"mode": {"rw"}, "_txlock": {"immediate"}, "_query_only": {"on"},
		"_pragma": {fmt.Sprintf("busy_timeout(%d)", lockWait(l).Milliseconds()), "foreign_keys(1)", "trusted_schema(0)"},
	}
	file := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: options.Encode()}
	connector, err := sqlitelib.NewConnector(file.String())
	if err != nil {
		return nil, err
	}
	return sqliteSessions{connector}, nil
}

func (sqlite) begin(ctx context.Context, c *sql.Conn, readOnly bool, _ connectors.Limits) (*sql.Tx, error) {
	if !readOnly {
		if _, err := c.ExecContext(ctx, "PRAGMA query_only = OFF"); err != nil {
			return nil, err
		}
	}
	return c.BeginTx(ctx, &sql.TxOptions{ReadOnly: readOnly})
}

func (sqlite) failure(err error) *connectors.Failure {
	e, ok := errors.AsType[*sqlitelib.Error](err)
	if !ok {
		return nil
	}
	return diagnosis{status: strconv.Itoa(e.Code()), number: int64(e.Code()), message: e.Error()}.answered(err)
}
