package policy

import (
	"time"

	"gantry/tunnel/fault"
)

// maxQuiet bounds the spans that are joined to one: it is the longest wait that a fault can tell.
const maxQuiet = 7 * 24 * time.Hour

// Quiet gives until when the connection's systems are to be left alone; the zero time where now is no quiet hour. Spans
// that follow one another are one.
func (p *Policy) Quiet(c Connection, now time.Time) time.Time {
	var until time.Time
	if !p.quiet {
		return until
	}
	for at := now.Local(); ; at = until {
		end := p.quietSpan(c, at)
		if end.IsZero() || end.Sub(now) > maxQuiet {
			return until
		}
		until = end
	}
}

// quietSpan gives the latest end of the spans that a moment lies in.
func (p *Policy) quietSpan(c Connection, at time.Time) (end time.Time) {
	for _, r := range p.of(c) {
		for _, q := range r.quiet {
			if until := q.Until(at); until.After(end) {
				end = until
			}
		}
	}
	return end
}

// Hours reports whether the connection's system may be asked anything now: nil, or POLICY_DENIED with the time until then.
func (p *Policy) Hours(c Connection, now time.Time) error {
	until := p.Quiet(c, now)
	if until.IsZero() {
		return nil
	}
	return fault.New(fault.PolicyDenied, "The plant's policy has quiet hours now, until %s in its own time.", until.Format("Monday 15:04")).
		Reaches(fault.ScopeConnection).Ended(fault.NotSent).After(until.Sub(now)).
		Advise("Wait as Retry-After says, or ask the plant's IT to change quiet_hours in the agent's configuration.")
}
