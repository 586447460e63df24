package seal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"unicode/utf16"
)

// maxDepth bounds the nesting of settings.
const maxDepth = 32

var errDuplicate = errors.New("a member is there twice")

// Canonical writes JSON as RFC 8785 (JSON Canonicalization Scheme) has it: no white space, members sorted by their
// UTF-16 code units, numbers as ECMAScript prints a double, the shortest string escapes. Duplicate members, numbers
// beyond a double and anything after the value are errors.
func Canonical(raw []byte) ([]byte, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	out, err := appendValue(nil, dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value")
	}
	return out, nil
}

func appendValue(out []byte, dec *json.Decoder, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested deeper than %d", maxDepth)
	}
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch v := token.(type) {
	case json.Delim:
		if v == '{' {
			return appendObject(out, dec, depth)
		}
		return appendArray(out, dec, depth)
	case string:
		return appendString(out, v), nil
	case json.Number:
		return appendNumber(out, v)
	case bool:
		return strconv.AppendBool(out, v), nil
	default:
		return append(out, "null"...), nil
	}
}

// member is one member of an object, its value already canonical.
type member struct {
	name  []uint16 // the order of RFC 8785
	text  string
	value []byte
}

func appendObject(out []byte, dec *json.Decoder, depth int) ([]byte, error) {
	var members []member
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, err
		}
		text := name.(string) // the decoder gives nothing else here
		value, err := appendValue(nil, dec, depth+1)
		if err != nil {
			return nil, err
		}
		members = append(members, member{utf16.Encode([]rune(text)), text, value})
	}
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	slices.SortFunc(members, func(a, b member) int { return slices.Compare(a.name, b.name) })
	out = append(out, '{')
	for i, m := range members {
		if i > 0 {
			if members[i-1].text == m.text {
				return nil, errDuplicate
			}
			out = append(out, ',')
		}
		out = append(appendString(out, m.text), ':')
		out = append(out, m.value...)
	}
	return append(out, '}'), nil
}

func appendArray(out []byte, dec *json.Decoder, depth int) ([]byte, error) {
	out = append(out, '[')
	for i := 0; dec.More(); i++ {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = appendValue(out, dec, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := dec.Token()
	return append(out, ']'), err
}

// appendNumber prints a double as ECMAScript's Number::toString does; encoding/json follows the same rules, save for
// negative zero.
func appendNumber(out []byte, n json.Number) ([]byte, error) {
	f, err := n.Float64()
	if err != nil {
		return nil, fmt.Errorf("a number is out of range: %w", err)
	}
	if f == 0 {
		return append(out, '0'), nil
	}
	text, err := json.Marshal(f)
	if err != nil || math.IsInf(f, 0) {
		return nil, errors.New("a number is out of range")
	}
	return append(out, text...), nil
}

// appendString escapes what RFC 8785, 3.2.2.2, escapes, and nothing else.
func appendString(out []byte, s string) []byte {
	out = append(out, '"')
	for _, r := range s {
		switch r {
		case '"', '\\':
			out = append(out, '\\', byte(r))
		case '\b':
			out = append(out, '\\', 'b')
		case '\t':
			out = append(out, '\\', 't')
		case '\n':
			out = append(out, '\\', 'n')
		case '\f':
			out = append(out, '\\', 'f')
		case '\r':
			out = append(out, '\\', 'r')
		default:
			if r < 0x20 {
				out = fmt.Appendf(out, `\u%04x`, r)
			} else {
				out = append(out, string(r)...)
			}
		}
	}
	return append(out, '"')
}
