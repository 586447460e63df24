package tunnel

import (
	"io"
	"net"
)

// handoff is a connection whose reads come from another reader during the handshake. It is replaced between two reads
// by the goroutine that reads.
type handoff struct {
	net.Conn
	from io.Reader
}

func (h *handoff) replace(from io.Reader) { h.from = from }

// Read implements net.Conn.
func (h *handoff) Read(p []byte) (int, error) { return h.from.Read(p) }
