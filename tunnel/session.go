package tunnel

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// How a call over a session can fail; RoundTrip's errors wrap one of them, or the caller's own context's end after the
// call was sent.
var (
	// ErrNotSent: not one byte of the call went onto a stream. It is safe to send it over another session.
	ErrNotSent = errors.New("the call was not sent")
	// ErrLost: the session or the stream broke under way. What the call did at the far end is unknown.
	ErrLost = errors.New("the tunnel broke during the call")
	// ErrSilent: nothing was heard from the peer for too long. Session.Err wraps it.
	ErrSilent = errors.New("the peer went silent")

	errDraining = errors.New("the session takes no new calls")
)

// ClosedError is the end of a session that was closed on purpose.
type ClosedError struct {
	Reason string
	ByPeer bool

	code int // of the websocket's close frame
}

// Error implements error.
func (e *ClosedError) Error() string {
	who := "closed"
	if e.ByPeer {
		who = "closed by the peer"
	}
	return who + ": " + cmp.Or(e.Reason, "no reason given")
}

// Peer is the far end of a session.
type Peer struct {
	AgentID     string // of the session's agent; at both ends
	Certificate *x509.Certificate
	Hello       Hello
	RemoteAddr  string
	Since       time.Time
	Expired     bool // the agent's certificate has ended: the session serves to renew it, and for nothing else
}

// Counters are a session's figures since it began.
type Counters struct {
	BytesIn, BytesOut              int64 // inside the inner TLS
	StreamsOpened, StreamsAccepted int64
}

// Session is one live connection between an agent and its relay. Both ends have one, and either may call the other.
//
// It begins live; Drain or Retire makes it draining: no new calls of our own, while those under way finish and the
// peer's are served; it ends closed, by Close, by the peer, or because the way broke, and Done tells. All methods are
// safe for concurrent use.
type Session struct {
	peer   Peer
	mux    mux
	outbox *outbox
	log    *slog.Logger

	ctx    context.Context // of what the peer calls; ends with the session
	cancel context.CancelFunc
	calls  tally
	slots  chan struct{} // places for our own calls
	caller *http.Transport
	server *http.Server

	opened, accepted atomic.Int64

	done   chan struct{}
	mu     sync.Mutex
	reason string // we closed it
	err    error
	pulse  *time.Timer // of beat
	pings  sync.WaitGroup
}

type sessionKey struct{}

// SessionOf gives the session that a served request came over; nil for a request that did not come over one.
func SessionOf(ctx context.Context) *Session {
	s, _ := ctx.Value(sessionKey{}).(*Session)
	return s
}

// newSession starts a session on a connection whose hello and welcome are over; serve makes the handler of the peer's
// calls. The session owns the connection, and all its goroutines end with it.
func newSession(conn *tls.Conn, sock *socket, dialled bool, peer Peer, serve func(*Session) http.Handler, log *slog.Logger) (*Session, error) {
	if err := sock.SetDeadline(time.Time{}); err != nil {
		return nil, fmt.Errorf("start session: %w", err)
	}
	sock.link.watch()
	s := &Session{
		peer: peer, outbox: newOutbox(conn, sock), done: make(chan struct{}),
		log:   log.With("agent_id", peer.AgentID, "lane", peer.Hello.Lane),
		slots: make(chan struct{}, streamsOf(peer.Hello.Lane)),
	}
	s.ctx, s.cancel = context.WithCancel(context.WithValue(context.Background(), sessionKey{}, s))
	m, err := newMux(s.outbox, dialled, peer.Hello.Lane, s.log)
	if err != nil {
		s.cancel()
		_ = s.outbox.Close()
		return nil, err
	}
	s.mux = m
	s.caller = s.newCaller()
	s.server = s.newServer(serve(s))
	s.nextBeat()
	return s, nil
}

// start serves the peer until the session ends, in a goroutine that is the session's; ended, unless nil, is its last act.
// An idle session is one of ten thousand: a second goroutine that only waits for its end would be 2 KiB more.
func (s *Session) start(ended func()) {
	go func() {
		_ = s.server.Serve(&streams{session: s, places: make(chan struct{}, streamsOf(s.peer.Hello.Lane)+backlog/8)})
		s.end()
		if ended != nil {
			ended()
		}
	}()
}

// end is the one place where a session's life is closed off.
func (s *Session) end() {
	_ = s.mux.Close()
	s.calls.close()
	s.cancel()
	_ = s.server.Close()
	s.caller.CloseIdleConnections()
	s.pings.Wait()
	s.mu.Lock()
	s.pulse.Stop()
	s.err = s.verdict()
	s.mu.Unlock()
	close(s.done)
}

// verdict says why it ended.
func (s *Session) verdict() error {
	if s.reason != "" {
		return &ClosedError{Reason: s.reason}
	}
	if parted := s.outbox.socket.farewell(); parted != nil {
		return parted
	}
	if s.outbox.socket.link.silent.Load() {
		return fmt.Errorf("%w for %s", ErrSilent, silence)
	}
	return errors.New("the connection was lost")
}

// Peer tells who is at the far end.
func (s *Session) Peer() Peer { return s.peer }

// Done is closed when the session has ended; Err then says why.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err is nil while the session lives. After it is a *ClosedError, or wraps ErrSilent, or tells that the way broke.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// InFlight counts the calls under way, of both directions.
func (s *Session) InFlight() int { return s.calls.count() }

// Draining tells whether the session takes no new calls of our own.
func (s *Session) Draining() bool { return s.calls.isClosed() }

// Retired is closed when the session takes no new calls of our own: a call that has no end of its own ends then, since
// Finish and Drain wait for it.
func (s *Session) Retired() <-chan struct{} { return s.calls.isShut() }

// Retire makes the session take no new calls of our own, and returns at once.
func (s *Session) Retire() { s.calls.close() }

// Finish retires the session and waits until no call of our own is under way, or ctx ends. It is what to do, before
// answering, when the peer says that it is about to stop: a call of ours that is still in the pipe is one that the peer
// cannot know of, and would not wait for.
func (s *Session) Finish(ctx context.Context) error {
	s.Retire()
	if err := s.calls.waitOwn(ctx); err != nil {
		return fmt.Errorf("finish own calls: %w", err)
	}
	return nil
}

// Drain retires the session and waits until no call is under way, in either direction, or ctx ends. The peer's new
// calls are still served: it may not know yet, and no call is to be lost.
func (s *Session) Drain(ctx context.Context) error {
	s.Retire()
	if err := s.calls.waitAll(ctx); err != nil {
		return fmt.Errorf("drain session: %d calls under way: %w", s.InFlight(), err)
	}
	return nil
}

// Close ends the session and what is under way on it, telling the peer why if it still listens. It returns when the
// session has ended, within about a second.
func (s *Session) Close(reason string) {
	s.mu.Lock()
	if s.reason == "" && s.err == nil {
		s.reason = cmp.Or(reason, "closed")
	}
	reason = s.reason
	s.mu.Unlock()
	s.outbox.part(reason)
	_ = s.mux.Close() // ends Serve, and that the rest
	<-s.done
}

// Ping measures a round trip to the peer's multiplexer, in front of its handlers.
func (s *Session) Ping(ctx context.Context) (time.Duration, error) {
	type answer struct {
		took time.Duration
		err  error
	}
	answered := make(chan answer, 1)
	if !s.startPing(func() {
		took, err := s.mux.Ping()
		answered <- answer{took, err}
	}) {
		return 0, fmt.Errorf("ping: %w", ErrLost)
	}
	select {
	case a := <-answered:
		if a.err != nil {
			return 0, fmt.Errorf("ping: %w: %w", ErrLost, a.err)
		}
		return a.took, nil
	case <-ctx.Done():
		return 0, fmt.Errorf("ping: %w", context.Cause(ctx))
	}
}

// beat lets the peer hear from us, and ends a session on which not even that gets through.
func (s *Session) beat() {
	s.startPing(func() {
		if _, err := s.mux.Ping(); err != nil {
			_ = s.mux.Close()
			return
		}
		s.nextBeat()
	})
}

func (s *Session) nextBeat() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pulse == nil {
		s.pulse = time.AfterFunc(keepAlive, s.beat)
		return
	}
	s.pulse.Reset(keepAlive)
}

// startPing runs a ping that the session's end waits for; false: it has ended.
func (s *Session) startPing(ping func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.mux.CloseChan():
		return false
	default:
		s.pings.Go(ping)
		return true
	}
}

// Counters gives the session's figures.
func (s *Session) Counters() Counters {
	return Counters{
		BytesIn: s.outbox.in.Load(), BytesOut: s.outbox.out.Load(),
		StreamsOpened: s.opened.Load(), StreamsAccepted: s.accepted.Load(),
	}
}
