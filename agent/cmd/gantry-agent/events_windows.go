package main

import (
	"context"
	"log/slog"
	"strings"

	"golang.org/x/sys/windows/svc/eventlog"
)

// The numbers of the messages, of those that EventCreate.exe has a text for.
const (
	warningEvent = 2
	errorEvent   = 3
)

// maxEvent is what the event log takes as one text, in bytes.
const maxEvent = 31_000

// newEvents gives the event log of Windows, where administrators look first, under the name that the installation
// registered. It gets warnings and errors; the agent's own log has everything. Where the event log cannot be opened, there
// is nobody to tell it.
func newEvents(source string) slog.Handler {
	log, err := eventlog.Open(source)
	if err != nil {
		return slog.DiscardHandler
	}
	return reporting(log.Warning, log.Error)
}

// reporting gives each warning and each error to its function.
func reporting(warn, fail func(id uint32, text string) error) slog.Handler {
	text := func(level slog.Level, id uint32, report func(uint32, string) error) slog.Handler {
		write := func(line string) error { return report(id, clipped(line)) }
		return slog.NewTextHandler(lineWriter(write), &slog.HandlerOptions{Level: level, ReplaceAttr: withoutTime})
	}
	return slog.NewMultiHandler(
		below{slog.LevelError, text(slog.LevelWarn, warningEvent, warn)},
		text(slog.LevelError, errorEvent, fail))
}

func clipped(text string) string {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\x00", " ")) // Windows' texts end with a zero
	return text[:min(len(text), maxEvent)]
}

// withoutTime leaves out what the event log adds itself.
func withoutTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
		return slog.Attr{}
	}
	return a
}

// lineWriter takes the lines of a handler, each in one write.
type lineWriter func(string) error

// Write implements io.Writer.
func (w lineWriter) Write(line []byte) (int, error) { return len(line), w(string(line)) }

// below is a handler of records under a level.
type below struct {
	limit slog.Level
	slog.Handler
}

// Enabled implements slog.Handler.
func (b below) Enabled(ctx context.Context, level slog.Level) bool {
	return level < b.limit && b.Handler.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (b below) WithAttrs(attrs []slog.Attr) slog.Handler {
	return below{b.limit, b.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (b below) WithGroup(name string) slog.Handler { return below{b.limit, b.Handler.WithGroup(name)} }
