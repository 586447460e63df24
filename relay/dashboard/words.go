package dashboard

import (
	"fmt"
	"html/template"
	"regexp"
	"slices"
	"strings"
	"time"

	"gantry/tunnel/fault"
)

// step is one part of the way of a call.
type step struct {
	Name   string
	Tone   string // good: passed; bad: here it failed; quiet: not reached
	Failed bool
}

// way shows where on its way a call failed.
func way(failed fault.Hop) (steps []step) {
	tone := good
	for _, hop := range fault.Hops() {
		s := step{hopNames[hop], tone, hop == failed}
		if s.Failed {
			s.Tone, tone = bad, quiet
		}
		steps = append(steps, s)
	}
	return steps
}

var hopNames = map[fault.Hop]string{
	fault.HopClient: "request", fault.HopRelay: "relay", fault.HopTunnel: "tunnel", fault.HopAgent: "agent",
	fault.HopPolicy: "plant's policy", fault.HopNetwork: "plant's network", fault.HopSystem: "system",
}

// hopWords say what failed, for people who do not know our words.
func hopWords(hop fault.Hop) string {
	return map[fault.Hop]string{
		fault.HopClient:  "The request itself: it reached nobody beyond the relay.",
		fault.HopRelay:   "The relay, in the cloud.",
		fault.HopTunnel:  "The line between the relay and the plant's agent.",
		fault.HopAgent:   "The agent, on its machine in the plant.",
		fault.HopPolicy:  "The plant's own policy said no. Nobody in the cloud can change that.",
		fault.HopNetwork: "The plant's network, between the agent and the system.",
		fault.HopSystem:  "The plant's system itself.",
	}[hop]
}

// scopeWords say how far a failure reaches.
func scopeWords(scope fault.Scope) string {
	return map[fault.Scope]string{
		fault.ScopeOrganisation: "Everything of the organisation.",
		fault.ScopeSite:         "Everything at this site.",
		fault.ScopeConnection:   "Everything on this connection.",
		fault.ScopeEntity:       "This entity; others may work.",
		fault.ScopeOperation:    "This operation; others may work.",
		fault.ScopeRecord:       "This record alone.",
	}[scope]
}

// outcomeWords say whether a write happened.
func outcomeWords(outcome fault.Outcome) string {
	return map[fault.Outcome]string{
		"":             "Nothing was written: it was a read.",
		fault.NotSent:  "Nothing was sent to the system: it is safe to send it again.",
		fault.Rejected: "The system refused it, and nothing changed.",
		fault.Unknown:  "It may have happened: look before it is sent again.",
		fault.Done:     "It happened, and something after it failed.",
	}[outcome]
}

// deniedWords say who said no.
func deniedWords(by string) string {
	switch by {
	case "definition":
		return "not offered by the system"
	case "policy":
		return "denied by the plant's policy"
	case "probe":
		return "the login has no right"
	}
	return "no"
}

// provedWords say of a system's definition that it was never tried on the product; "": it was.
func provedWords(proved string) string {
	return map[string]string{
		"dialect": "Tried on one that speaks the same, and not on the product itself",
		"shape":   "Made from its vendor's documents, and not tried on the product itself",
	}[proved]
}

// categoryWord writes a category of systems, of which some are known by their initials.
func categoryWord(name string) string {
	if slices.Contains([]string{"cmms", "eam", "erp", "mes", "wms"}, name) {
		return strings.ToUpper(name)
	}
	return name
}

// instant is a time as the API writes it within a text; said relatively, it wants no "since".
var instant = regexp.MustCompile(`(?:since )?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)

// coded writes a text in which what stands between backticks is code, and times are relative as everywhere.
func coded(text string) template.HTML {
	var html strings.Builder
	for n, part := range strings.Split(text, "`") {
		part = template.HTMLEscapeString(part)
		if n%2 == 1 {
			part = "<code>" + part + "</code>"
		} else {
			part = instant.ReplaceAllStringFunc(part, timed)
		}
		html.WriteString(part)
	}
	return template.HTML(html.String()) //nolint:gosec // its parts are escaped
}

func timed(words string) string {
	exact := strings.TrimPrefix(words, "since ")
	at, err := time.Parse(time.RFC3339, exact)
	if err != nil {
		return words
	}
	return fmt.Sprintf(`<time datetime="%[1]s" title="%[1]s">%s</time>`, exact, ago(&at))
}
