package installer

import (
	_ "embed"
	"strings"
)

// AgentUnit is the agent's systemd unit as the packages have it.
//
//go:embed units/gantry-agent.service
var AgentUnit string

// RelayUnit is that of the relay, which comes with its packages alone.
//
//go:embed units/gantry-relay.service
var RelayUnit string

// marker is the first line of a unit that this package wrote. One without it is somebody else's, and is left alone.
const marker = "# Written by `gantry-agent install`; `gantry-agent uninstall` removes it.\n"

// unitFor gives the agent's unit for a program at another place than the packages'.
func unitFor(binary string) string {
	return marker + strings.ReplaceAll(AgentUnit, "=/usr/bin/gantry-agent ", "="+binary+" ")
}
