package sqldriver

import (
	"context"
	"crypto/tls"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"

	"gantry/connectors"
	"gantry/tunnel/fault"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
)

// diagnosis is what a server says of a fault. All members reach the error map, so that its expressions need not ask
// whether one is there.
type diagnosis struct {
	status     string // what the product's own people would look up
	sqlstate   string
	number     int64
	constraint string
	column     string
	table      string
	message    string
	account    connectors.Account
}

// answered makes the failure of a fault that the system itself told.
func (d diagnosis) answered(err error) *connectors.Failure {
	return d.failure(connectors.Answered, err)
}

func (d diagnosis) failure(kind connectors.Kind, err error) *connectors.Failure {
	return &connectors.Failure{Kind: kind, Status: d.status, Message: d.message, Account: d.account, Err: err, Source: map[string]any{
		"sqlstate": d.sqlstate, "number": d.number, "constraint": d.constraint, "column": d.column, "table": d.table,
		"message": d.message,
	}}
}

// misfortune is a failure that the system said nothing about.
func misfortune(kind connectors.Kind, message string, err error) *connectors.Failure {
	return diagnosis{message: message}.failure(kind, err)
}

// Causes with which a wait ends a call's context.
var (
	errSlow    = errors.New("the system did not answer in time")
	errClosed  = errors.New("the connection was closed")
	errStopped = errors.New("the reader stopped")
)

// explain turns an error of a call into what connectors.Conn promises. ctx is the call's own, cause is why the context
// that the client library saw has ended, if it has.
func explain(ctx context.Context, cause error, d dialect, err error) error {
	if refusal, ok := errors.AsType[*fault.Error](err); ok {
		return refusal // of the plant's policy, by the dialer
	}
	if known, ok := errors.AsType[*connectors.Failure](err); ok {
		return known
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(cause, errSlow):
		return misfortune(connectors.TimedOut, errSlow.Error(), err)
	case errors.Is(cause, errClosed):
		return misfortune(connectors.Lost, errClosed.Error(), err)
	}
	if f := d.failure(err); f != nil {
		return f
	}
	if broken(err) {
		return misfortune(connectors.Lost, "the connection to the database broke", err)
	}
	return misfortune(connectors.Misused, "the statement and its values do not fit each other", err)
}

// explainOpening does the same for an error of opening a session, where a broken connection is one that never was.
func explainOpening(ctx context.Context, cause error, d dialect, err error) error {
	switch err := explain(ctx, cause, d, err).(type) {
	case *connectors.Failure:
		if err.Kind == connectors.Answered || errors.Is(cause, errClosed) {
			return err
		}
		return unopened(err.Err)
	default:
		return err
	}
}

// errNoTLS is a server that has no TLS, where the settings ask for it.
var errNoTLS = errors.New("the database offers no TLS")

// unopened says why no session came to be, as far as the client's side can tell.
func unopened(err error) *connectors.Failure {
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return misfortune(connectors.Insecure, "the database's certificate is not trusted: "+e.Err.Error(), err)
	}
	if errors.Is(err, errNoTLS) || errors.Is(err, mysql.ErrNoTLS) {
		return misfortune(connectors.Insecure, errNoTLS.Error()+", and the connection's setting asks for it", err)
	}
	_, alert := errors.AsType[tls.AlertError](err)
	if _, garbled := errors.AsType[tls.RecordHeaderError](err); alert || garbled {
		return misfortune(connectors.Insecure, "the database and the agent found no TLS that both accept", err)
	}
	return misfortune(connectors.Unreachable, "the database could not be reached", err)
}

// broken reports whether err tells of a connection that is no more.
func broken(err error) bool {
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	for _, end := range []error{driver.ErrBadConn, sql.ErrConnDone, mysql.ErrInvalidConn, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed} {
		if errors.Is(err, end) {
			return true
		}
	}
	return pgconn.SafeToRetry(err)
}

// stale reports whether a read may be tried again on another session: a pooled one that the server had closed meanwhile.
func stale(err error) bool {
	f, ok := errors.AsType[*connectors.Failure](err)
	return ok && f.Kind == connectors.Lost && broken(f.Err)
}
