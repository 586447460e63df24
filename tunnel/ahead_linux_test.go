package tunnel

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// accepted gives both ends of a connection that Listen accepted.
func accepted(t *testing.T) (client, server net.Conn) {
	t.Helper()
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := Listen(plain)
	defer func() { _ = l.Close() }()
	if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close(); _ = server.Close() })
	if _, ok := server.(*ahead); !ok {
		t.Fatalf("the connection is a %T", server)
	}
	return client, server
}

func TestReadingAheadKeepsEveryByte(t *testing.T) {
	client, server := accepted(t)
	sent := make([]byte, 1<<20+7)
	_, _ = rand.Read(sent)
	go func() { _, _ = client.Write(sent); _ = client.Close() }()
	var got bytes.Buffer
	for size := 1; ; size = size*3%(2*bufferSize) + 1 { // small reads, large ones, and such as pass the buffer by
		p := make([]byte, size)
		n, err := server.Read(p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got.Write(p[:n])
	}
	if !bytes.Equal(got.Bytes(), sent) {
		t.Errorf("got %d bytes, want %d", got.Len(), len(sent))
	}
}

func TestReadingAheadEnds(t *testing.T) {
	t.Run("at a deadline", func(t *testing.T) {
		_, server := accepted(t)
		_ = server.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		if _, err := server.Read(make([]byte, 8)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read: %v", err)
		}
	})
	t.Run("when it is closed", func(t *testing.T) {
		_, server := accepted(t)
		time.AfterFunc(10*time.Millisecond, func() { _ = server.Close() })
		if _, err := server.Read(make([]byte, 8)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read: %v", err)
		}
	})
	t.Run("when the peer resets it", func(t *testing.T) {
		client, server := accepted(t)
		_ = client.(*net.TCPConn).SetLinger(0)
		_ = client.Close()
		if _, err := server.Read(make([]byte, 8)); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("read: %v", err)
		}
	})
}
