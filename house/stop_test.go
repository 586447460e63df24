package house

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"gantry/tunnel/fault"
)

// TestAFrozenAgentIsOffline stops the agent's process without ending it, as a suspended machine does: its sockets stay.
func TestAFrozenAgentIsOffline(t *testing.T) {
	prove(t)
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

// TestSlowCallersHoldNothing opens calls that never end by themselves, and sees them ended by the relay, with others served
// meanwhile.
func TestSlowCallersHoldNothing(t *testing.T) {
	b := openBigTable(t, 200_000, withRelay("limits: {client_stall: 2s}\n"))
	before := b.plant.relay.descriptors()

	t.Run("a reader that reads nothing", func(t *testing.T) {
		var idle []*http.Response
		for range 3 {
			answer, err := b.client.open(t.Context(), http.MethodGet, "/meter-readings", nil, Header{"Accept", "application/x-ndjson"})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = answer.Body.Close() }()
			idle = append(idle, answer)
		}
		b.plant.expect(b.client, http.MethodGet, "/meter-readings?limit=5", nil, 200, nil)
		took := eventually(t, 30*time.Second, "the database runs no query", func() error {
			if n := b.running(t); n > 0 {
				return fmt.Errorf("%d queries run", n)
			}
			return nil
		})
		t.Logf("the queries of 3 readers that read nothing were gone after %s", took.Round(time.Millisecond))
		for _, answer := range idle {
			if whole(answer.Body) {
				t.Error("a stream that was cut looks whole")
			}
		}
	})
	t.Run("a writer that sends a letter at a time", func(t *testing.T) {
		prove(t) // the relay gives a header ten seconds, a body thirty
		for name, text := range map[string]string{
			"header": "GET /api/v1/vendors HTTP/1.1\r\nHost: relay\r\nX-Slow: ",
			"body": "POST /api/v1/vendors HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer " + b.client.Token +
				"\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
			"body without a token": "POST /api/v1/vendors HTTP/1.1\r\nHost: relay\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				t.Logf("ended after %s", b.plant.dribble(t, text).Round(time.Second))
			})
		}
	})
	eventually(t, 30*time.Second, "descriptors are back", func() error {
		if now := b.plant.relay.descriptors(); now > before+4 {
			return fmt.Errorf("%d before, %d now", before, now)
		}
		return nil
	})
}

// whole reports whether a stream has its end line.
func whole(body io.Reader) bool {
	last, lines := "", bufio.NewReader(body)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return strings.HasPrefix(last, `{"end":`)
		}
		last = line
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
