package tunnel

import (
	"errors"
	"io"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// ahead is an accepted connection that takes from the kernel as much as there is, up to a large buffer. crypto/tls asks
// for one record at a time, which over HTTPS is a system call for every 16 KiB of a bulk stream; here it is one for
// four. The buffer is borrowed when there is something to read and given back when it was taken, so an idle connection
// holds none.
type ahead struct {
	net.Conn
	raw  syscall.RawConn
	left []byte // read and not yet taken: the end of a borrowed buffer
	held []byte // that buffer; nil: none
}

// readAhead wraps a TCP connection; any other stays as it is.
func readAhead(conn net.Conn) net.Conn {
	c, ok := conn.(*net.TCPConn)
	if !ok {
		return conn
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return conn
	}
	return &ahead{Conn: conn, raw: raw}
}

// Read implements net.Conn. Like every reader of a connection it is used by one goroutine at a time.
func (a *ahead) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(a.left) == 0 {
		if len(p) >= bufferSize {
			return a.Conn.Read(p)
		}
		if err := a.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, a.left)
	if a.left = a.left[n:]; len(a.left) == 0 {
		giveBack(a.held)
		a.held = nil
	}
	return n, nil
}

// fill waits until there is something, and only then borrows a buffer for it.
func (a *ahead) fill() error {
	var n int
	var failure error
	err := a.raw.Read(func(fd uintptr) bool {
		buf := borrow()
		for {
			n, failure = unix.Read(int(fd), buf[:cap(buf)])
			if !errors.Is(failure, unix.EINTR) {
				break
			}
		}
		if failure == nil && n > 0 {
			a.held, a.left = buf, buf[:n]
			return true
		}
		giveBack(buf)
		return !errors.Is(failure, unix.EAGAIN)
	})
	switch {
	case err != nil:
		return err
	case failure != nil:
		return &net.OpError{Op: "read", Net: "tcp", Source: a.LocalAddr(), Addr: a.RemoteAddr(), Err: failure}
	case n == 0:
		return io.EOF
	}
	return nil
}

// CloseWrite lets net/http end its side first, so that a caller reads an answer before the connection breaks.
func (a *ahead) CloseWrite() error { return a.Conn.(*net.TCPConn).CloseWrite() }
