package sqldriver

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"time"

	"gantry/connectors"
)

// killer is a session whose running statement has to be ended from outside.
type killer interface {
	// kill ends the session at the server.
	kill(ctx context.Context) error
}

// mysqlConn is all that go-sql-driver's connection can do, so that embedding it loses nothing.
type mysqlConn interface {
	driver.Conn
	driver.Pinger
	driver.QueryerContext
	driver.ExecerContext
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.SessionResetter
	driver.Validator
	driver.NamedValueChecker
}

// mysqlSession is a session that knows its id at the server. A cancelled context makes go-sql-driver drop the
// connection, which the server does not notice before it has something to send: it must be told with KILL.
type mysqlSession struct {
	mysqlConn
	id        uint64
	connector driver.Connector
}

var _ killer = (*mysqlSession)(nil)

// sessions opens MySQL sessions that can only read.
type sessions struct {
	driver.Connector
	limits connectors.Limits
}

// Connect implements driver.Connector.
func (s sessions) Connect(ctx context.Context) (driver.Conn, error) {
	plain, err := s.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	session, err := s.prepare(ctx, plain)
	if err != nil {
		return nil, errors.Join(err, plain.Close())
	}
	return session, nil
}

func (s sessions) prepare(ctx context.Context, plain driver.Conn) (driver.Conn, error) {
	conn, ok := plain.(mysqlConn)
	if !ok {
		return nil, fmt.Errorf("the MySQL library's connection lacks what a session needs: %T", plain)
	}
	id, err := connectionID(ctx, conn)
	if err != nil {
		return nil, err
	}
	for _, statement := range []string{
		"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY", serverLimit(s.limits.Timeout + grace),
	} {
		if _, err := conn.ExecContext(ctx, statement, nil); err != nil {
			return nil, err
		}
	}
	return &mysqlSession{mysqlConn: conn, id: id, connector: s.Connector}, nil
}

func connectionID(ctx context.Context, conn driver.QueryerContext) (uint64, error) {
	rows, err := conn.QueryContext(ctx, "SELECT CONNECTION_ID()", nil)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	row := make([]driver.Value, 1)
	if err := rows.Next(row); err != nil {
		return 0, err
	}
	return strconv.ParseUint(text(row[0]), 10, 64)
}

func text(v driver.Value) string {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return fmt.Sprint(v)
}

// killPatience bounds how long a cancelled call waits until the server was told.
const killPatience = 5 * time.Second

// kill opens a second connection, through the same dialer, and ends the first one from there.
func (s *mysqlSession) kill(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, killPatience)
	defer cancel()
	plain, err := s.connector.Connect(ctx)
	if err != nil {
		return err
	}
	defer plain.Close()
	conn, ok := plain.(driver.ExecerContext)
	if !ok {
		return fmt.Errorf("the MySQL library's connection cannot execute: %T", plain)
	}
	_, err = conn.ExecContext(ctx, "KILL "+strconv.FormatUint(s.id, 10), nil)
	return err
}
