package status

import (
	"testing"
	"time"

	"gantry/connectors/wire"
)

// TestSince: the way's jitter moves no time, and a state that changes soon after another has a time of its own.
func TestSince(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tell := func(after time.Duration, state wire.OperationState, ago time.Duration, before *matrix) *matrix {
		o := wire.OperationHealth{State: state, SinceAgoMS: wire.Milliseconds(ago)}
		return read(wire.Health{Connection: "con_1", Entities: map[string]map[string]wire.OperationHealth{"items": {"list": o}}}, start.Add(after), before)
	}
	since := func(m *matrix) time.Duration { return m.Entities["items"]["list"].Since.Sub(start) }

	first := tell(time.Second, wire.OperationWorking, time.Second, nil)
	late := tell(3*time.Second, wire.OperationWorking, 2500*time.Millisecond, first)
	denied := tell(4*time.Second, wire.OperationDenied, 2*time.Second, late)
	for _, step := range []struct {
		name      string
		got, want time.Duration
	}{{"first", since(first), 0}, {"told late", since(late), 0}, {"another state, soon", since(denied), 2 * time.Second}} {
		if step.got != step.want {
			t.Errorf("%s: since %s, want %s", step.name, step.got, step.want)
		}
	}
}
