package tunnel

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// maxEnrolment is how long one enrolment may take, the relay's own work included.
const maxEnrolment = 15 * time.Second

// serveEnrol serves one HTTP request straight on the inner TLS, and closes. Nobody has proved anything yet, so
// everything about it is small and short.
func (a *Acceptor) serveEnrol(conn *tls.Conn, sock *socket, remote string) {
	if a.Enrol == nil {
		_ = sock.Close()
		return
	}
	_ = sock.SetDeadline(time.Now().Add(maxEnrolment)) // if it fails, so does the first read
	ctx, cancel := context.WithTimeout(a.ctx, maxEnrolment)
	defer cancel()
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.RemoteAddr = remote
			a.Enrol.ServeHTTP(w, r)
		}),
		ReadTimeout:    stage,
		MaxHeaderBytes: maxHello,
		BaseContext:    func(net.Listener) context.Context { return ctx },
		ErrorLog:       slog.NewLogLogger(a.Logger.Handler(), slog.LevelDebug),
	}
	server.SetKeepAlivesEnabled(false)
	one := &single{conn: conn, closed: make(chan struct{})}
	_ = server.Serve(one) // ends with the connection, as single says
	sock.partNormally("enrolment is over")
}

// single is a listener of one connection. Its second Accept waits until that is closed.
type single struct {
	conn   net.Conn
	taken  bool
	once   sync.Once
	closed chan struct{}
}

// Accept implements net.Listener.
func (l *single) Accept() (net.Conn, error) {
	if !l.taken {
		l.taken = true
		return &singleConn{Conn: l.conn, l: l}, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

// Close implements net.Listener.
func (l *single) Close() error { return nil }

// Addr implements net.Listener.
func (l *single) Addr() net.Addr { return l.conn.LocalAddr() }

type singleConn struct {
	net.Conn
	l *single
}

// Close implements net.Conn.
func (c *singleConn) Close() error {
	err := c.Conn.Close()
	c.l.once.Do(func() { close(c.l.closed) })
	return err
}
