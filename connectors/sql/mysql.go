package sqldriver

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"gantry/connectors"

	"github.com/go-sql-driver/mysql"
)

// mySQL is MariaDB 10.3 and later and MySQL 5.7 and later, over go-sql-driver.
type mySQL struct{}

func (mySQL) name() string                          { return "mysql" }
func (mySQL) lexis() lexis                          { return lexis{backslash: true, backtick: true, hash: true, ownsMark: true} }
func (mySQL) placeholder(int) string                { return "?" }
func (mySQL) repeats() bool                         { return false }
func (mySQL) maxArgs() int                          { return 65535 }
func (mySQL) quote(name string) string              { return "`" + name + "`" }
func (mySQL) exact(name string) string              { return "`" + name + "`" }
func (mySQL) limit(n string) (before, after string) { return "", " LIMIT " + n }
func (mySQL) nests(first string) bool {
	return slices.Contains([]string{"select", "with", "values", "table"}, first)
}
func (mySQL) reportsKeys() bool { return true }
func (mySQL) sealing() string   { return "" }
func (mySQL) version() string   { return "SELECT VERSION()" }

func (mySQL) bind(v any) any { return v } // the library writes a time.Time in the session's zone, which is UTC

// value tells text from bytes by the column's type, and keeps what a time.Time cannot hold as text.
func (mySQL) value(c *sql.ColumnType, v any) any {
	switch v := v.(type) {
	case []byte:
		if binary(c.DatabaseTypeName()) {
			return v
		}
		return string(v)
	case time.Time:
		if v.IsZero() {
			return "0000-00-00 00:00:00"
		}
	}
	return v
}

func binary(name string) bool {
	return strings.HasSuffix(name, "BLOB") || strings.HasSuffix(name, "BINARY") || name == "BIT" || name == "GEOMETRY"
}

// holds knows that a BIT comes as bytes.
func (mySQL) holds(declared string) (string, bool) { return "", strings.HasPrefix(declared, "bit") }

func (mySQL) cast(any) (before, after string) { return "", "" }

func (mySQL) connector(a address, l connectors.Limits) (driver.Connector, error) {
	config := mysql.NewConfig()
	config.Net, config.Addr = "tcp", net.JoinHostPort(a.host, strconv.Itoa(a.portOr(3306)))
	config.User, config.Passwd, config.DBName = a.username, a.password.Reveal(), a.database
	config.TLS, config.AllowFallbackToPlaintext = a.tlsConfig(), a.secure == tlsPrefer
	config.DialFunc = a.dialer(3306)
	config.ParseTime, config.Loc = true, time.UTC
	config.Logger = &mysql.NopLogger{} // what it would log is in the errors that it returns
	config.Params = map[string]string{
		"time_zone": "'+00:00'", "innodb_lock_wait_timeout": strconv.Itoa(int(lockWait(l).Seconds())),
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, connectors.Misuse("the settings do not make a MySQL login")
	}
	return sessions{connector, l}, nil
}

func (mySQL) lift(l connectors.Limits) (lift, restore string) {
	return serverLimit(0), serverLimit(l.Timeout + grace)
}

// serverLimit limits each statement of a session. Only MariaDB reads its /*M! comment; MySQL sets a variable of ours.
func serverLimit(d time.Duration) string {
	return fmt.Sprintf("SET /*M! max_statement_time = %d, */ @gantry = 1", int(d.Seconds()))
}

// begin says that the next transaction may write: the session's default is that it may not.
func (mySQL) begin(ctx context.Context, c *sql.Conn, readOnly bool, _ connectors.Limits) (*sql.Tx, error) {
	if !readOnly {
		if _, err := c.ExecContext(ctx, "SET TRANSACTION READ WRITE"); err != nil {
			return nil, err
		}
	}
	return c.BeginTx(ctx, &sql.TxOptions{ReadOnly: readOnly})
}

func (mySQL) failure(err error) *connectors.Failure {
	e, ok := errors.AsType[*mysql.MySQLError](err)
	if !ok {
		return nil
	}
	return diagnosis{
		status: strconv.Itoa(int(e.Number)), sqlstate: string(e.SQLState[:]), number: int64(e.Number), message: e.Message,
		account: map[uint16]connectors.Account{3118: connectors.Locked, 4151: connectors.Locked, 1820: connectors.Expired, 1862: connectors.Expired}[e.Number],
	}.answered(err)
}
