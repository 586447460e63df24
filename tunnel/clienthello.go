package tunnel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
)

var errNoClientHello = errors.New("what the peer says first is not a TLS ClientHello")

// The TLS record layer (RFC 8446, 5.1) as far as it is needed to know that a ClientHello is whole.
const (
	recordHeader    = 5
	recordHandshake = 22
	maxRecord       = 1 << 14
	messageHeader   = 4
	clientHello     = 1
)

// readClientHello reads the records that hold a whole ClientHello, bounded by maxClientHello, and gives their bytes as
// they were. Nothing in it is trusted or understood: crypto/tls gets the same bytes again.
func readClientHello(r io.Reader) ([]byte, error) {
	var raw, message []byte
	for {
		record, err := readRecord(r, maxClientHello-len(raw))
		if err != nil {
			return nil, err
		}
		raw = append(raw, record...)
		message = append(message, record[recordHeader:]...)
		switch whole, err := wholeHello(message); {
		case err != nil:
			return nil, err
		case whole:
			return raw, nil
		}
	}
}

func readRecord(r io.Reader, room int) ([]byte, error) {
	var head [recordHeader]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, fmt.Errorf("read ClientHello: %w", err)
	}
	size := int(binary.BigEndian.Uint16(head[3:]))
	switch {
	case head[0] != recordHandshake || head[1] != 3 || size == 0 || size > maxRecord:
		return nil, errNoClientHello
	case recordHeader+size > room:
		return nil, fmt.Errorf("%w: larger than %d bytes", errNoClientHello, maxClientHello)
	}
	record := make([]byte, recordHeader+size)
	copy(record, head[:])
	if _, err := io.ReadFull(r, record[recordHeader:]); err != nil {
		return nil, fmt.Errorf("read ClientHello: %w", err)
	}
	return record, nil
}

func wholeHello(message []byte) (bool, error) {
	if message[0] != clientHello {
		return false, errNoClientHello
	}
	if len(message) < messageHeader {
		return false, nil
	}
	size := int(message[1])<<16 | int(message[2])<<8 | int(message[3])
	if size > maxClientHello {
		return false, fmt.Errorf("%w: larger than %d bytes", errNoClientHello, maxClientHello)
	}
	return len(message)-messageHeader >= size, nil
}

// replayed is a connection of which some bytes were read already.
type replayed struct {
	net.Conn
	first []byte
}

// Read implements net.Conn.
func (c *replayed) Read(p []byte) (int, error) {
	if len(c.first) > 0 {
		n := copy(p, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}
