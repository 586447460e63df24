package shaper

import (
	"bytes"
	"crypto/rand"
	"io"
	"net"
	"testing"
	"time"
)

// echo serves one target that sends back what it gets.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	return l.Addr().String()
}

func TestEveryByteArrivesInOrder(t *testing.T) {
	for name, link := range map[string]Link{
		"delay only":     {Delay: 5 * time.Millisecond},
		"delay and rate": {Delay: 5 * time.Millisecond, Rate: 12_500_000},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Listen(echo(t), link)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			c, err := net.Dial("tcp", s.Addr())
			if err != nil {
				t.Fatal(err)
			}
			sent := make([]byte, 3<<20)
			_, _ = rand.Read(sent)
			go func() { _, _ = c.Write(sent); _ = c.(*net.TCPConn).CloseWrite() }()
			got, err := io.ReadAll(c)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(sent, got) {
				t.Fatalf("got %d bytes that differ from the %d sent", len(got), len(sent))
			}
		})
	}
}

func TestARoundTripTakesTwoDelays(t *testing.T) {
	s, err := Listen(echo(t), Link{Delay: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	c, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < 40*time.Millisecond {
		t.Fatalf("a round trip took %s, less than two delays", took)
	}
}

func TestTheRateHolds(t *testing.T) {
	s, err := Listen(echo(t), Link{Rate: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	c, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	go func() { _, _ = c.Write(make([]byte, 1<<20)); _ = c.(*net.TCPConn).CloseWrite() }()
	if _, err := io.Copy(io.Discard, c); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < 950*time.Millisecond {
		t.Fatalf("1 MiB at 1 MiB/s took %s", took)
	}
}
