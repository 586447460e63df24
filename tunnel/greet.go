package tunnel

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"gantry/tunnel/pki"
)

// receive takes a websocket through the stages up to a session. Every stage that waits for the peer has its own few
// seconds, and none of them holds a place at the cryptography meanwhile.
func (a *Acceptor) receive(sock *socket, remote string) {
	stop := a.closeOnEnd(sock)
	defer stop()
	conn, err := a.handshake(sock)
	switch {
	case errors.Is(err, errLine):
		a.arrivals.add(CodeOverloaded)
		a.Logger.Warn("tunnel refused: no turn in time", "remote_addr", remote)
		sock.partForLater(overloaded())
		return
	case err != nil:
		a.arrivals.add(ArrivedFailed)
		a.Logger.Debug("tunnel handshake failed", "remote_addr", remote, "error", err)
		_ = sock.Close()
		return
	}
	if conn.ConnectionState().NegotiatedProtocol == protocolEnrol {
		a.arrivals.add(ArrivedEnrolment)
		a.serveEnrol(conn, sock, remote)
		return
	}
	a.greet(conn, sock, remote)
}

// handshake is the inner TLS. Its place is taken once the whole ClientHello is there.
func (a *Acceptor) handshake(sock *socket) (*tls.Conn, error) {
	if err := sock.SetDeadline(time.Now().Add(stage)); err != nil {
		return nil, err
	}
	hello, err := readClientHello(sock)
	if err != nil {
		return nil, err
	}
	if err := a.gate.place(a.ctx); err != nil {
		return nil, err
	}
	if err := sock.SetDeadline(time.Now().Add(stage)); err != nil {
		a.gate.giveBack()
		return nil, err
	}
	// Once the handshake is over, TLS reads through pass: straight from the socket.
	pass := &handoff{Conn: sock}
	work := &working{Conn: sock, ctx: a.ctx, gate: a.gate}
	pass.replace(&replayed{Conn: work, first: hello})
	conn := tls.Server(pass, a.config)
	err = conn.HandshakeContext(a.ctx)
	if !work.free {
		a.gate.giveBack()
	}
	if err != nil {
		return nil, err
	}
	pass.replace(sock)
	return conn, nil
}

// greet hears the hello, judges the peer and answers; a peer that is welcome becomes a session.
func (a *Acceptor) greet(conn *tls.Conn, sock *socket, remote string) {
	peer, refused, err := a.judge(conn, sock, remote)
	if err != nil {
		a.arrivals.add(ArrivedFailed)
		a.Logger.Debug("tunnel hello failed", "remote_addr", remote, "error", err)
		_ = sock.Close()
		return
	}
	if refused != nil {
		a.arrivals.add(refused.Code)
		a.Logger.Warn("agent refused", "agent_id", peer.AgentID, "remote_addr", remote, "code", refused.Code)
		_ = writeMessage(conn, welcome{Refused: refused}) // the peer may be gone: then there is nobody to tell
		sock.partNormally(refused.Code)
		return
	}
	if err := a.begin(conn, sock, peer); err != nil {
		a.arrivals.add(ArrivedFailed)
		a.Logger.Debug("tunnel session failed", "agent_id", peer.AgentID, "remote_addr", remote, "error", err)
		_ = sock.Close()
		return
	}
	a.arrivals.add(ArrivedSession)
}

func (a *Acceptor) judge(conn *tls.Conn, sock *socket, remote string) (Peer, *Refused, error) {
	if err := sock.SetDeadline(time.Now().Add(stage)); err != nil {
		return Peer{}, nil, err
	}
	hello, err := readHello(conn)
	if err != nil {
		return Peer{}, nil, err
	}
	cert := conn.ConnectionState().PeerCertificates[0]
	peer := Peer{Certificate: cert, Hello: hello, RemoteAddr: remote, Since: time.Now()}
	peer.AgentID, peer.Expired, err = a.Authority.Agent(cert, peer.Since)
	if err != nil {
		return peer, unfit(cert, err), nil
	}
	if a.Admit == nil {
		return peer, nil, nil
	}
	ctx, cancel := context.WithTimeout(a.ctx, stage)
	defer cancel()
	refused := a.Admit(ctx, peer)
	return peer, refused, sock.SetDeadline(time.Now().Add(stage))
}

// unfit puts what is wrong with a certificate into words for the agent.
func unfit(cert *x509.Certificate, err error) *Refused {
	switch {
	case errors.Is(err, pki.ErrForeign):
		return &Refused{Code: CodeWrongCA, Permanent: true,
			Message: "The agent's certificate is of another relay. Enrol the agent at this one with a new token."}
	case errors.Is(err, pki.ErrTooOld):
		return &Refused{Code: CodeExpiredCertificate, Permanent: true,
			Message: fmt.Sprintf("The agent's certificate ended on %s, too long ago to be renewed. Enrol the agent again with a new token.", cert.NotAfter.Format(time.DateOnly))}
	}
	return &Refused{Code: CodeWrongCertificate, Permanent: true,
		Message: "The certificate is not an agent's. Enrol the agent again with a new token."}
}

// begin welcomes the peer and starts the session.
func (a *Acceptor) begin(conn *tls.Conn, sock *socket, peer Peer) error {
	if err := writeMessage(conn, welcome{AgentID: peer.AgentID, Expired: peer.Expired}); err != nil {
		return err
	}
	s, err := newSession(conn, sock, false, peer, a.Handler, a.Logger)
	if err != nil {
		return err
	}
	if !a.keep(s) {
		s.start(nil)
		s.Close("the relay is stopping")
		return nil
	}
	s.start(func() { a.forget(s) })
	if a.OnSession != nil {
		a.OnSession(s)
	}
	return nil
}
