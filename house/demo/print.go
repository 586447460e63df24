package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"gantry/house"
)

// An answer is cut to so many lines of so many characters.
const (
	maxLines = 24
	maxWidth = 110
)

// printer shows calls to a person.
type printer struct {
	out   io.Writer
	color bool
}

// newPrinter prints to a file; in colour only where that is a terminal that wants it.
func newPrinter(out *os.File) printer {
	info, err := out.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	return printer{out, terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

func (p printer) paint(code, text string) string {
	if !p.color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// say prints; a demo whose terminal went away has nobody to tell.
func (p printer) say(format string, args ...any) { _, _ = fmt.Fprintf(p.out, format, args...) }

func (p printer) step(title string, took time.Duration) {
	p.say("%s %s (%s)\n", p.paint("32", "ok"), title, took.Round(time.Millisecond))
}

func (p printer) request(title, method, path string, headers []house.Header, body any) {
	p.say("\n%s\n%s\n", p.paint("1", "# "+title), p.paint("36", "> "+method+" "+clip("/api/v1"+path)))
	for _, h := range headers {
		p.say("> %s: %s\n", h[0], h[1])
	}
	if body != nil {
		content, err := json.Marshal(body)
		if err == nil {
			p.block("> ", content)
		}
	}
}

func (p printer) answer(a house.Answer) {
	color := "32"
	if a.Status >= 400 {
		color = "33"
	}
	p.say("%s\n", p.paint(color, fmt.Sprintf("< %d, %d ms", a.Status, a.Took.Milliseconds())))
	for _, name := range []string{"Location", "ETag", "Idempotency-Replayed"} {
		if value := a.Header.Get(name); value != "" {
			p.say("< %s: %s\n", name, value)
		}
	}
	p.block("< ", a.Body)
}

func (p printer) note(text string, took time.Duration) {
	p.say("%s\n", p.paint("32", fmt.Sprintf("< %s, %d ms", text, took.Milliseconds())))
}

// block prints JSON, indented and cut.
func (p printer) block(mark string, content []byte) {
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, content, "", "  "); err != nil {
		pretty.Reset()
		pretty.Write(content)
	}
	lines := strings.Split(strings.TrimSpace(pretty.String()), "\n")
	for i, line := range lines {
		if i == maxLines {
			p.say("%s… %d more lines\n", mark, len(lines)-i)
			return
		}
		p.say("%s%s\n", mark, clip(line))
	}
}

func clip(line string) string {
	if runes := []rune(line); len(runes) > maxWidth {
		return string(runes[:maxWidth-1]) + "…"
	}
	return line
}
