package check

import (
	"fmt"
	"io"
	"strings"

	"gantry/tunnel/fault"
)

// Help prints what is known of a finding, or of an error code of the API, in any case; false: the name is neither.
func Help(w io.Writer, name string) (bool, error) {
	if f, ok := Lookup(name); ok {
		_, err := io.WriteString(w, f.help())
		return true, err
	}
	for _, s := range fault.Specs() {
		if strings.EqualFold(string(s.Code), name) {
			_, err := io.WriteString(w, codeHelp(s))
			return true, err
		}
	}
	return false, nil
}

// Names lists everything that Help knows.
func Names() []string {
	var all []string
	for _, f := range Findings() {
		all = append(all, f.ID)
	}
	for _, s := range fault.Specs() {
		all = append(all, string(s.Code))
	}
	return all
}

func (f Finding) help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\n", f.ID, f.Title)
	section(&b, "Cause", f.Cause)
	section(&b, f.fixTitle(), f.Fix)
	if strings.Contains(f.Cause+f.Fix, "{") {
		section(&b, "", "Words in {braces} stand for values that the report of `doctor` fills in.")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// fixTitle says who is to act.
func (f Finding) fixTitle() string {
	if f.For == PlantIT {
		return "What to do"
	}
	return "What to send to the " + string(f.For)
}

func codeHelp(s fault.Spec) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s (HTTP %d)\n\n", s.Code, s.Title, s.Status)
	section(&b, "Meaning", s.Meaning)
	section(&b, "What to do", s.Advice)
	again := "Trying the same again does not help."
	if s.Retryable {
		again = "The same request may succeed later."
	}
	section(&b, "", fmt.Sprintf("Usual hop %s, usual scope %s. %s", s.Hop, s.Scope, again))
	return strings.TrimSuffix(b.String(), "\n")
}

func section(b *strings.Builder, title, text string) {
	if title != "" {
		fmt.Fprintf(b, "%s\n", title)
	}
	indent := "  "
	if title == "" {
		indent = ""
	}
	for _, line := range wrap(text, width-len(indent)) {
		fmt.Fprintf(b, "%s%s\n", indent, line)
	}
	b.WriteString("\n")
}
