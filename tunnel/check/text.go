package check

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// width of what people read, in columns.
const width = 80

// Style is how WriteText writes.
type Style struct {
	Paint   func(s Status, text string) string // colours the word of a status; nil: none
	Verbose bool                               // all evidence of passed checks, and the milliseconds
}

// marks are the statuses for people, all of one width.
var marks = map[Status]string{Passed: "ok  ", Warned: "WARN", Failed: "FAIL", Skipped: "skip"}

// titleWidth is the column of titles.
const titleWidth = 22

// WriteText writes the report for people: 80 columns, ASCII, one line for each check, and below a warning or a failure
// what was seen, why, and what to do.
func WriteText(w io.Writer, r Report, style Style) error {
	if style.Paint == nil {
		style.Paint = func(_ Status, text string) string { return text }
	}
	var b strings.Builder
	group := ""
	for _, result := range r.Results {
		if result.Group != group {
			if group != "" {
				b.WriteString("\n")
			}
			group = result.Group
			fmt.Fprintf(&b, "%s%s\n", strings.ToUpper(group[:1]), group[1:])
		}
		style.result(&b, r.Program, result)
	}
	fmt.Fprintf(&b, "\n%s\n", summary(r))
	_, err := io.WriteString(w, ascii(b.String()))
	return err
}

// result writes one check.
func (s Style) result(b *strings.Builder, program string, r Result) {
	const prefix = 2 + 4 + 2
	word := s.Paint(r.Status, marks[r.Status])
	if r.Status == Warned || r.Status == Failed {
		column := prefix + max(titleWidth, len(r.Title)) + 1
		head := wrap(r.ID+": "+r.Finding, width-column)
		fmt.Fprintf(b, "  %s  %-*s %s\n", word, titleWidth, r.Title, strings.Join(head, "\n"+strings.Repeat(" ", column)))
		s.finding(b, program, r)
		return
	}
	said := r.Cause
	if r.Status == Passed {
		said = strings.Join(r.Evidence[:min(len(r.Evidence), 1)], "")
	}
	room := width - prefix - max(titleWidth, len(r.Title)) - 1
	line := fmt.Sprintf("  %s  %-*s %s", word, titleWidth, r.Title, short(said, room))
	b.WriteString(strings.TrimRight(line, " ") + "\n")
	if s.Verbose && r.Status == Passed {
		for i, evidence := range r.Evidence {
			if i > 0 || len(evidence) > room {
				paragraph(b, "", evidence)
			}
		}
		paragraph(b, "", fmt.Sprintf("%s, %d ms", r.Check, r.MS))
	}
}

// finding writes what is below a warning or a failure.
func (s Style) finding(b *strings.Builder, program string, r Result) {
	for _, evidence := range r.Evidence {
		paragraph(b, "", evidence)
	}
	paragraph(b, "Cause: ", r.Cause)
	switch r.For {
	case PlantIT, "":
		paragraph(b, "Fix: ", r.Fix)
	default:
		paragraph(b, "Send to the "+string(r.For)+": ", r.Fix)
	}
	if s.Verbose {
		paragraph(b, "", fmt.Sprintf("%s, %d ms; more: %s help %s", r.Check, r.MS, program, r.ID))
	}
}

// paragraph writes a wrapped text below a check.
func paragraph(b *strings.Builder, label, text string) {
	if text == "" {
		return
	}
	const indent = "        "
	for _, line := range wrap(label+text, width-len(indent)) {
		fmt.Fprintf(b, "%s%s\n", indent, line)
	}
}

// summary is the last line.
func summary(r Report) string {
	var parts []string
	for _, part := range []struct {
		status Status
		what   string
	}{{Failed, "failed"}, {Warned, "with a warning"}, {Passed, "passed"}, {Skipped, "skipped"}} {
		if n := r.Count(part.status); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, part.what))
		}
	}
	took := (time.Duration(r.MS) * time.Millisecond).Round(100 * time.Millisecond)
	return fmt.Sprintf("%s, in %.1f s", strings.Join(parts, ", "), took.Seconds())
}

// wrap breaks a text between words. A word that is longer than a line stays whole: it may be a path or a URL. So does a
// command in backquotes, which people copy.
func wrap(text string, columns int) []string {
	var lines []string
	line := ""
	for _, word := range words(text) {
		switch {
		case line == "":
			line = word
		case len(line)+1+len(word) <= columns:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// words are what stands between spaces, or in backquotes.
func words(text string) []string {
	var all []string
	quoted := false
	for word := range strings.FieldsSeq(text) {
		if quoted {
			all[len(all)-1] += " " + word
		} else {
			all = append(all, word)
		}
		if strings.Count(word, "`")%2 == 1 {
			quoted = !quoted
		}
	}
	return all
}

// short cuts a text to a number of columns.
func short(text string, columns int) string {
	if len(text) <= columns {
		return text
	}
	if columns <= 3 {
		return ""
	}
	return strings.TrimRight(text[:columns-3], " ") + "..."
}

// ascii replaces what an old console does not have.
func ascii(text string) string {
	return strings.Map(func(r rune) rune {
		if r > '~' {
			return '?'
		}
		return r
	}, text)
}
