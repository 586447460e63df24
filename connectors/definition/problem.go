package definition

import (
	"fmt"
	"strings"
)

// Problem is one fault of a definition: where it stands, and what is wrong in words that its author understands.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`          // from 1; 0: the file as a whole
	Key     string `json:"key,omitempty"` // the path inside the definition: entities/vendors/key
	Message string `json:"message"`
}

// String gives `file:line: key: message`.
func (p Problem) String() string {
	s := p.File
	if p.Line > 0 {
		s = fmt.Sprintf("%s:%d", s, p.Line)
	}
	if p.Key != "" {
		s += ": " + p.Key
	}
	return s + ": " + p.Message
}

// Problems are all faults found at once. It is an error, a problem a line.
type Problems []Problem

// Error implements error.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// orNil is what to return where no problem is no error.
func (ps Problems) orNil() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

// at makes a problem of the node at a path of a tree; where the path does not exist, its nearest ancestor stands in.
func (n *node) at(path []string, format string, args ...any) Problem {
	near := n
	for _, key := range path {
		next := near.child(key)
		if next == nil {
			break
		}
		near = next
	}
	return Problem{File: near.file, Line: near.line, Key: strings.Join(path, "/"), Message: fmt.Sprintf(format, args...)}
}
