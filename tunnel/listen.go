package tunnel

import (
	"net"
	"syscall"
)

// Listen gives the connections that l accepts the tunnel's socket settings, and reads them in large pieces. It belongs directly on the TCP listener,
// under a TLS one. The settings cost other traffic nothing.
func Listen(l net.Listener) net.Listener { return tuned{l} }

type tuned struct{ net.Listener }

// Accept implements net.Listener.
func (l tuned) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if c, ok := conn.(syscall.Conn); ok {
		if raw, err := c.SyscallConn(); err == nil {
			_ = tuneSocket("tcp", "", raw) // a socket without it works, and queues more
		}
	}
	return readAhead(conn), nil
}
