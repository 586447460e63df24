//go:build !windows

package control

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTheSocketIsForThisAccountAlone(t *testing.T) {
	dir := folder(t)
	defer serving(t, dir, &fake{})()
	if info, err := os.Stat(socket(dir)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket is open to others: %v, %v", info.Mode(), err)
	}
}

func TestTheStatusSocketIsForEverybody(t *testing.T) {
	listener, err := listen(statusSocket(folder(t)), everybodys)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() //nolint:errcheck // the test ends
	if info, err := os.Stat(listener.Addr().String()); err != nil || info.Mode().Perm() != 0o666 {
		t.Errorf("the socket is closed to others: %v, %v", info.Mode(), err)
	}
}

func TestASocketOfADeadProcess(t *testing.T) {
	dir := folder(t)
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket(dir), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	listener.SetUnlinkOnClose(false)
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := NewClient(dir).Status(t.Context()); !errors.Is(err, ErrNotRunning) {
		t.Errorf("got %v, want ErrNotRunning", err)
	}
	serving(t, dir, &fake{})() // the next agent takes the place
}

func TestAnAgentThatHangsEndsWithTheCallersTime(t *testing.T) {
	dir := folder(t)
	listener, err := net.Listen("unix", filepath.Join(dir, SocketName))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() //nolint:errcheck // the test ends
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := NewClient(dir).Status(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want DeadlineExceeded", err)
	}
}

func TestALongPathIsToldInWords(t *testing.T) {
	if err := Serve(t.Context(), filepath.Join(folder(t), strings.Repeat("x", 100)), &fake{}, slog.New(slog.DiscardHandler)); !errors.Is(err, errLongPath) {
		t.Errorf("got %v, want %v", err, errLongPath)
	}
}
