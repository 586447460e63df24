package doctor

import (
	"context"
	"fmt"
	"time"

	"gantry/connectors/wire"
	"gantry/tunnel/check"
)

// circuit tells whether calls are held back. That is a finding of its own only where nothing else is wrong by now: the
// cause of an open circuit is told by the step that it lies in.
func (l *look) circuit(context.Context) check.Outcome {
	h := l.probe.Use().Health
	switch {
	case h.Circuit.State != wire.CircuitOpen && h.Circuit.State != wire.CircuitHalfOpen:
		return l.throttled(h)
	case l.Allowed() != nil || l.attempt().err != nil:
		return check.Pass(open(h.Circuit), "the steps after this one tell why").In(time.Millisecond)
	}
	return l.heldBack("the connection", h.Circuit, h.System.LastError)
}

// throttled is no finding: the system's wish is kept.
func (l *look) throttled(h wire.Health) check.Outcome {
	said := []string{"circuit closed"}
	if h.ThrottledForMS > 0 {
		said = append(said, fmt.Sprintf("the system asked for fewer calls, and gets none for %s", milliseconds(h.ThrottledForMS)))
	}
	return check.Pass(said...).In(time.Millisecond)
}

// readable tells the end of a read that worked: its circuit may be open still.
func (l *look) readable(entity string, took time.Duration) check.Outcome {
	o := l.probe.Use().Health.Entities[entity]["list"]
	if o.Circuit.State == wire.CircuitOpen {
		return l.heldBack("listing "+entity, o.Circuit, o.LastError)
	}
	return l.paced("reading "+entity, took, slowRead, "read")
}

func (l *look) heldBack(what string, c wire.CircuitHealth, why *wire.HealthError) check.Outcome {
	said := []string{open(c)}
	if why != nil {
		said = append(said, fmt.Sprintf("what failed: %s at hop %s: %s", why.Code, why.Hop, why.Detail))
	}
	return check.Fail("CON-CIRCUIT", said...).With("what", what).With("id", l.ID)
}

// open says how long a circuit has been open, and will be.
func open(c wire.CircuitHealth) string {
	return fmt.Sprintf("circuit open for %s, and the next call may try in %s", milliseconds(c.SinceAgoMS), milliseconds(c.RetryInMS))
}

func milliseconds(ms int64) string {
	return (time.Duration(ms) * time.Millisecond).Round(time.Second).String()
}
