//go:build prove

package house

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"testing"
	"time"

	"gantry/tunnel/fault"
)

// TestAFrozenAgentIsOffline stops the agent's process without ending it, as a suspended machine does: its sockets stay.
func TestAFrozenAgentIsOffline(t *testing.T) {
	d := connected(t)
	for _, process := range []struct {
		name string
		*daemon
	}{{"agent", d.agent}, {"relay", d.relay}} {
		t.Run(process.name, func(t *testing.T) {
			if err := process.command.Process.Signal(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = process.command.Process.Signal(syscall.SIGCONT) }()
			if process.name == "agent" {
				took := eventually(t, 20*time.Second, "AGENT_OFFLINE", func() error { return d.saysOffline(t) })
				t.Logf("AGENT_OFFLINE %s after the agent froze", took.Round(time.Millisecond))
				if took > 15*time.Second {
					t.Error("that took longer than 15 s")
				}
			} else {
				time.Sleep(20 * time.Second) // longer than either end waits for the other
			}
			if err := process.command.Process.Signal(syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
			took := eventually(t, 60*time.Second, "the connection answers", func() error { return d.answers(t.Context()) })
			t.Logf("healed %s after it went on", took.Round(time.Millisecond))
		})
	}
}

// saysOffline makes a call that hangs for two seconds at most.
func (d *demoPlant) saysOffline(t *testing.T) error {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	answer, err := d.client.Do(ctx, http.MethodGet, "/vendors?limit=1", nil)
	if err != nil {
		return err
	}
	if got := answer.Problem(); got == nil || got.Code != fault.AgentOffline {
		return fmt.Errorf("%d %s", answer.Status, answer.Body)
	}
	return nil
}

// TestSlowWritersAreEnded sends a letter a second: the relay gives a header ten seconds and a body thirty.
func TestSlowWritersAreEnded(t *testing.T) {
	d := connected(t)
	for name, text := range map[string]string{
		"header": "GET /api/v1/vendors HTTP/1.1\r\nHost: relay\r\nX-Slow: ",
		"body": "POST /api/v1/vendors HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer " + d.client.Token +
			"\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
		"body without a token": "POST /api/v1/vendors HTTP/1.1\r\nHost: relay\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Logf("ended after %s", d.dribble(t, text).Round(time.Second))
		})
	}
}

// dribble writes text to the relay and then a letter a second, until the relay ends it.
func (p *plant) dribble(t *testing.T, text string) time.Duration {
	t.Helper()
	address, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	begin, answer := time.Now(), make([]byte, 4096)
	for time.Since(begin) < 45*time.Second {
		_ = conn.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := conn.Read(answer); err == nil || !isTimeout(err) {
			return time.Since(begin)
		}
		if _, err := io.WriteString(conn, "x"); err != nil {
			return time.Since(begin)
		}
	}
	t.Fatal("the relay still listens after 45 s")
	return 0
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}
