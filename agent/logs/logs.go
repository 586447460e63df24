// Package logs reads what the agent logged, wherever it lies, and follows it.
//
// There is one log: the file of package logfile, with everything. What that file cannot have stands in the service manager's
// journal: the manager's own words (started, killed, restarted) and what a process said before it had a log. Tail merges both in
// order of time, and shows once what stands in both, since warnings go to standard error as well. A line that is no record of
// ours, such as one of a panic's stack, belongs to the record before it.
//
// It is the same for `gantry-agent logs`, for a bundle, and for support that asks from afar. The package writes nothing, and
// hides nothing: what may leave the plant is for package bundle to say.
package logs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// Bounds of what is read.
const (
	maxLine = 64 << 10 // bytes of a line; the rest of it is left out
	MaxLast = 100_000  // lines that Tail holds at once
)

// Places are where a log may lie.
type Places struct {
	File string // the file that is written to; those rotated from it lie beside it. Empty: none
	Unit string // the systemd unit whose journal is read. Empty: none
}

// Options say which lines are wanted. The zero value: all of the newest MaxLast.
type Options struct {
	Last      int           // at most so many, the newest; 0: MaxLast
	Since     time.Time     // zero: from the beginning
	Level     slog.Leveler  // at least; nil: all
	RequestID string        // only those of this call; empty: all
	Follow    bool          // go on until ctx ends
	Poll      time.Duration // between two looks at the file while following; 0: 250 ms
}

// Line is one line of the log.
type Line struct {
	Time      time.Time  `json:"time,omitzero"`
	Level     slog.Level `json:"level"`
	RequestID string     `json:"request_id,omitempty"`
	Source    Source     `json:"source"`
	Text      string     `json:"text"` // as it was written
}

// Source is where a line stood.
type Source string

// The sources.
const (
	FromFile    Source = "file"
	FromJournal Source = "journal"
)

// Looked says what was found at a place.
type Looked struct {
	Where   string `json:"where"`
	Lines   int    `json:"lines"` // that were wanted
	Problem string `json:"problem,omitempty"`
	Denied  bool   `json:"denied,omitempty"` // this account may not read there
}

// fails notes why a place gives less than it has.
func (l *Looked) fails(err error) {
	l.Problem, l.Denied = err.Error(), errors.Is(err, fs.ErrPermission)
}

// Tail gives the lines that are wanted, in order of time, and says where it looked. With Follow it goes on until ctx ends, which
// is no error. The error is that of yield, which ends it, or that of ctx.
func Tail(ctx context.Context, places Places, o Options, yield func(Line) error) ([]Looked, error) {
	if o.Last <= 0 || o.Last > MaxLast {
		o.Last = MaxLast
	}
	if o.Poll <= 0 {
		o.Poll = 250 * time.Millisecond
	}
	var looked []Looked
	var all []Line
	var follow []follower
	for _, open := range []func(context.Context, Places, Options) (*past, follower){openFile, openJournal} {
		p, f := open(ctx, places, o)
		if p == nil {
			continue
		}
		looked = append(looked, p.looked)
		all = append(all, p.lines...)
		follow = append(follow, f)
	}
	if err := ctx.Err(); err != nil {
		return looked, err
	}
	seen := newRecent()
	for _, line := range newest(all, o.Last) {
		seen.first(line)
		if err := yield(line); err != nil {
			return looked, err
		}
	}
	if !o.Follow {
		return looked, nil
	}
	return looked, followAll(ctx, follow, seen, yield)
}

// past is what a place holds already.
type past struct {
	looked Looked
	lines  []Line
}

// newest merges lines by time, takes out what stands twice, and keeps the last n. Lines of one source keep their order.
func newest(all []Line, n int) []Line {
	slices.SortStableFunc(all, func(a, b Line) int { return a.Time.Compare(b.Time) })
	seen := newRecent()
	all = slices.DeleteFunc(all, func(l Line) bool { return !seen.first(l) })
	return all[max(len(all)-n, 0):]
}

// wants tells whether a line is one of those asked for.
func (o Options) wants(l Line) bool {
	return (o.Level == nil || l.Level >= o.Level.Level()) &&
		(o.RequestID == "" || l.RequestID == o.RequestID) &&
		(o.Since.IsZero() || !l.Time.Before(o.Since))
}

// recent remembers the texts that were shown a moment ago, with their sources: our own records carry their time, so that the same
// text from another source is the same record.
type recent struct {
	texts map[string]Source
	order []string
}

// maxRecent is how many texts are remembered.
const maxRecent = 4096

func newRecent() *recent { return &recent{texts: map[string]Source{}} }

// first reports whether a line was not shown from another source.
func (r *recent) first(l Line) bool {
	if source, known := r.texts[l.Text]; known {
		return source == l.Source
	}
	if len(r.order) == maxRecent {
		delete(r.texts, r.order[0])
		r.order = r.order[1:]
	}
	r.texts[l.Text], r.order = l.Source, append(r.order, l.Text)
	return true
}

// Nothing says where was looked in vain, for people.
func Nothing(looked []Looked) string {
	if len(looked) == 0 {
		return "the agent has no log yet, and no place for one"
	}
	var b strings.Builder
	b.WriteString("no line of the log was found; looked in")
	for i, l := range looked {
		if i > 0 {
			b.WriteString(" and")
		}
		b.WriteString(" " + l.Where)
		if l.Problem != "" {
			fmt.Fprintf(&b, " (%s)", l.Problem)
		}
	}
	return b.String()
}
