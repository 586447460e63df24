package sqldriver

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"gantry/connectors"

	"github.com/golang-sql/civil"
	mssql "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/msdsn"
)

// sqlServer is SQL Server 2012 and later, over go-mssqldb.
type sqlServer struct{}

func (sqlServer) name() string                                  { return "sqlserver" }
func (sqlServer) lexis() lexis                                  { return lexis{bracket: true, nested: true, ownsAt: true} }
func (sqlServer) placeholder(n int) string                      { return "@p" + strconv.Itoa(n) }
func (sqlServer) repeats() bool                                 { return true }
func (sqlServer) maxArgs() int                                  { return 2000 }
func (sqlServer) quote(name string) string                      { return "[" + name + "]" }
func (sqlServer) exact(name string) string                      { return "[" + name + "]" }
func (sqlServer) limit(n string) (before, after string)         { return "TOP (" + n + ") ", "" }
func (sqlServer) nests(first string) bool                       { return first == "select" } // WITH stands in front only
func (sqlServer) reportsKeys() bool                             { return false }
func (sqlServer) lift(connectors.Limits) (lift, restore string) { return "", "" }
func (sqlServer) sealing() string                               { return "" }
func (sqlServer) version() string {
	return "SELECT CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(64))"
}

// bind sends a time as datetime2: the library's own choice, datetimeoffset, ranks above a datetime column's type, so that
// the server would convert the column and not use its index. A time that only a datetime column can have given goes back
// as a datetime; see datetime.
func (sqlServer) bind(v any) any {
	t, ok := v.(time.Time)
	if !ok {
		return v
	}
	t = t.UTC()
	if t.Nanosecond()%100 != 0 && datetime(t).Equal(t) {
		return mssql.DateTime1(t)
	}
	return civil.DateTimeOf(t)
}

// datetime gives the nearest time that a datetime column can hold, in full: the type counts in 1/300 of a second, of
// which the library gives whole milliseconds. Sent back as such, 0.003 is less than the 0.0033333 that it came from, and
// 0.007 more than 0.0066667 (from compatibility level 130 on; before, it is equal): a page after it would repeat or leave
// out rows. A datetime2 counts in 100 ns, so a time with other nanoseconds is known to be a datetime.
// Source: https://learn.microsoft.com/sql/t-sql/data-types/datetime-transact-sql
func datetime(t time.Time) time.Time {
	const hundredths = 10_000_000 // three of 1/300 s, in ns
	ns := int64(t.Nanosecond())
	ticks := (3*ns + hundredths/2) / hundredths
	return t.Add(time.Duration(ticks*hundredths/3 - ns))
}

func (sqlServer) value(c *sql.ColumnType, v any) any {
	switch v := v.(type) {
	case time.Time:
		if c.DatabaseTypeName() == "DATETIME" {
			return datetime(v.UTC())
		}
		return v.UTC()
	case []byte:
		switch name := c.DatabaseTypeName(); {
		case name == "UNIQUEIDENTIFIER" && len(v) == 16:
			var id mssql.UniqueIdentifier
			if err := id.Scan(v); err == nil {
				return id.String()
			}
		case !strings.Contains(name, "BINARY") && name != "IMAGE":
			return string(v) // DECIMAL, MONEY
		}
	}
	return v
}

// holds knows that a timestamp is no time.
func (sqlServer) holds(declared string) (string, bool) {
	native, known := map[string]string{"bit": "boolean", "timestamp": "", "rowversion": "", "datetime2": "datetime", "sysname": "string"}[declared]
	return native, known
}

func (sqlServer) cast(any) (before, after string) { return "", "" }

func (sqlServer) connector(a address, l connectors.Limits) (driver.Connector, error) {
	options := url.Values{"database": {a.database}, "app name": {"gantry"}, "encrypt": {"true"}}
	switch {
	case a.secure == tlsDisable:
		options.Set("encrypt", "disable")
	case a.secure == tlsPrefer:
		options.Set("encrypt", "false") // the login is encrypted, the rest if the server says so
		options.Set("TrustServerCertificate", "true")
	case a.secure == tlsRequire && a.roots == nil:
		options.Set("TrustServerCertificate", "true")
	}
	dsn := url.URL{
		Scheme: "sqlserver", User: url.UserPassword(a.username, a.password.Reveal()),
		Host: net.JoinHostPort(a.host, strconv.Itoa(a.portOr(1433))), RawQuery: options.Encode(),
	}
	config, err := msdsn.Parse(dsn.String())
	if err != nil {
		return nil, connectors.Misuse("the settings do not make an SQL Server login") // err might show the password
	}
	if config.TLSConfig != nil && a.roots != nil {
		config.TLSConfig.RootCAs = a.roots
	}
	connector := mssql.NewConnectorConfig(config)
	connector.Dialer = hostDialer{a.host, a.dialer(1433)}
	connector.SessionInitSQL = fmt.Sprintf("SET LOCK_TIMEOUT %d", lockWait(l).Milliseconds())
	return connector, nil
}

// hostDialer keeps go-mssqldb from resolving names by itself.
type hostDialer struct {
	host string
	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

var _ mssql.HostDialer = hostDialer{}

func (d hostDialer) HostName() string { return d.host }

func (d hostDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return d.dial(ctx, network, address)
}

// begin ignores readOnly: SQL Server has no read-only transactions. The login's rights are what counts.
func (sqlServer) begin(ctx context.Context, c *sql.Conn, _ bool, _ connectors.Limits) (*sql.Tx, error) {
	return c.BeginTx(ctx, nil)
}

func (sqlServer) failure(err error) *connectors.Failure {
	e, ok := errors.AsType[mssql.Error](err)
	if !ok {
		return nil
	}
	return diagnosis{status: strconv.Itoa(int(e.Number)), number: int64(e.Number), message: e.Message, account: map[int32]connectors.Account{
		18486: connectors.Locked, 18470: connectors.Locked, 18487: connectors.Expired, 18488: connectors.Expired,
	}[e.Number]}.answered(err)
}
