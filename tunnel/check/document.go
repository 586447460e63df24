package check

import (
	"fmt"
	"strings"
)

// Document renders the page of all findings, docs/checks.md. The findings_*.go files are its only source.
func Document() string {
	var b strings.Builder
	b.WriteString(preamble)
	for _, family := range families() {
		if len(family.Findings) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", family.Group, family.About)
		for _, f := range family.Findings {
			fmt.Fprintf(&b, "\n### %s\n\n**%s**\n\n%s\n\n*%s:* %s\n", f.ID, f.Title, f.Cause, f.fixTitle(), f.Fix)
		}
	}
	return b.String()
}

const preamble = `# Checks

<!-- Generated from tunnel/check/findings_*.go by ` + "`make generate`" + `. Do not edit. -->

What ` + "`gantry-agent doctor`, `gantry-agent netcheck`" + ` and a diagnosis from the cloud can find. Each finding has an id that stays,
a cause, and a fix: what to do on the agent's machine, or the sentence to send to the team that can help. Words in {braces}
stand for values that the report fills in. ` + "`gantry-agent help ID`" + ` prints the same without a network.

A check that needs another one which did not pass is skipped, so that one cause is one failure.
`
