package files

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"gantry/connectors"
)

// option is a text of the definition, one with parameters in it, or a parameter.
type option struct {
	literal string
	param   string
	parts   []part // a name with {parameters}
}

// part is a fixed piece of a name, or a parameter of it.
type part struct{ fixed, param string }

var (
	wholeParam = regexp.MustCompile(`^:([a-z][a-z0-9_]*)$`)
	innerParam = regexp.MustCompile(`\{([a-z][a-z0-9_]*)\}`)
)

// option compiles a text, and notes the parameters that it takes.
func (s *statement) option(v any) (option, error) {
	text, ok := v.(string)
	if !ok {
		if text = fmt.Sprint(v); v == nil || strings.ContainsAny(text, "[{") {
			return option{}, errors.New("must be a text")
		}
	}
	if found := wholeParam.FindStringSubmatch(text); found != nil {
		s.need(found[1])
		return option{param: found[1]}, nil
	}
	var parts []part
	at := 0
	for _, found := range innerParam.FindAllStringSubmatchIndex(text, -1) {
		name := text[found[2]:found[3]]
		s.need(name)
		parts = append(parts, part{fixed: text[at:found[0]]}, part{param: name})
		at = found[1]
	}
	if parts != nil {
		return option{parts: append(parts, part{fixed: text[at:]})}, nil
	}
	return option{literal: text}, nil
}

func (o option) empty() bool { return o.literal == "" && o.param == "" && len(o.parts) == 0 }

// fixed is what a name has beside its parameters.
func (o option) fixed() string {
	var text strings.Builder
	text.WriteString(o.literal)
	for _, p := range o.parts {
		text.WriteString(p.fixed)
	}
	return text.String()
}

// text renders an option. A setting that the login does not have is "".
func (o option) text(vars connectors.Vars) (string, error) {
	switch {
	case o.param != "":
		v := vars[o.param]
		if v == nil {
			return "", nil
		}
		return fmt.Sprint(v), nil
	case len(o.parts) == 0:
		return o.literal, nil
	}
	var b strings.Builder
	named := false
	for _, p := range o.parts {
		b.WriteString(p.fixed)
		if p.param == "" {
			continue
		}
		v, known := vars[p.param]
		if !known {
			return "", connectors.Misuse("the statement's parameter :%s has no value", p.param)
		}
		if v != nil && fmt.Sprint(v) != "" {
			b.WriteString(fileName(v))
			named = true
		}
	}
	if !named {
		return "", connectors.Misuse("the file's name needs a value for one of its parameters at least")
	}
	return b.String(), nil
}

const maxNamePart = 80

// fileName gives a value as a part of a file's name: letters, digits and hyphens stay, everything else becomes %XX. No two
// values have one name; a long one ends in a digest. A pattern that has * between two values can tell them apart by their _.
func fileName(v any) string {
	text := fmt.Sprint(v)
	if at, ok := v.(time.Time); ok {
		text = at.UTC().Format("20060102T150405Z")
	}
	var b strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	if b.Len() <= maxNamePart {
		return b.String()
	}
	sum := sha256.Sum256([]byte(text))
	return b.String()[:maxNamePart-33] + "~" + hex.EncodeToString(sum[:16])
}

// folder renders an option that names a folder; "": there is none.
func (o option) folder(vars connectors.Vars) (string, error) {
	text, err := o.text(vars)
	if err != nil || text == "" {
		return "", err
	}
	clean, ok := cleanFolder(text)
	if !ok {
		return "", connectors.Misuse("%q is no folder below that of the login", text)
	}
	return clean, nil
}

// matches compares a name with a pattern of * and ?, in any case of letters: a name on Windows has none. It takes time in proportion to
// both lengths.
func matches(pattern, name string) bool {
	p, n := []rune(strings.ToLower(pattern)), []rune(strings.ToLower(name))
	i, j, star, mark := 0, 0, -1, 0
	for j < len(n) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == n[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}
