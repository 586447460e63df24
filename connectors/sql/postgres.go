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
	"time"

	"gantry/connectors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgres is PostgreSQL 12 and later, over pgx.
type postgres struct{}

func (postgres) name() string { return "postgres" }

func (postgres) lexis() lexis {
	return lexis{escapeE: true, dollar: true, nested: true, ownsNumbers: true}
}

func (postgres) placeholder(n int) string              { return "$" + strconv.Itoa(n) }
func (postgres) repeats() bool                         { return true }
func (postgres) maxArgs() int                          { return 65535 }
func (postgres) quote(name string) string              { return `"` + name + `"` }
func (postgres) exact(name string) string              { return `"` + name + `"` }
func (postgres) limit(n string) (before, after string) { return "", " LIMIT " + n }
func (postgres) nests(first string) bool {
	return slices.Contains([]string{"select", "with", "values", "table"}, first)
}
func (postgres) reportsKeys() bool { return false }
func (postgres) sealing() string   { return "" }
func (postgres) version() string   { return "SHOW server_version" }

func (postgres) bind(v any) any {
	if t, ok := v.(time.Time); ok {
		return t.UTC() // a column without zone keeps the wall clock as it is given
	}
	return v
}

func (postgres) value(c *sql.ColumnType, v any) any {
	switch v := v.(type) {
	case time.Time:
		return v.UTC()
	case []byte:
		if c.DatabaseTypeName() != "BYTEA" {
			return string(v) // json
		}
	}
	return v
}

// holds knows that money comes with the sign of a currency.
func (postgres) holds(declared string) (string, bool) {
	native, known := map[string]string{"money": "string", "jsonb": "string"}[declared]
	return native, known
}

func (postgres) cast(any) (before, after string) { return "", "" }

// connector builds the configuration without the libpq environment (PGHOST, PGSERVICE, ~/.pgpass): only the
// connection's own settings count.
func (d postgres) connector(a address, l connectors.Limits) (driver.Connector, error) {
	config, err := pgx.ParseConfig("host=localhost port=5432 user=gantry password=unset dbname=gantry sslmode=disable")
	if err != nil {
		return nil, err
	}
	config.Host, config.Port = a.host, uint16(a.portOr(5432))
	config.Database, config.User, config.Password = a.database, a.username, a.password.Reveal()
	config.TLSConfig, config.Fallbacks = a.tlsConfig(), nil
	if a.secure == tlsPrefer {
		config.Fallbacks = []*pgconn.FallbackConfig{{Host: config.Host, Port: config.Port}}
	}
	config.RuntimeParams = map[string]string{"application_name": "gantry"}
	config.ValidateConnect = nil
	config.DialFunc = a.dialer(5432)
	if a.secure == tlsRequire || a.secure == tlsVerify {
		config.DialFunc = insisting(config.DialFunc)
	}
	config.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	config.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: time.Second}
	}
	// A description is kept, a plan is not: each execution is planned for its own values, so that a filter that one
	// caller uses does not spoil the plan of another.
	config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	return stdlib.GetConnector(*config, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, fmt.Sprintf("SET default_transaction_read_only = on; SET timezone = 'UTC'; "+
			"SET default_transaction_isolation = 'read committed'; SET statement_timeout = %d", d.milliseconds(l)))
		return err
	})), nil
}

// insisting dials connections whose server must have TLS.
func insisting(dial pgconn.DialFunc) pgconn.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &insistent{Conn: conn}, nil
	}
}

// insistent tells by its own error that the server answers N to the request for TLS (SSLRequest of the protocol), which
// pgx tells in words alone.
type insistent struct {
	net.Conn
	asked bool
}

// Read implements net.Conn.
func (c *insistent) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if first := !c.asked && n > 0; first {
		if c.asked = true; n == 1 && b[0] == 'N' {
			return 0, errNoTLS
		}
	}
	return n, err
}

// grace is how much longer the server's own time limit is than ours, so that ours is the one that is met.
const grace = 5 * time.Second

func (postgres) milliseconds(l connectors.Limits) int64 { return (l.Timeout + grace).Milliseconds() }

func (d postgres) lift(l connectors.Limits) (lift, restore string) {
	return "SET statement_timeout = 0", "SET statement_timeout = " + strconv.FormatInt(d.milliseconds(l), 10)
}

func (postgres) begin(ctx context.Context, c *sql.Conn, readOnly bool, l connectors.Limits) (*sql.Tx, error) {
	tx, err := c.BeginTx(ctx, &sql.TxOptions{ReadOnly: readOnly})
	if err != nil || readOnly {
		return tx, err
	}
	_, err = tx.ExecContext(ctx, fmt.Sprintf("SET TRANSACTION READ WRITE; SET LOCAL lock_timeout = %d", lockWait(l).Milliseconds()))
	if err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	return tx, nil
}

// lockWait is how long an effect waits for another user's lock: shorter than for the whole statement, so that a locked
// record can be told from a slow system.
func lockWait(l connectors.Limits) time.Duration { return max(l.Timeout/3, time.Second) }

func (postgres) failure(err error) *connectors.Failure {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		if errors.Is(err, pgx.ErrTxCommitRollback) {
			return diagnosis{status: "25P02", sqlstate: "25P02", message: "the transaction was rolled back"}.answered(err)
		}
		return nil
	}
	return diagnosis{
		status: e.Code, sqlstate: e.Code, constraint: e.ConstraintName, column: e.ColumnName, table: e.TableName, message: e.Message,
		account: map[string]connectors.Account{"28000": connectors.Locked}[e.Code], // 28P01 is the wrong password
	}.answered(err)
}
