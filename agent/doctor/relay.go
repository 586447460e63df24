package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gantry/agent/control"
	"gantry/tunnel"
	"gantry/tunnel/check"
	"gantry/tunnel/fault"
)

// checkAccepted asks the relay for a session, or the running agent for how its own fare.
func (w *way) checkAccepted(ctx context.Context) check.Outcome {
	if w.Sessions != nil {
		return w.ownSessions(ctx)
	}
	if w.Open == nil {
		return check.Skip(w.NoIdentity)
	}
	session, err := w.Open(ctx)
	if refused, ok := errors.AsType[*tunnel.Refused](err); ok {
		return refusal(refused.Code, refused.Message)
	}
	if err != nil {
		return w.fill(check.Fail("REL-NO-SESSION", errorText(err)))
	}
	defer session.Close("the doctor has seen enough")
	return check.Pass("the relay takes the agent").At(fault.HopRelay)
}

// ownSessions judges the sessions of the agent that runs.
func (w *way) ownSessions(ctx context.Context) check.Outcome {
	sessions, err := w.Sessions(ctx)
	if err != nil {
		return check.Skip("the agent does not tell of its sessions: " + err.Error())
	}
	for _, s := range sessions {
		if s.Refusal != "" {
			return refusal(s.Refusal, s.LastError)
		}
	}
	return check.Pass("no session is refused").At(fault.HopRelay)
}

// refusal puts the relay's no into a finding.
func refusal(code, message string) check.Outcome {
	id, warns := "REL-REFUSED", false
	switch code {
	case tunnel.CodeRevoked:
		id = "REL-REVOKED"
	case tunnel.CodeUnknownAgent:
		id = "REL-UNKNOWN"
	case tunnel.CodeWrongCertificate:
		id = "REL-CERTIFICATE"
	case tunnel.CodeExpiredCertificate:
		id = "REL-EXPIRED"
	case tunnel.CodeWrongCA:
		id = "REL-OTHER-CA"
	case tunnel.CodeIdentityInUse:
		id = "REL-IN-USE"
	case tunnel.CodeOverloaded, tunnel.CodeDraining:
		id, warns = "REL-BUSY", true
	}
	if warns {
		return check.Warn(id, message).At(fault.HopRelay)
	}
	return check.Fail(id, message).At(fault.HopRelay).With("code", code)
}

// checkSession is the round trip through a whole session.
func (w *way) checkSession(ctx context.Context) check.Outcome {
	if w.Sessions != nil {
		sessions, err := w.settled(ctx)
		if err != nil {
			return check.Skip("the agent does not tell of its sessions: " + err.Error())
		}
		return w.up(sessions)
	}
	session, err := w.Open(ctx)
	if err != nil {
		return w.fill(check.Fail("REL-NO-SESSION", errorText(err)))
	}
	defer session.Close("the doctor has seen enough")
	took, err := session.Ping(ctx)
	if err != nil {
		return w.fill(check.Fail("REL-NO-SESSION", errorText(err)))
	}
	return check.Pass("round trip " + millis(took) + ", on a session opened for it")
}

// settling is how long an agent that was just started may take to connect.
const settling = 5 * time.Second

// settled gives the agent's sessions, once one is up or the time for that is over.
func (w *way) settled(ctx context.Context) ([]control.Session, error) {
	ctx, cancel := context.WithTimeout(ctx, settling)
	defer cancel()
	for {
		sessions, err := w.Sessions(context.WithoutCancel(ctx))
		if err != nil || slices.ContainsFunc(sessions, connected) {
			return sessions, err
		}
		select {
		case <-ctx.Done():
			return sessions, nil
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func connected(s control.Session) bool { return s.State == "connected" }

// up judges whether the agent's sessions stand.
func (w *way) up(sessions []control.Session) check.Outcome {
	var said []string
	standing := 0
	for _, s := range sessions {
		switch {
		case connected(s):
			standing++
			said = append(said, fmt.Sprintf("%s: connected for %s, round trip %.0f ms", s.Lane, time.Since(s.Since).Round(time.Second), s.RoundTripMS))
		case s.LastError != "":
			said = append(said, fmt.Sprintf("%s: %s: %s", s.Lane, s.State, s.LastError))
		default:
			said = append(said, s.Lane+": "+s.State)
		}
	}
	switch {
	case standing == 0:
		return w.fill(check.Fail("NET-NO-SESSION", said...))
	case standing < len(sessions):
		return w.fill(check.Warn("NET-SOME-SESSIONS", said...))
	}
	return check.Pass(append([]string{strings.Join(said, "; ")}, said...)...)
}
