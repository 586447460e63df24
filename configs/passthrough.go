package configs

import (
	"errors"
	"path"
	"slices"
	"strings"
)

// Passthrough is one pattern of `policy.passthrough`: requests of a system's own that the plant lets through. Its parts are
// the segments of a path, or the words between the dots of a method's name. A `*` stands for any letters of one part, and `**`
// in the last place for whatever follows.
type Passthrough struct {
	Verb  string // of HTTP; of systems that are called by method READ or CALL
	text  string
	parts []string
}

// String gives the pattern as ParsePassthrough reads it.
func (p Passthrough) String() string { return p.text }

// The verbs of systems that are called by method: only the plant knows which of its methods change nothing.
const (
	VerbRead = "READ" // the method changes nothing
	VerbCall = "CALL" // it may change something
)

var httpVerbs = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "MERGE", "DELETE"}

var (
	errVerb        = errors.New("should begin with " + strings.Join(httpVerbs, ", ") + ", READ or CALL, and a space")
	errPassthrough = errors.New("names no path as requests have it, and no method")
)

// maxPassthrough bounds a pattern, in bytes.
const maxPassthrough = 1000

// ParsePassthrough reads `GET /api/orders/*`, `POST /odata/Orders(*)/Close`, `GET /api/**`, `READ model.party.party.*` or
// `CALL model.purchase.purchase.quote`.
func ParsePassthrough(s string) (Passthrough, error) {
	verb, target, _ := strings.Cut(s, " ")
	p := Passthrough{Verb: verb, text: s, parts: passthroughParts(verb, target)}
	switch {
	case p.parts == nil:
		return p, errVerb
	case len(s) > maxPassthrough || !p.sound(target):
		return p, errPassthrough
	}
	return p, nil
}

// passthroughParts takes a target apart; nil: there is no such verb.
func passthroughParts(verb, target string) []string {
	switch {
	case slices.Contains(httpVerbs, verb):
		return strings.Split(strings.TrimPrefix(target, "/"), "/")
	case verb == VerbRead || verb == VerbCall:
		return strings.Split(target, ".")
	}
	return nil
}

// sound refuses what no request can look like, so that a mistake is told and not without effect.
func (p Passthrough) sound(target string) bool {
	extra := "-_:/*" // beside letters and digits
	byPath := slices.Contains(httpVerbs, p.Verb)
	if byPath {
		extra = "-_$:*.~!&'()+,;=@%"
	}
	for i, part := range p.parts {
		last := i == len(p.parts)-1
		name, _, _ := strings.Cut(part, ";")
		switch {
		case strings.ContainsFunc(part, func(r rune) bool { return !alphanumeric(r) && !strings.ContainsRune(extra, r) }),
			strings.Contains(part, "**") && (part != "**" || !last),
			!byPath && strings.Trim(part, "/") != part, part == "" && !(byPath && last), part != "" && name == "", name == ".", name == "..":
			return false
		}
	}
	return !byPath || strings.HasPrefix(target, "/")
}

func alphanumeric(r rune) bool {
	return '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}

// Reads reports whether what the pattern lets through changes nothing, and so does not need writes.
func (p Passthrough) Reads() bool { return p.Verb == "GET" || p.Verb == "HEAD" || p.Verb == VerbRead }

// Covers reports whether the pattern holds for a verb and the path or method behind it, each in its canonical form.
func (p Passthrough) Covers(verb, target string) bool {
	if verb != p.Verb {
		return false
	}
	parts := passthroughParts(verb, target)
	for i, pattern := range p.parts {
		if pattern == "**" {
			return len(parts) > i
		}
		if i >= len(parts) || !fitsPart(pattern, parts[i]) {
			return false
		}
	}
	return len(parts) == len(p.parts)
}

func fitsPart(pattern, part string) bool {
	if pattern == "*" {
		return part != "" && part != "**"
	}
	fits, err := path.Match(pattern, part) // of what path.Match knows, patterns have the star alone
	return err == nil && fits
}
