package health

import (
	"log/slog"
	"testing"
)

// call makes one call that succeeds, as nearly all do.
func call(c *Connection) error {
	permit, err := c.Admit(items, "req_1")
	if err == nil {
		permit.Ended(nil)
	}
	return err
}

// TestHealthCostsNoAllocation: what every call passes allocates nothing while the system works.
func TestHealthCostsNoAllocation(t *testing.T) {
	c := New(slog.New(slog.DiscardHandler)).Connection("con_1")
	allocations := testing.AllocsPerRun(100, func() {
		if err := call(c); err != nil {
			t.Fatal(err)
		}
	})
	if allocations > 0 {
		t.Errorf("%.0f allocations a call", allocations)
	}
}

func BenchmarkCall(b *testing.B) {
	c := New(slog.New(slog.DiscardHandler)).Connection("con_1")
	b.ReportAllocs()
	for b.Loop() {
		if err := call(c); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCallsAtOnce(b *testing.B) {
	c := New(slog.New(slog.DiscardHandler)).Connection("con_1")
	b.ReportAllocs()
	b.RunParallel(func(next *testing.PB) {
		for next.Next() {
			if err := call(c); err != nil {
				b.Error(err)
			}
		}
	})
}
