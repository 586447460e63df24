package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
)

// Schema is the version of the --json documents that this package and the programs' commands write. It grows when a
// member changes its meaning.
const Schema = 1

// Say talks to the person, unless --quiet.
func (f *Frame) Say(format string, args ...any) {
	if !f.Quiet {
		fmt.Fprintf(f.Talk, format+"\n", args...)
	}
}

// Print writes a line of the answer.
func (f *Frame) Print(format string, args ...any) { fmt.Fprintf(f.Out, format+"\n", args...) }

// Answer prints the document with --json, and otherwise the lines.
func (f *Frame) Answer(document any, lines ...string) {
	if f.JSON {
		f.PrintJSON(document)
		return
	}
	for _, line := range lines {
		fmt.Fprintln(f.Out, line)
	}
}

// PrintJSON writes the one document of the answer.
func (f *Frame) PrintJSON(document any) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(document); err != nil {
		panic(fmt.Sprintf("a --json document of the type %T cannot be encoded: %v", document, err))
	}
	text := b.String()
	if f.ascii {
		text = escaped(text)
	}
	_, _ = io.WriteString(f.Out, text) // a closed standard output has nobody behind it
}

// escaped writes everything beyond ASCII as JSON's \u escapes; it only stands inside strings.
func escaped(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r < 0x80 {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}

// Confirm asks back before something is lost; --yes answers it. The sentence says what will happen.
func (f *Frame) Confirm(format string, args ...any) error {
	if f.Yes {
		return nil
	}
	consequence := fmt.Sprintf(format, args...)
	if !Terminal(f.In) {
		return Fail(ExitUsage, "To do it: --yes", "this must be confirmed, and there is no terminal to ask at: %s", consequence)
	}
	fmt.Fprintf(f.Talk, "%s Go on? [y/N] ", consequence)
	line, err := bufio.NewReader(io.LimitReader(f.In, 100)).ReadString('\n')
	if err != nil || strings.ToLower(strings.TrimSpace(line)) != "y" {
		return Fail(ExitFailed, "", "nothing was changed")
	}
	return nil
}

// Count writes a number with its noun.
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// List joins values for a line that people read; none is said where there are none.
func List(values []string, none string) string {
	if len(values) == 0 {
		return none
	}
	return strings.Join(values, ", ")
}
