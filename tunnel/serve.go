package tunnel

import (
	"context"
	"log/slog"
	"net"
	"net/http"
)

// newServer is net/http's server on the streams that the peer opens. The context of a request carries the session
// (SessionOf) and ends with it, or when the caller gives up.
func (s *Session) newServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.RemoteAddr = s.peer.RemoteAddr // a stream's own address says nothing
			handler.ServeHTTP(w, r)
		}),
		ConnState:         s.track,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleServed,
		MaxHeaderBytes:    maxHeader,
		Protocols:         onlyHTTP1(),
		BaseContext:       func(net.Listener) context.Context { return s.ctx },
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}

// track counts the calls that the peer makes. One is over when its answer has left net/http's buffers, which is after the
// handler returns: a session that closed before that would lose it.
func (s *Session) track(conn net.Conn, state http.ConnState) {
	stream := conn.(*inStream)
	switch {
	case state == http.StateActive:
		stream.busy = true
		s.calls.serve()
	case stream.busy && (state == http.StateIdle || state == http.StateClosed):
		stream.busy = false
		s.calls.answered()
	}
}

// onlyHTTP1 keeps net/http from setting HTTP/2 up for each session, which has streams of its own.
func onlyHTTP1() *http.Protocols {
	var p http.Protocols
	p.SetHTTP1(true)
	return &p
}

// streams is the listener of the peer's streams. It has a place for each that is served; beyond these a few wait
// unaccepted, and the multiplexer resets the rest. A peer that keeps to its own limit never sees that.
type streams struct {
	session *Session
	places  chan struct{}
}

var _ net.Listener = (*streams)(nil)

// Accept implements net.Listener.
func (l *streams) Accept() (net.Conn, error) {
	select {
	case l.places <- struct{}{}:
	case <-l.session.mux.CloseChan():
		return nil, net.ErrClosed
	}
	conn, err := l.session.mux.Accept()
	if err != nil {
		return nil, err
	}
	l.session.accepted.Add(1)
	l.session.outbox.readers.add(conn)
	return &inStream{Conn: conn, readers: &l.session.outbox.readers, freed: func() { <-l.places }}, nil
}

// Close implements net.Listener. The session's end, which the server's follows, is not the listener's.
func (l *streams) Close() error { return nil }

// Addr implements net.Listener.
func (l *streams) Addr() net.Addr { return l.session.outbox.socket.LocalAddr() }
