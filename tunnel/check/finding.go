package check

import (
	"slices"
	"strings"
)

// Team is who can act on a finding.
type Team string

// The teams. A fix for plant IT is a command or a setting on the agent's machine; for the others it is the sentence to
// send them.
const (
	PlantIT  Team = "plant IT"
	Proxy    Team = "proxy team"
	Firewall Team = "firewall team"
	DBA      Team = "DBA"
	Cloud    Team = "cloud team"
)

// Finding is one thing that a check can find. Cause and Fix may hold places, {name}, that Outcome.With fills.
type Finding struct {
	ID    string // stable: NET-407
	Title string
	Cause string // why it is so, in one or two sentences
	Fix   string // a literal command, or the sentence to send to the team
	For   Team
}

// family is the findings of one group.
type family struct {
	Group    string
	Prefix   string // of its ids
	About    string // one line for docs/checks.md
	Findings []Finding
}

// families is the table, one file for each group.
func families() []family {
	return []family{
		{"host", "HOST-", "The agent's machine: its service, files, disk and clock.", hostFindings},
		{"config", "CFG-", "The agent's configuration and identity.", configFindings},
		{"network", "NET-", "The way from the agent to the relay.", networkFindings},
		{"relay", "REL-", "What the relay says to this agent.", relayFindings},
		{"connections", "CON-", "The agent's connections to the plant's systems.", connectionFindings},
		{"server", "SRV-", "The relay's own machine: what `gantry-relay doctor` finds.", serverFindings},
		{"checks", "CHK-", "The checks themselves.", ownFindings},
	}
}

// Findings lists every finding, in the order of the documentation.
func Findings() []Finding {
	var all []Finding
	for _, f := range families() {
		all = append(all, f.Findings...)
	}
	return all
}

// Lookup finds a finding by its id, in any case.
func Lookup(id string) (Finding, bool) {
	all := Findings()
	i := slices.IndexFunc(all, func(f Finding) bool { return strings.EqualFold(f.ID, id) })
	if i < 0 {
		return Finding{}, false
	}
	return all[i], true
}
