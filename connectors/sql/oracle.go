package sqldriver

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"gantry/connectors"

	goora "github.com/sijms/go-ora/v2"
	"github.com/sijms/go-ora/v2/network"
)

// oracle is Oracle 12c and later, over go-ora. The setting database is the service name.
type oracle struct{}

func (oracle) name() string                          { return "oracle" }
func (oracle) lexis() lexis                          { return lexis{quoteQ: true, block: true} }
func (oracle) placeholder(n int) string              { return ":" + strconv.Itoa(n) }
func (oracle) repeats() bool                         { return false }
func (oracle) maxArgs() int                          { return 32767 }
func (oracle) quote(name string) string              { return `"` + strings.ToUpper(name) + `"` }
func (oracle) exact(name string) string              { return `"` + name + `"` }
func (oracle) limit(n string) (before, after string) { return "", " FETCH FIRST " + n + " ROWS ONLY" }
func (oracle) nests(first string) bool               { return first == "select" || first == "with" }
func (oracle) reportsKeys() bool                     { return false }
func (oracle) sealing() string                       { return "" }

func (oracle) lift(connectors.Limits) (lift, restore string) { return "", "" }

func (oracle) version() string {
	return "SELECT version FROM product_component_version WHERE ROWNUM = 1"
}

// cast keeps the index of a DATE column in use: a DATE that is compared with a TIMESTAMP is converted, for each row. The
// other way round it is the value that is converted, so that a whole second can always go as a DATE.
// Source: https://docs.oracle.com/en/database/oracle/oracle-database/19/sqlrf/Data-Type-Comparison-Rules.html
// holds knows that a DATE has a time, and a NUMBER perhaps no fraction.
func (oracle) holds(declared string) (string, bool) {
	if strings.HasPrefix(declared, "number(") && strings.HasSuffix(declared, ",0)") {
		return "integer", true
	}
	native, known := map[string]string{"date": "datetime", "varchar2": "string", "nvarchar2": "string"}[declared]
	return native, known
}

func (oracle) cast(v any) (before, after string) {
	if t, ok := v.(time.Time); ok && t.Nanosecond() == 0 {
		return "CAST(", " AS DATE)"
	}
	return "", ""
}

func (oracle) bind(v any) any {
	switch v := v.(type) {
	case time.Time:
		return goora.TimeStamp(v.UTC())
	case bool:
		return bit(v)
	}
	return v
}

// value writes a NUMBER with decimals as text: it is exact at Oracle.
func (oracle) value(c *sql.ColumnType, v any) any {
	switch v := v.(type) {
	case time.Time:
		return v.UTC()
	case float64:
		if c.DatabaseTypeName() == "NUMBER" {
			return strconv.FormatFloat(v, 'f', -1, 64)
		}
	}
	return v
}

func (oracle) connector(a address, _ connectors.Limits) (driver.Connector, error) {
	options := map[string]string{}
	if a.secure == tlsRequire || a.secure == tlsVerify {
		options["SSL"] = "enable"
	}
	dsn := goora.BuildUrl(a.host, a.portOr(1521), a.database, a.username, a.password.Reveal(), options)
	connector, ok := goora.NewConnector(dsn).(*goora.OracleConnector)
	if !ok {
		return nil, connectors.Misuse("the Oracle library gives an unknown connector")
	}
	connector.Dialer(contextDialer(a.dialer(1521)))
	if options["SSL"] != "" {
		connector.WithTLSConfig(a.tlsConfig())
	}
	return connector, nil
}

// contextDialer is a function as go-ora's dialer.
type contextDialer func(ctx context.Context, network, address string) (net.Conn, error)

// DialContext implements go-ora's configurations.DialerContext.
func (d contextDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return d(ctx, network, address)
}

// begin ignores readOnly where the library cannot send it; a read-only unit reads one state of the data.
func (oracle) begin(ctx context.Context, c *sql.Conn, readOnly bool, _ connectors.Limits) (*sql.Tx, error) {
	tx, err := c.BeginTx(ctx, nil)
	if err != nil || !readOnly {
		return tx, err
	}
	if _, err := tx.ExecContext(ctx, "SET TRANSACTION READ ONLY"); err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	return tx, nil
}

func (oracle) failure(err error) *connectors.Failure {
	e, ok := errors.AsType[*network.OracleError](err)
	if !ok {
		return nil
	}
	return diagnosis{status: fmt.Sprintf("ORA-%05d", e.ErrCode), number: int64(e.ErrCode), message: e.ErrMsg, account: map[int]connectors.Account{
		28000: connectors.Locked, 28001: connectors.Expired,
	}[e.ErrCode]}.answered(err)
}
