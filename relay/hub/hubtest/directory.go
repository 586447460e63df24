// Package hubtest holds the conformance suite of the hub's Directory: whatever knows which node holds which agent passes
// it. It is for tests only.
package hubtest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gantry/relay/hub"
)

// RunDirectory proves that what open makes keeps the contract. open is called once a test, and makes an empty one.
func RunDirectory(t *testing.T, open func(t *testing.T) hub.Directory) {
	t.Run("an unknown agent is nowhere", func(t *testing.T) { expect(t, open(t), "agt_1") })
	t.Run("withdrawing what never was", func(t *testing.T) {
		d := open(t)
		withdraw(t, d, "agt_1", "a")
		expect(t, d, "agt_1")
	})
	t.Run("announcing twice is announcing once", func(t *testing.T) {
		d := open(t)
		announce(t, d, "agt_1", "b", "a", "b")
		announce(t, d, "agt_2", "c")
		expect(t, d, "agt_1", "a", "b")
	})
	t.Run("withdrawing leaves the others", func(t *testing.T) {
		d := open(t)
		announce(t, d, "agt_1", "a", "b")
		withdraw(t, d, "agt_1", "a")
		withdraw(t, d, "agt_1", "never there")
		expect(t, d, "agt_1", "b")
		withdraw(t, d, "agt_1", "b")
		expect(t, d, "agt_1")
	})
	t.Run("an answer is the caller's own", func(t *testing.T) {
		d := open(t)
		announce(t, d, "agt_1", "a")
		nodes, err := d.Locate(t.Context(), "agt_1")
		if err != nil {
			t.Fatal(err)
		}
		nodes[0] = "changed"
		expect(t, d, "agt_1", "a")
	})
	t.Run("many at once", func(t *testing.T) { concurrently(t, open(t)) })
	t.Run("an ended context is obeyed", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := open(t).Locate(ctx, "agt_1"); !errors.Is(err, context.Canceled) {
			t.Errorf("Locate: %v, want context.Canceled", err)
		}
	})
}

func concurrently(t *testing.T, d hub.Directory) {
	var group sync.WaitGroup
	for _, node := range []string{"a", "b", "c", "d"} {
		group.Go(func() {
			for range 100 {
				if err := errors.Join(d.Announce(t.Context(), "agt_1", node), d.Withdraw(t.Context(), "agt_1", node)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	expect(t, d, "agt_1")
}

func announce(t *testing.T, d hub.Directory, agent string, nodes ...string) {
	t.Helper()
	for _, node := range nodes {
		if err := d.Announce(t.Context(), agent, node); err != nil {
			t.Fatal(err)
		}
	}
}

func withdraw(t *testing.T, d hub.Directory, agent, node string) {
	t.Helper()
	if err := d.Withdraw(t.Context(), agent, node); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, d hub.Directory, agent string, want ...string) {
	t.Helper()
	got, err := d.Locate(t.Context(), agent)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) == 0 && len(want) == 0 {
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("nodes of %s (-want +got):\n%s", agent, diff)
	}
}
