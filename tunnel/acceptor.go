package tunnel

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"

	"gantry/tunnel/fault"
	"gantry/tunnel/pki"
)

// headerRefused carries the code of a refusal before the upgrade; noUpgrade is that of a request that asks for none.
const (
	headerRefused = "Gantry-Refused"
	noUpgrade     = "no_upgrade"
)

// Acceptor is the relay's end: an http.Handler for GET /tunnel that makes sessions. The fields are set before its first
// use. Admission is by a line: a few handshakes at a time, the rest wait, and those beyond are asked to come back.
//
// A request's RemoteAddr is taken for the agent's address: whoever believes a proxy's X-Forwarded-For sets it before.
type Acceptor struct {
	Authority *pki.Authority
	// Admit decides, after the certificate was checked, whether a peer may come in; nil admits it. Its context ends
	// after a few seconds. An expired certificate that may be renewed comes with Peer.Expired.
	Admit func(ctx context.Context, peer Peer) *Refused
	// Handler makes what the agent may call. It is asked once per session.
	Handler func(*Session) http.Handler
	// OnSession is told of each new session, in the goroutine that made it; it must not wait for the session's end.
	OnSession func(*Session)
	// Enrol serves enrolments, one request a connection; nil refuses them.
	Enrol http.Handler
	// MaxHandshakes is how many the processor works on at a time; 0 means the package's MaxHandshakes.
	MaxHandshakes int
	Logger        *slog.Logger

	once   sync.Once
	gate   *admission
	config *tls.Config
	broken error // why there is no config
	ctx    context.Context
	cancel context.CancelFunc

	mu       sync.Mutex
	stopping bool
	sessions map[*Session]struct{}
	arriving sync.WaitGroup // handshakes and enrolments
	living   sync.WaitGroup // sessions

	arrivals arrivals
}

var _ http.Handler = (*Acceptor)(nil)

func (a *Acceptor) prepare() {
	a.once.Do(func() {
		if a.Logger == nil {
			a.Logger = slog.New(slog.DiscardHandler)
		}
		a.gate = newAdmission(a.MaxHandshakes)
		a.sessions = map[*Session]struct{}{}
		a.ctx, a.cancel = context.WithCancel(context.Background())
		cert, err := a.Authority.Server()
		a.config, a.broken = relayConfig(cert), err
	})
}

// ServeHTTP takes a websocket and returns when it has become a session, or has not.
func (a *Acceptor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.prepare()
	if err := checkUpgrade(r); err != nil {
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set(headerRefused, noUpgrade)
		err.Write(w)
		return
	}
	if a.broken != nil {
		a.Logger.Error("tunnel has no certificate", "error", a.broken)
		fault.From(a.broken, fault.HopRelay).Write(w)
		return
	}
	if !a.arrive() {
		a.refuse(w, draining())
		return
	}
	defer a.arriving.Done()
	leave, ok := a.gate.enter(r.RemoteAddr)
	if !ok {
		a.Logger.Warn("tunnel refused: too many newcomers", "remote_addr", r.RemoteAddr)
		a.refuse(w, overloaded())
		return
	}
	defer leave()
	sock, err := acceptSocket(w, r)
	if err != nil {
		a.arrivals.add(ArrivedFailed)
		a.Logger.Debug("tunnel upgrade failed", "remote_addr", r.RemoteAddr, "error", err)
		return
	}
	a.receive(sock, r.RemoteAddr)
}

// arrive counts a handshake in; false: the acceptor is stopping.
func (a *Acceptor) arrive() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stopping {
		return false
	}
	a.arriving.Add(1)
	return true
}

// checkUpgrade answers what is no websocket in our own form, before the library would answer it in plain text.
func checkUpgrade(r *http.Request) *fault.Error {
	switch {
	case r.Method != http.MethodGet:
		return fault.New(fault.MethodNotAllowed, "The tunnel is opened by GET.").Permits(http.MethodGet)
	case !r.ProtoAtLeast(1, 1) || r.ProtoMajor != 1,
		!hasToken(r.Header, "Connection", "upgrade"), !hasToken(r.Header, "Upgrade", "websocket"),
		r.Header.Get("Sec-WebSocket-Version") != "13", len(r.Header.Values("Sec-WebSocket-Key")) != 1, len(r.Header.Get("Sec-WebSocket-Key")) != 24:
		return fault.New(fault.InvalidRequest, "This is where agents open their tunnel, by a websocket upgrade (RFC 6455).").
			Advise("If an agent sent it, a proxy on the way took the Upgrade header off: let websockets to this host pass. The API is at /api/v1.")
	}
	return nil
}

func hasToken(h http.Header, name, token string) bool {
	for _, value := range h.Values(name) {
		for part := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

// refuse answers before the upgrade: with a problem document for people, and a header for the agent.
func (a *Acceptor) refuse(w http.ResponseWriter, r *Refused) {
	a.arrivals.add(r.Code)
	w.Header().Set(headerRefused, r.Code)
	fault.New(fault.Overloaded, "%s", r.Message).At(fault.HopTunnel).Write(w)
}

// keep makes the session one of the acceptor's; false: it is stopping, and the session is not kept.
func (a *Acceptor) keep(s *Session) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stopping {
		return false
	}
	a.sessions[s] = struct{}{}
	a.living.Add(1)
	return true
}

// forget is keep's counterpart, when the session has ended.
func (a *Acceptor) forget(s *Session) {
	defer a.living.Done()
	a.mu.Lock()
	delete(a.sessions, s)
	a.mu.Unlock()
}

// Shutdown stops: newcomers are refused, the sessions finish the calls under way, until ctx ends, and are closed. It
// returns when all goroutines of the acceptor and its sessions are done, but for handlers that outlive ctx.
func (a *Acceptor) Shutdown(ctx context.Context) error {
	a.prepare()
	a.mu.Lock()
	a.stopping = true
	live := make([]*Session, 0, len(a.sessions))
	for s := range a.sessions {
		live = append(live, s)
	}
	a.mu.Unlock()
	a.cancel() // handshakes are given up; an agent comes back by itself

	errs := make([]error, len(live))
	var drained sync.WaitGroup
	for i, s := range live {
		drained.Go(func() {
			errs[i] = s.Drain(ctx)
			s.Close("the relay is stopping")
		})
	}
	drained.Wait()
	a.arriving.Wait()
	a.living.Wait()
	return errors.Join(errs...)
}

// relayConfig is the inner TLS of the relay. The client's certificate is asked for here and judged after the handshake
// (greet), where a refusal can tell its reason; TLS would only send an alert.
func relayConfig(cert tls.Certificate) *tls.Config {
	agents := &tls.Config{
		Certificates:                []tls.Certificate{cert},
		ClientAuth:                  tls.RequireAnyClientCert,
		MinVersion:                  tls.VersionTLS13,
		CurvePreferences:            innerCurves,
		NextProtos:                  []string{protocol},
		SessionTicketsDisabled:      true, // each session proves itself anew; a ticket would be a second credential
		DynamicRecordSizingDisabled: true, // the outbox decides what goes out together
	}
	newcomers := agents.Clone()
	newcomers.ClientAuth = tls.NoClientCert
	newcomers.NextProtos = []string{protocolEnrol}
	agents.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if len(hello.SupportedProtos) == 1 && hello.SupportedProtos[0] == protocolEnrol {
			return newcomers, nil
		}
		return nil, nil
	}
	return agents
}

// closeOnEnd closes the connection when the acceptor stops, until the returned function is called.
func (a *Acceptor) closeOnEnd(conn net.Conn) (stop func() bool) {
	return context.AfterFunc(a.ctx, func() { _ = conn.Close() })
}
