package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Colour is one of the few that the programs use.
type Colour string

// The colours, as ANSI numbers.
const (
	Red    Colour = "31"
	Green  Colour = "32"
	Yellow Colour = "33"
	Faint  Colour = "2"
	Bold   Colour = "1"
)

// Paint colours a text of the answer, where a person looks at it and wants that.
func (f *Frame) Paint(c Colour, text string) string {
	if !f.colour || text == "" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

// Terminal reports whether a stream ends at a person.
func Terminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// colourful reports whether a stream ends at a terminal that shows colours, for one who has not forbidden them
// (https://no-color.org).
func colourful(w io.Writer) bool {
	return Terminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && showsEscapes(w.(*os.File))
}

// asciiOnly reports whether a stream ends at a terminal that does not show UTF-8.
func asciiOnly(w io.Writer) bool { return Terminal(w) && !showsUTF8() }

// AskSecret asks a person for a secret, without showing it.
func (f *Frame) AskSecret(title string) (string, error) {
	if !Terminal(f.In) {
		return "", errors.New("there is no terminal to ask at")
	}
	fmt.Fprintf(f.Talk, "%s: ", title)
	secret, err := term.ReadPassword(int(f.In.(*os.File).Fd()))
	fmt.Fprintln(f.Talk)
	return string(secret), err
}

// plain makes text readable on a terminal without UTF-8. Files and pipes get what is written.
func plain(w io.Writer) io.Writer {
	if !asciiOnly(w) {
		return w
	}
	return asciiWriter{w}
}

// asciiWriter writes the signs that our own texts use in ASCII, and ? for any other.
type asciiWriter struct{ io.Writer }

// Write implements io.Writer.
func (a asciiWriter) Write(p []byte) (int, error) {
	if _, err := io.WriteString(a.Writer, ascii(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

func ascii(text string) string {
	text = strings.NewReplacer("…", "...", "–", "-", "—", "-", "→", "->", "×", "x", "·", "-", "“", `"`, "”", `"`, "‘", "'", "’", "'", "✓", "+").Replace(text)
	return strings.Map(func(r rune) rune {
		if r >= 0x80 {
			return '?'
		}
		return r
	}, text)
}

// utf8Locale reads the locale of a Unix: the first of the three that is set is the one that holds.
func utf8Locale(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := getenv(name); value != "" {
			value = strings.ToLower(value)
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return false
}
