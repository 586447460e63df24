package tunnel_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gantry/tunnel"
)

// TestArrivals: each connection is counted once, by how it went.
func TestArrivals(t *testing.T) {
	h := newHouse(t, echo("relay"), func(a *tunnel.Acceptor) {
		a.Admit = func(_ context.Context, p tunnel.Peer) *tunnel.Refused {
			if p.AgentID == "agt_gone" {
				return &tunnel.Refused{Code: tunnel.CodeRevoked, Permanent: true}
			}
			return nil
		}
	})
	h.connect(t, h.dialer(t, echo("agent")), tunnel.LaneCalls)
	h.connect(t, h.dialer(t, echo("agent")), tunnel.LaneBulk)
	dialFails(t, h.dialerAs(identity(t, h.authority, "agt_gone", time.Hour), echo("agent")))
	dialFails(t, h.dialerAs(identity(t, newAuthority(t), "agt_1", time.Hour), echo("agent")))
	stranger := h.dialer(t, echo("agent"))
	stranger.Pin = newAuthority(t).Pin() // it breaks off
	dialFails(t, stranger)

	want := tunnel.Arrivals{tunnel.ArrivedSession: 2, tunnel.CodeRevoked: 1, tunnel.CodeWrongCA: 1, tunnel.ArrivedFailed: 1}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		diff := cmp.Diff(want, h.acceptor.Arrivals())
		if diff == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(diff)
		}
	}
}
