// Package check is the engine of the doctors: it runs a graph of checks and makes one report of it.
//
// A Check looks at one thing and gives an Outcome: Pass, Warn, Fail or Skip. It names the checks that it needs; when one
// of those did not pass it is skipped, with the reason, so that one cause is one failure. Warnings and failures carry the
// id of a Finding, a row of the one table in the findings_*.go files, which holds cause and fix in words that the team
// named in it can act on. docs/checks.md is generated from that table, and `gantry-agent help ID` prints it offline.
//
// Run bounds everything: the whole, each check, how many run at once, and what a check may say. A check that panics or
// does not end is one failed check. The package knows no check itself; it never logs, and it prints only by WriteText.
package check

import (
	"context"
	"maps"
	"strings"
	"time"

	"gantry/tunnel/fault"
)

// Check looks at one thing.
type Check struct {
	Name  string   // group.thing: network.proxy; unique among the checks of a run
	Title string   // for people: Proxy
	Needs []string // names of checks that must pass (or warn) before

	Hop        fault.Hop // the part of the road that it looks at; may be empty
	Connection string    // the id of the connection that it looks at; may be empty
	Entity     string    // the same for an entity

	Limit time.Duration // 0: the limit of the whole run
	Run   func(ctx context.Context) Outcome
}

// Group is the part of the name before its first dot.
func (c Check) Group() string {
	group, _, _ := strings.Cut(c.Name, ".")
	return group
}

// Status is how a check ended.
type Status string

// The ways in which a check ends.
const (
	Passed  Status = "pass"
	Warned  Status = "warn"
	Failed  Status = "fail"
	Skipped Status = "skip"
)

// Outcome is what a check found. It is made by Pass, Warn, Fail or Skip.
type Outcome struct {
	status   Status
	id       string
	reason   string // of a skip
	evidence []string
	hop      fault.Hop
	took     time.Duration // 0: what the check took itself
	values   map[string]string
}

// Pass is the outcome of a check that found nothing wrong. Evidence is what it saw, one line each, without a full stop.
func Pass(evidence ...string) Outcome { return Outcome{status: Passed, evidence: evidence} }

// Warn is the outcome of a check that found something which does not yet stop the work. id names the finding.
func Warn(id string, evidence ...string) Outcome {
	return Outcome{status: Warned, id: id, evidence: evidence}
}

// Fail is the outcome of a check that found what stops the work. id names the finding.
func Fail(id string, evidence ...string) Outcome {
	return Outcome{status: Failed, id: id, evidence: evidence}
}

// Skip is the outcome of a check that could not look. Checks that need it are skipped for the same reason, so a check
// that has nothing to do passes instead.
func Skip(reason string) Outcome { return Outcome{status: Skipped, reason: reason} }

// With gives the value of a placeholder, {name}, in the finding's cause and fix.
func (o Outcome) With(name, value string) Outcome {
	values := maps.Clone(o.values)
	if values == nil {
		values = map[string]string{}
	}
	values[name] = value
	o.values = values
	return o
}

// At names the part of the road that is at fault, where it is not the one that the check is about.
func (o Outcome) At(hop fault.Hop) Outcome {
	o.hop = hop
	return o
}

// In tells how long the thing took that the check looked at, where several checks look at one attempt.
func (o Outcome) In(took time.Duration) Outcome {
	o.took = took
	return o
}
