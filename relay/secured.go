package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"

	"gantry/tunnel/fault"
)

// secured gives the listener whose connections net/http serves: with TLS where that is configured, and in each case with
// net/http's own answers in our words.
func (r *Relay) secured() (net.Listener, error) {
	if r.config.TLS.Cert == "" {
		return worded{r.listener}, nil
	}
	certificate, err := tls.LoadX509KeyPair(r.config.TLS.Cert, r.config.TLS.Key)
	if err != nil {
		return nil, fmt.Errorf("load tls.cert and tls.key: %w", err)
	}
	return handshakes(r.listener, &tls.Config{
		Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
	}), nil
}

// shaken is a listener of TLS connections whose handshakes are over. net/http would make them itself, but only on a bare
// *tls.Conn, which it would then speak plain text on (worded). So the handshake is made here: what agreed on HTTP/2 goes
// on as it is, because net/http finds HTTP/2 by the type; everything else is worded.
type shaken struct {
	net.Listener
	config *tls.Config
	ready  chan net.Conn
	failed chan error // of accepting, once
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
}

var _ net.Listener = (*shaken)(nil)

// handshakes starts to accept; Close ends it and waits for the handshakes under way, which it cuts.
func handshakes(inner net.Listener, config *tls.Config) *shaken {
	s := &shaken{Listener: inner, config: config, ready: make(chan net.Conn), failed: make(chan error, 1)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.work.Go(func() {
		for {
			conn, err := inner.Accept()
			if err != nil {
				s.failed <- err
				return
			}
			s.work.Go(func() { s.shake(conn) })
		}
	})
	return s
}

// Accept implements net.Listener.
func (s *shaken) Accept() (net.Conn, error) {
	select {
	case conn := <-s.ready:
		return conn, nil
	case err := <-s.failed:
		return nil, err
	}
}

// Close implements net.Listener.
func (s *shaken) Close() error {
	err := s.Listener.Close()
	s.cancel()
	s.work.Wait()
	return err
}

// shake makes one handshake, within the time that a header has.
func (s *shaken) shake(plain net.Conn) {
	ctx, cancel := context.WithTimeout(s.ctx, headerTime)
	defer cancel()
	conn := tls.Server(plain, s.config)
	if err := conn.HandshakeContext(ctx); err != nil {
		plainly(err)
		_ = plain.Close()
		return
	}
	var served net.Conn = conn
	if conn.ConnectionState().NegotiatedProtocol != "h2" {
		served = securedConn{wordedConn{conn}, conn}
	}
	select {
	case s.ready <- served:
	case <-s.ctx.Done():
		_ = plain.Close()
	}
}

// plainly tells a caller who speaks HTTP without TLS so, in the language that it understands.
func plainly(err error) {
	mistaken, ok := errors.AsType[tls.RecordHeaderError](err)
	if !ok || mistaken.Conn == nil || !looksLikeHTTP(mistaken.RecordHeader) {
		return
	}
	problem := fault.New(fault.InvalidRequest, "The request came without TLS to an address that speaks HTTPS.").Advise("Use https:// in the address.")
	_, _ = mistaken.Conn.Write(encodeAnswer(problem)) // the connection ends in any case
}

// looksLikeHTTP reports whether the first five bytes are a method's, as net/http does.
func looksLikeHTTP(head [5]byte) bool {
	switch string(head[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "OPTIO", "PATCH", "DELET":
		return true
	}
	return false
}

// securedConn is a worded connection that still knows its TLS, which net/http would tell the handlers of a bare one.
type securedConn struct {
	wordedConn
	tls *tls.Conn
}

type tlsKey struct{}

// withTLS keeps the state of a connection's TLS for seenTLS. It is http.Server.ConnContext.
func withTLS(ctx context.Context, conn net.Conn) context.Context {
	if secured, ok := conn.(securedConn); ok {
		state := secured.tls.ConnectionState()
		return context.WithValue(ctx, tlsKey{}, &state)
	}
	return ctx
}

// seenTLS gives requests on securedConns their http.Request.TLS.
func seenTLS(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if state, ok := r.Context().Value(tlsKey{}).(*tls.ConnectionState); ok {
			r.TLS = state
		}
		next.ServeHTTP(w, r)
	})
}
