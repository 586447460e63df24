package sqldriver

import (
	"context"
	"database/sql/driver"
	"fmt"
	"reflect"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteConn is all that modernc's connection can do, so that embedding it loses nothing.
type sqliteConn interface {
	driver.Conn
	driver.Pinger
	driver.QueryerContext
	driver.ExecerContext
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.SessionResetter
	driver.Validator
}

// sqliteSession is a session that can be interrupted between two rows. The library interrupts a statement only until its
// first row: after that, a scan that finds no second one would go on for ever.
type sqliteSession struct {
	sqliteConn
	handle uintptr // the sqlite3* of the connection
}

var _ killer = sqliteSession{}

// sqliteSessions opens such sessions.
type sqliteSessions struct{ driver.Connector }

// Connect implements driver.Connector. The library does not give its handle away; reflection reads the field, and says
// so if a later version has none.
func (s sqliteSessions) Connect(ctx context.Context) (driver.Conn, error) {
	plain, err := s.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	conn, ok := plain.(sqliteConn)
	field := reflect.Indirect(reflect.ValueOf(plain)).FieldByName("db")
	if !ok || field.Kind() != reflect.Uintptr {
		_ = plain.Close() // it is the library that is at fault
		return nil, fmt.Errorf("the SQLite library's connection lacks what a session needs: %T", plain)
	}
	return sqliteSession{conn, uintptr(field.Uint())}, nil
}

// kill is sqlite3_interrupt, the one call that may be made while another thread uses the connection. The lease keeps the
// connection open until kill has returned.
func (s sqliteSession) kill(context.Context) error {
	tls := libc.NewTLS()
	defer tls.Close()
	sqlite3.Xsqlite3_interrupt(tls, s.handle)
	return nil
}
