package sqldriver

import (
	"context"
	"database/sql/driver"
	"io"
	"sync/atomic"
)

// logins opens the sessions of a pool one after the other, so that calls which all need a new one at once do not all try
// a password that the server no longer takes: some wrong ones lock an account. Whoever waited while a login failed shares
// its failure.
type logins struct {
	driver.Connector
	turn   chan struct{}
	failed atomic.Pointer[failedLogin]
}

// failedLogin is how the last login failed that did.
type failedLogin struct{ err error }

func newLogins(c driver.Connector) *logins {
	return &logins{Connector: c, turn: make(chan struct{}, 1)}
}

// Connect implements driver.Connector.
func (l *logins) Connect(ctx context.Context) (driver.Conn, error) {
	before := l.failed.Load()
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-l.turn }()
	if failed := l.failed.Load(); failed != before {
		return nil, failed.err
	}
	session, err := l.Connector.Connect(ctx)
	if err != nil && ctx.Err() == nil { // not because its caller went away
		l.failed.Store(&failedLogin{err})
	}
	return session, err
}

// Close implements io.Closer, for connectors that are ones.
func (l *logins) Close() error {
	if closer, ok := l.Connector.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}
