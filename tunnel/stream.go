package tunnel

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

var errSealed = errors.New("the call was given up")

// outStream is a stream that carries our own calls. It can tell, for certain, whether a call's bytes went onto it.
type outStream struct {
	net.Conn
	readers *readers
	half    int // of the window, in bytes
	taken   int // of this half; the reader's alone

	mu     sync.Mutex
	wrote  bool // since mark
	sealed bool
}

// Read implements net.Conn; it never reads across the middle or the end of the window. yamux grants the peer more only
// when at least half a window has been read since the last grant. A read beyond that leaves less than a half to be read
// of what is under way, which then grants nothing: one half a round trip would travel instead of two.
func (s *outStream) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p[:min(len(p), s.half-s.taken)])
	s.taken = (s.taken + n) % s.half
	return n, err
}

// Write implements net.Conn, in chunks, so that streams take turns.
func (s *outStream) Write(p []byte) (int, error) {
	if !s.begin() {
		return 0, errSealed
	}
	return writeChunks(s.Conn, p)
}

func (s *outStream) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrote = s.wrote || !s.sealed
	return !s.sealed
}

// mark starts a new call on the stream.
func (s *outStream) mark() {
	s.mu.Lock()
	s.wrote = false
	s.mu.Unlock()
}

// seal forbids further writes and tells whether there was any since mark.
func (s *outStream) seal() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed = true
	return s.wrote
}

// SetReadDeadline implements net.Conn.
func (s *outStream) SetReadDeadline(t time.Time) error { return s.readers.setDeadline(s.Conn, t) }

// Close implements net.Conn.
func (s *outStream) Close() error {
	s.readers.remove(s.Conn)
	return s.Conn.Close()
}

// inStream is a stream that the peer opened, served by our HTTP server.
type inStream struct {
	busy bool // a call of the peer is on it; of the goroutine that serves the stream
	net.Conn
	readers *readers

	once  sync.Once
	freed func()
	gone  atomic.Bool
}

// Read implements net.Conn. A caller never closes just its own direction, so the end of what it sends means that it has
// gone: a handler that is stuck in writing to it is released at once.
func (s *inStream) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	if err == io.EOF && !s.gone.Swap(true) {
		_ = s.Conn.SetWriteDeadline(past)
	}
	return n, err
}

// SetReadDeadline implements net.Conn.
func (s *inStream) SetReadDeadline(t time.Time) error { return s.readers.setDeadline(s.Conn, t) }

// SetDeadline implements net.Conn.
func (s *inStream) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

// SetWriteDeadline implements net.Conn; nothing revives a stream whose caller has gone.
func (s *inStream) SetWriteDeadline(t time.Time) error {
	if s.gone.Load() {
		return nil
	}
	return s.Conn.SetWriteDeadline(t)
}

// Write implements net.Conn.
func (s *inStream) Write(p []byte) (int, error) { return writeChunks(s.Conn, p) }

// Close implements net.Conn and gives the stream's place back.
func (s *inStream) Close() error {
	s.readers.remove(s.Conn)
	err := s.Conn.Close()
	s.once.Do(s.freed)
	return err
}

func writeChunks(w io.Writer, p []byte) (int, error) {
	written := 0
	for written < len(p) {
		n, err := w.Write(p[written:min(written+chunk, len(p))])
		written += n
		if err != nil {
			return written, err
		}
	}
	return written, nil
}
