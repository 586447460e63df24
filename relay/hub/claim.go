package hub

import (
	"io"

	"gantry/tunnel/fault"
)

// Claim reads an agent's problem and believes it as far as an agent can know: what happened at the site. A claim to
// speak for the relay or the tunnel, or a code that is ours, is itself the fault.
func Claim(body io.Reader, write bool) *fault.Error {
	e, err := fault.Decode(body)
	if err == nil && credible(e) {
		if !write {
			e.Outcome = ""
		} else if e.Outcome == "" {
			e.Ended(fault.Unknown)
		}
		return e
	}
	e = fault.New(fault.Internal, "The agent's answer breaks the protocol.").At(fault.HopAgent).Because(err)
	if write {
		e.Ended(fault.Unknown)
	}
	return e
}

// credible reports whether an agent may say so.
func credible(e *fault.Error) bool {
	switch e.Hop {
	case fault.HopRelay, fault.HopTunnel:
		return false
	}
	switch e.Code {
	case fault.AuthenticationFailed, fault.TokenRevoked, fault.Forbidden, fault.NoCredits, fault.AgentOffline,
		fault.TunnelLost, fault.ConnectionPaused, fault.ConnectionDisconnected, fault.MethodNotAllowed:
		return false
	}
	return true
}
