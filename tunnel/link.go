package tunnel

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// link is the connection under the websocket. It adds two things that the layers above cannot do:
//
// It watches the peer. Once watched, a read that hears nothing for silence fails, and so does a write that is not
// taken within stall; no goroutine and no timer of our own is needed for it.
//
// It gathers writes while corked. The websocket library writes a message in pieces of its own 4 KiB buffer (it must, to
// mask a client's), and each would be one system call and, over HTTPS, one TLS record.
type link struct {
	net.Conn
	watched atomic.Bool
	heard   time.Time   // when the read deadline was last renewed; the reader's alone
	silent  atomic.Bool // a read failed for hearing nothing

	mu     sync.Mutex
	corked []byte // nil: not corked

	below *link // under the outer TLS, where there is one and it is ours to gather
}

// newLink puts a link on a connection. On a dialled TLS one it also gathers below it: crypto/tls writes each record of
// 16 KiB by a system call of its own.
func newLink(conn net.Conn) *link {
	l := &link{Conn: conn}
	if outer, ok := conn.(*tls.Conn); ok {
		l.below, _ = outer.NetConn().(*link)
	}
	return l
}

func (l *link) watch() { l.watched.Store(true) }

// Read implements net.Conn.
func (l *link) Read(p []byte) (int, error) {
	if l.watched.Load() {
		if now := time.Now(); now.Sub(l.heard) > time.Second {
			l.heard = now
			if err := l.Conn.SetReadDeadline(now.Add(silence)); err != nil {
				return 0, err
			}
		}
	}
	n, err := l.Conn.Read(p)
	if err != nil && l.watched.Load() && errors.Is(err, os.ErrDeadlineExceeded) {
		l.silent.Store(true)
	}
	return n, err
}

// Write implements net.Conn.
func (l *link) Write(p []byte) (int, error) {
	if l.gather(p) {
		return len(p), nil
	}
	return l.send(p)
}

func (l *link) gather(p []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.corked == nil {
		return false
	}
	l.corked = append(l.corked, p...)
	return true
}

func (l *link) send(p []byte) (int, error) {
	if l.watched.Load() {
		if err := l.Conn.SetWriteDeadline(time.Now().Add(stall)); err != nil {
			return 0, err
		}
	}
	if l.below == nil {
		return l.Conn.Write(p)
	}
	l.below.cork(borrow())
	n, err := l.Conn.Write(p)
	buf, flushErr := l.below.uncork()
	giveBack(buf)
	return n, errors.Join(err, flushErr)
}

// cork starts gathering into buf, which must not be nil.
func (l *link) cork(buf []byte) {
	l.mu.Lock()
	l.corked = buf[:0]
	l.mu.Unlock()
}

// uncork ends gathering and sends what there is in one write. It gives the buffer back. A control frame that the
// library writes at this moment may overtake the message: both are whole frames, so their order does not matter.
func (l *link) uncork() ([]byte, error) {
	l.mu.Lock()
	buf := l.corked
	l.corked = nil
	l.mu.Unlock()
	if len(buf) == 0 {
		return buf, nil
	}
	_, err := l.send(buf)
	return buf, err
}
