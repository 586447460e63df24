package fault

import (
	"fmt"
	"strings"
)

// Document renders the page of all codes, docs/errors.md. The table in codes.go is its only source.
func Document() string {
	var b strings.Builder
	b.WriteString(preamble)
	for _, s := range specs {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %d | %s |\n", s.Code, strings.ToLower(string(s.Code)), s.Status, s.Title)
	}
	for _, s := range specs {
		fmt.Fprintf(&b, "\n## %s\n\n**HTTP %d · %s**\n\n%s\n\n", s.Code, s.Status, s.Title, s.Meaning)
		fmt.Fprintf(&b, "- usual hop: `%s`, usual scope: `%s`\n- retryable: %s\n- what to do: %s\n", s.Hop, s.Scope, s.retry(), s.Advice)
	}
	return b.String()
}

func (s Spec) retry() string {
	switch {
	case !s.Retryable:
		return "no"
	case s.RetryAfter > 0:
		return fmt.Sprintf("yes, after %s unless the answer says otherwise", s.RetryAfter)
	}
	return "yes"
}

const preamble = `# Errors

<!-- Generated from tunnel/fault/codes.go by ` + "`make generate`" + `. Do not edit. -->

Every failure, from every hop, is ` + "`application/problem+json`" + ` (RFC 9457) with these members beside the standard ones:

| member | what it tells |
| --- | --- |
| ` + "`code`" + ` | what went wrong: one of the codes below, never renamed |
| ` + "`hop`" + ` | which part of the road failed: client > relay > tunnel > agent > policy > network > system |
| ` + "`scope`" + ` | how far it reaches: organisation, site, connection, entity, operation, record |
| ` + "`outcome`" + ` | on a write: ` + "`not_sent`, `rejected`, `unknown`" + ` (look before you retry), ` + "`done`" + ` |
| ` + "`retryable`, `retry_after`" + ` | whether the same request can succeed later, and after how many seconds |
| ` + "`fields`" + ` | each fault of the request, by member |
| ` + "`source`" + ` | the plant's system's own code and words |
| ` + "`advice`" + ` | what to do, for a person |
| ` + "`request_id`" + ` | the same id in the relay's and the agent's logs |

| code | HTTP | title |
| --- | --- | --- |
`
