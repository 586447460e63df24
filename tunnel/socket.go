package tunnel

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// socket makes a stream of bytes out of a websocket's binary messages; the inner TLS runs on it.
//
// Writes between hold and release become one message, so that what was queued together (four TLS records for a full
// queue) travels as one frame, in one system call.
type socket struct {
	ws     *websocket.Conn
	link   *link
	reader io.Reader // of the message being read

	mu      sync.Mutex
	held    []byte // gathered; nil unless holding
	holding bool
	parted  *ClosedError // how the peer ended it, once it has
}

var _ net.Conn = (*socket)(nil)

func newSocket(ws *websocket.Conn, l *link) *socket {
	ws.SetReadLimit(maxMessage)
	return &socket{ws: ws, link: l}
}

// Read implements net.Conn. Deadlines are the link's, so the library's contexts and their timers stay out of it.
func (s *socket) Read(p []byte) (int, error) {
	for {
		if s.reader == nil {
			kind, r, err := s.ws.Reader(context.Background())
			if err != nil {
				return 0, s.ended(err)
			}
			if kind != websocket.MessageBinary {
				return 0, errors.New("a websocket message that is not binary")
			}
			s.reader = r
		}
		n, err := s.reader.Read(p)
		if err == io.EOF {
			s.reader = nil
			err = nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// ended turns a close frame into what the peer said with it.
func (s *socket) ended(err error) error {
	frame, ok := errors.AsType[websocket.CloseError](err)
	if !ok {
		return err
	}
	parted := &ClosedError{Reason: shorten(frame.Reason, 123), ByPeer: true, code: int(frame.Code)}
	s.mu.Lock()
	s.parted = parted
	s.mu.Unlock()
	return parted
}

// farewell is how the peer ended it; nil if it did not say.
func (s *socket) farewell() *ClosedError {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.parted
}

// Write implements net.Conn: one message, or a part of the held one. A write that the reading side makes (a TLS alert)
// while another holds is gathered too: TLS orders the records, and this keeps their order.
func (s *socket) Write(p []byte) (int, error) {
	s.mu.Lock()
	if s.holding {
		s.held = append(s.held, p...)
		s.mu.Unlock()
		return len(p), nil
	}
	s.mu.Unlock()
	return len(p), s.message(p)
}

// hold starts gathering. One goroutine holds at a time.
func (s *socket) hold() {
	s.mu.Lock()
	s.holding, s.held = true, borrow()
	s.mu.Unlock()
}

// release sends what was gathered since hold.
func (s *socket) release() error {
	for {
		s.mu.Lock()
		batch := s.held
		if len(batch) == 0 {
			s.holding, s.held = false, nil
			s.mu.Unlock()
			giveBack(batch)
			return nil
		}
		s.held = nil // what comes meanwhile is gathered anew
		s.mu.Unlock()
		err := s.message(batch)
		giveBack(batch)
		if err != nil {
			return err
		}
	}
}

// message sends one binary message with one write to the link.
func (s *socket) message(p []byte) error {
	s.link.cork(borrow())
	err := s.ws.Write(context.Background(), websocket.MessageBinary, p)
	buf, flushErr := s.link.uncork()
	giveBack(buf)
	return errors.Join(err, flushErr)
}

// Close implements net.Conn, without a word to the peer. The link goes first, so that it never waits for one who is
// just parting.
func (s *socket) Close() error {
	_ = s.link.Close()
	_ = s.ws.CloseNow() // it reports only that it was closed before
	return nil
}

// part tells the peer why, and closes. It takes no longer than parting, whatever the peer does.
func (s *socket) part(code websocket.StatusCode, reason string) {
	s.link.watched.Store(false)
	_ = s.link.SetDeadline(time.Now().Add(parting))
	_ = s.ws.Close(code, shorten(reason, 123)) // the peer may be gone: then there is nobody to tell
}

// partNormally and partForLater are the two ways to part.
func (s *socket) partNormally(reason string) { s.part(websocket.StatusNormalClosure, reason) }
func (s *socket) partForLater(r *Refused)    { s.part(websocket.StatusTryAgainLater, r.Code) }

// refusedEarly tells whether the peer ended the websocket to be left alone for now.
func (e *ClosedError) refusedEarly() *Refused {
	if e.code != int(websocket.StatusTryAgainLater) {
		return nil
	}
	if e.Reason == CodeDraining {
		return draining()
	}
	return overloaded()
}

func (s *socket) LocalAddr() net.Addr                { return s.link.LocalAddr() }
func (s *socket) RemoteAddr() net.Addr               { return s.link.RemoteAddr() }
func (s *socket) SetDeadline(t time.Time) error      { return s.link.SetDeadline(t) }
func (s *socket) SetReadDeadline(t time.Time) error  { return s.link.SetReadDeadline(t) }
func (s *socket) SetWriteDeadline(t time.Time) error { return s.link.SetWriteDeadline(t) }

// acceptSocket upgrades a request. It has answered when it fails.
func acceptSocket(w http.ResponseWriter, r *http.Request) (*socket, error) {
	h := &hijacker{ResponseWriter: w}
	ws, err := websocket.Accept(h, r, &websocket.AcceptOptions{
		CompressionMode:    websocket.CompressionDisabled, // what it carries is encrypted
		InsecureSkipVerify: true,                          // no browser's origin: who comes in is proved inside
	})
	if err != nil {
		return nil, fmt.Errorf("accept websocket: %w", err)
	}
	return newSocket(ws, h.link), nil
}

// hijacker hands the websocket library a link instead of the bare connection.
type hijacker struct {
	http.ResponseWriter
	link *link
}

// hijackedRead is the websocket's read buffer, once a session: it is for frames' heads and small messages, since large
// reads pass it by.
const hijackedRead = 1 << 10

// Hijack implements http.Hijacker. The write buffer is small: the link does the gathering.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	if err := conn.SetDeadline(time.Time{}); err != nil { // the HTTP server's own deadlines are done
		return nil, nil, err
	}
	h.link = &link{Conn: conn}
	reader := rw.Reader
	if reader.Buffered() == 0 { // an agent says nothing before it is answered
		reader = bufio.NewReaderSize(h.link, hijackedRead)
	}
	return h.link, bufio.NewReadWriter(reader, bufio.NewWriterSize(h.link, 512)), nil
}

// dialSocket upgrades a connection that was made to the relay. The response is the other end's, nil where there was none;
// the body of one that refuses holds at most 1 KiB.
func dialSocket(ctx context.Context, conn net.Conn, url string) (*socket, *http.Response, error) {
	l := newLink(conn)
	transport := &http.Transport{
		DialContext:            func(context.Context, string, string) (net.Conn, error) { return l, nil },
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true,
	}
	defer transport.CloseIdleConnections()
	ws, resp, err := websocket.Dial(ctx, url, &websocket.DialOptions{
		HTTPClient: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		HTTPHeader:      http.Header{"User-Agent": {"gantry-agent"}},
		CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		return nil, resp, err
	}
	return newSocket(ws, l), resp, nil
}
