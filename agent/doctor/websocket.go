package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"gantry/tunnel"
	"gantry/tunnel/check"
	"gantry/tunnel/fault"
)

// checkWebSocket is about the upgrade, and who else may answer in the relay's place.
func (w *way) checkWebSocket(context.Context) check.Outcome {
	if _, ok := errors.AsType[*tunnel.Refused](w.err); ok {
		return check.Pass("the relay answers") // that it is busy, checkProof says
	}
	failed := w.failed(tunnel.StageWebSocket, false)
	if failed == nil {
		step := w.step(tunnel.StageWebSocket, false)
		if step == nil {
			return check.Skip("the relay was not asked: " + errorText(w.err))
		}
		return check.Pass("opened in " + millis(step.Took)).In(step.Took)
	}
	evidence := evidenceOf(failed)
	switch {
	case failed.NoUpgrade:
		evidence = []string{fmt.Sprintf("the relay itself answered %d: the request asked for no websocket any more", failed.Status)}
	case failed.Status != 0:
		evidence = append([]string{fmt.Sprintf("GET %s answered %d", w.relay, failed.Status)}, evidence...)
	}
	o := check.Fail(upgradeFinding(failed), evidence...).With("status", fmt.Sprint(failed.Status))
	if failed.Reason() == tunnel.ReasonGateway {
		o = o.At(fault.HopRelay)
	}
	return w.fill(o)
}

func upgradeFinding(e *tunnel.DialError) string {
	switch e.Reason() {
	case tunnel.ReasonNoUpgrade:
		return "NET-UPGRADE"
	case tunnel.ReasonRedirected:
		return "NET-PORTAL"
	case tunnel.ReasonGateway:
		return "NET-GATEWAY"
	case tunnel.ReasonNoSuchRelay:
		return "NET-NOT-RELAY"
	case tunnel.ReasonForeign:
		if e.Page || e.Status == http.StatusForbidden {
			return "NET-BLOCKED"
		}
		return "NET-NOT-RELAY"
	}
	return "NET-UPGRADE-CUT"
}

// checkProof is about the inner TLS: whether the relay is the one that the agent knows.
func (w *way) checkProof(context.Context) check.Outcome {
	if refused, ok := errors.AsType[*tunnel.Refused](w.err); ok {
		return check.Warn("REL-BUSY", refused.Message).At(fault.HopRelay)
	}
	failed := w.failed(tunnel.StageInnerTLS, false)
	if failed == nil {
		step := w.step(tunnel.StageInnerTLS, false)
		if step == nil {
			return check.Skip("the relay did not come to it: " + errorText(w.err))
		}
		return check.Pass("the relay proved itself in " + millis(step.Took)).In(step.Took)
	}
	switch failed.Reason() {
	case tunnel.ReasonWrongRelay:
		return w.fill(check.Fail("NET-OTHER-RELAY", errorText(failed.Err)).At(fault.HopRelay))
	case tunnel.ReasonProtocol:
		return w.fill(check.Fail("REL-PROTOCOL", errorText(failed.Err)).At(fault.HopRelay))
	}
	return w.fill(check.Fail("NET-FRAMES", errorText(failed.Err)))
}

// How far this machine's clock may be from the relay's.
const (
	clockWarn = 30 * time.Second
	clockFail = 5*time.Minute - 2*time.Second // the relay tells whole seconds
)

// spoken writes a difference in its largest units.
func spoken(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// checkClock compares this machine's clock with the Date of the relay's answer (RFC 9110, 6.6.1), which is exact to a second.
func (w *way) checkClock(context.Context) check.Outcome {
	step := w.step(tunnel.StageWebSocket, false)
	if step == nil {
		return check.Skip("the relay was too busy to tell its time")
	}
	theirs, err := http.ParseTime(step.Header.Get("Date"))
	if err != nil {
		return check.Skip("the relay's answer has no date")
	}
	off := step.At.Add(-step.Took / 2).Sub(theirs.Add(500 * time.Millisecond)).Round(time.Second)
	said := "as the relay's, within two seconds"
	if off.Abs() > 2*time.Second {
		said = spoken(off.Abs()) + " " + map[bool]string{true: "ahead of", false: "behind"}[off > 0] + " the relay's"
	}
	evidence := []string{said, fmt.Sprintf("here it is %s, at the relay %s", step.At.UTC().Format(time.DateTime), theirs.UTC().Format(time.DateTime))}
	var o check.Outcome
	switch {
	case off.Abs() >= clockFail:
		o = check.Fail("HOST-CLOCK-OFF", evidence...)
	case off.Abs() >= clockWarn:
		o = check.Warn("HOST-CLOCK", evidence...)
	default:
		return check.Pass(evidence...).At(fault.HopAgent)
	}
	return o.At(fault.HopAgent).With("off", said)
}
