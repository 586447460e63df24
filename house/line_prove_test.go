//go:build prove

package house

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// line is the way to a system, which the test holds in its hands: it counts who comes, and can be slow.
type line struct {
	listener net.Listener
	target   string
	came     atomic.Int64 // connections so far
	delay    atomic.Int64 // of what the system answers, in nanoseconds
	running  sync.WaitGroup
}

// openLine makes a way to the target, until the test ends.
func openLine(t testing.TB, target string) *line {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{listener: listener, target: target}
	l.running.Go(l.accept)
	t.Cleanup(func() { _ = listener.Close() }) // what is joined ends with the programs at its ends
	return l
}

func (l *line) address() string { return l.listener.Addr().String() }

func (l *line) accept() {
	for {
		client, err := l.listener.Accept()
		if err != nil {
			return
		}
		l.came.Add(1)
		l.running.Go(func() { l.join(client) })
	}
}

// join carries both ways until one ends.
func (l *line) join(client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("tcp", l.target)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	})
	buffer := make([]byte, 32<<10)
	for {
		n, err := server.Read(buffer)
		time.Sleep(time.Duration(l.delay.Load()))
		if n > 0 {
			if _, err := client.Write(buffer[:n]); err != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	_ = client.Close()
	back.Wait()
}
