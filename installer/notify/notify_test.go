//go:build linux

package notify

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// listen is a service manager's end.
func listen(t *testing.T) (Socket, func() string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	return FromEnvironment(), func() string {
		buffer := make([]byte, 4096)
		if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		return string(buffer[:n])
	}
}

func TestMessages(t *testing.T) {
	s, next := listen(t)
	for _, tt := range []struct {
		send func() error
		want string
	}{
		{s.Ready, "READY=1"},
		{s.Stopping, "STOPPING=1"},
		{s.Alive, "WATCHDOG=1"},
		{func() error { return s.Status("connected,\n2 of 2") }, "STATUS=connected, 2 of 2"},
	} {
		if err := tt.send(); err != nil {
			t.Fatal(err)
		}
		if got := next(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestReloadingHasTheTime(t *testing.T) {
	s, next := listen(t)
	if err := s.Reloading(); err != nil {
		t.Fatal(err)
	}
	text, found := strings.CutPrefix(next(), "RELOADING=1\nMONOTONIC_USEC=")
	if µs, err := strconv.Atoi(text); !found || err != nil || µs <= 0 {
		t.Errorf("got %q", text)
	}
}

func TestNobodyListens(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	if s := FromEnvironment(); s.Present() || s.Ready() != nil {
		t.Error("somebody does")
	}
}

func TestWatchdogTime(t *testing.T) {
	for _, tt := range []struct {
		name, usec, pid string
		want            time.Duration
	}{
		{"set", "60000000", "", time.Minute},
		{"for this process", "60000000", strconv.Itoa(os.Getpid()), time.Minute},
		{"for another", "60000000", "1", 0},
		{"none", "", "", 0},
		{"nonsense", "soon", "", 0},
		{"negative", "-1", "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("WATCHDOG_USEC", tt.usec)
			t.Setenv("WATCHDOG_PID", tt.pid)
			if got := WatchdogFromEnvironment(); got != tt.want {
				t.Errorf("got %s", got)
			}
		})
	}
}

// TestADeadLoopIsNotFed lets a service answer, then fall silent.
func TestADeadLoopIsNotFed(t *testing.T) {
	s, next := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	var asked atomic.Int32
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Watch(ctx, time.Nanosecond, func(context.Context) (string, error) {
			if asked.Add(1) == 1 {
				return "well", nil
			}
			return "", errors.New("no answer")
		})
	}()
	for _, want := range []string{"READY=1", "STATUS=well"} {
		if got := next(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := next(); got != "WATCHDOG=1" {
		t.Errorf("got %q", got)
	}
	for asked.Load() < 3 {
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	<-done
	if err := s.Stopping(); err != nil {
		t.Fatal(err)
	}
	if got := next(); strings.Contains(got, "WATCHDOG") {
		t.Errorf("a service that does not answer was fed: %q", got)
	}
}
