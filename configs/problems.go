package configs

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one fault of a configuration file.
type Problem struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"` // from 1; 0: the fault has no place, a key is missing
	Column int    `json:"column,omitempty"`
	Path   string `json:"path,omitempty"` // of the key: policy.targets[2]
	What   string `json:"what"`           // a sentence without its full stop
	Fix    string `json:"fix,omitempty"`  // a sentence without its full stop
}

// String gives `agent.yaml:12:5: policy.targets[2]: "db" has no port. Write db:5432.`
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	b.WriteString(": ")
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.What + ".")
	if p.Fix != "" { // a question keeps its own mark
		b.WriteString(" " + p.Fix)
		if !strings.HasSuffix(p.Fix, "?") {
			b.WriteString(".")
		}
	}
	return b.String()
}

// Problems is everything that is wrong with a configuration file, in the order of its lines.
type Problems struct{ List []Problem }

// Error implements error: one problem a line.
func (p *Problems) Error() string {
	lines := make([]string, len(p.List))
	for i, problem := range p.List {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// maxProblems bounds what is told of one file: nobody reads more, and a foreign file may be all faults.
const maxProblems = 100

// Report collects the problems of one document while it is decoded and validated.
type Report struct {
	file     string
	places   map[string]place // by path, of the keys that stand in the file
	problems []Problem
}

type place struct{ line, column int }

func newReport(file string) *Report {
	return &Report{file: file, places: map[string]place{}}
}

// Reject notes that the value at path is wrong. fix says what to write instead and may be empty; format and args say
// what is wrong. Both are sentences without their full stop. The place is that of the path, or of the nearest key around it.
func (r *Report) Reject(path, fix, format string, args ...any) {
	if len(r.problems) >= maxProblems {
		return
	}
	at := r.locate(path)
	r.problems = append(r.problems, Problem{
		File: r.file, Line: at.line, Column: at.column, Path: path, What: fmt.Sprintf(format, args...), Fix: fix,
	})
}

// Line gives the line on which a key stands, or 0 where the file does not have it.
func (r *Report) Line(path string) int { return r.places[path].line }

// locate finds the place of a path, or of what is around it.
func (r *Report) locate(path string) place {
	for path != "" {
		if at, ok := r.places[path]; ok {
			return at
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return place{}
}

// err gives the problems as an error; nil when there are none.
func (r *Report) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return &Problems{List: r.problems}
}
