package check

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"gantry/tunnel/fault"
)

// Schema is the version of the report's JSON. Members are only ever added; it grows when one changes its meaning.
const Schema = 1

// Report is what a run found.
type Report struct {
	Schema  int       `json:"schema"`
	Program string    `json:"program"`
	Version string    `json:"version"`
	At      time.Time `json:"at"`
	Status  Status    `json:"status"` // the worst: fail, warn or pass
	MS      int64     `json:"ms"`
	Results []Result  `json:"results"` // in the order of the checks
}

// Result is what one check found.
type Result struct {
	Check      string    `json:"check"`
	Group      string    `json:"group"`
	Title      string    `json:"title"`
	Status     Status    `json:"status"`
	ID         string    `json:"id,omitempty"`      // of the finding, on warn and fail
	Finding    string    `json:"finding,omitempty"` // its title
	Hop        fault.Hop `json:"hop,omitempty"`
	Connection string    `json:"connection,omitempty"`
	Entity     string    `json:"entity,omitempty"`
	MS         int64     `json:"ms"`
	Evidence   []string  `json:"evidence"`
	Cause      string    `json:"cause,omitempty"` // of a skip: why it was skipped
	Fix        string    `json:"fix,omitempty"`
	For        Team      `json:"for,omitempty"` // who can act on the fix
}

// Line is a line of a report that is told as it comes about (NDJSON): each result when its check ends, then the whole.
type Line struct {
	Step *Result `json:"step,omitempty"`
	End  *Report `json:"end,omitempty"`
}

// Count gives how many checks ended in a status.
func (r Report) Count(s Status) int {
	n := 0
	for _, result := range r.Results {
		if result.Status == s {
			n++
		}
	}
	return n
}

// Join puts the reports of two runs into one, in the order of the groups. The program and version are the first one's.
func (r Report) Join(other Report) Report {
	order := map[string]int{}
	for i, f := range families() {
		order[f.Group] = i
	}
	r.Results = slices.Concat(r.Results, other.Results)
	slices.SortStableFunc(r.Results, func(a, b Result) int { return order[a.Group] - order[b.Group] })
	r.Status, r.MS = worst(r.Results), max(r.MS, other.MS)
	return r
}

// worst is the status of the whole.
func worst(results []Result) Status {
	status := Passed
	for _, r := range results {
		switch {
		case r.Status == Failed:
			return Failed
		case r.Status == Warned:
			status = Warned
		}
	}
	return status
}

// Bounds of what one check may say: evidence often quotes what foreigners sent.
const (
	maxEvidence = 24  // lines
	maxLine     = 400 // bytes
	maxText     = 4000
)

// result makes the words of an outcome.
func (c Check) result(o Outcome, took time.Duration) Result {
	r := Result{
		Check: c.Name, Group: c.Group(), Title: c.Title, Status: o.status, ID: o.id, Hop: c.Hop,
		Connection: c.Connection, Entity: c.Entity, MS: took.Milliseconds(), Evidence: []string{},
		Cause: clean(o.reason, maxText),
	}
	if o.took > 0 {
		r.MS = o.took.Milliseconds()
	}
	if o.hop != "" {
		r.Hop = o.hop
	}
	for _, line := range o.evidence[:min(len(o.evidence), maxEvidence)] {
		if line = clean(line, maxLine); line != "" {
			r.Evidence = append(r.Evidence, line)
		}
	}
	if f, ok := Lookup(o.id); ok {
		r.Finding, r.For = f.Title, f.For
		r.Cause, r.Fix = clean(fill(f.Cause, o.values), maxText), clean(fill(f.Fix, o.values), maxText)
	}
	return r
}

// fill puts values into the places of a finding's text.
func fill(text string, values map[string]string) string {
	pairs := make([]string, 0, 2*len(values))
	for name, value := range values {
		pairs = append(pairs, "{"+name+"}", value)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// clean makes a foreign text safe for a terminal: one line, no control characters, bounded.
func clean(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit-3], "") + "..."
	}
	return s
}
