package engine

import (
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"gantry/connectors"
)

const hexDigits = "0123456789abcdef"

// appendString appends a JSON string. What is not UTF-8 becomes U+FFFD.
func appendString[S string | []byte](b []byte, s S) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c >= 0x20 && c != '"' && c != '\\' {
				i++
				continue
			}
			b = append(b, s[start:i]...)
			b = appendEscape(b, c)
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
		if r == utf8.RuneError && size == 1 {
			b = append(append(b, s[start:i]...), "\ufffd"...)
			i++
			start = i
			continue
		}
		i += size
	}
	return append(append(b, s[start:]...), '"')
}

func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

// appendStatus appends {value, native_code, native_label}; an empty label is null.
func appendStatus(b []byte, value, native, label string) []byte {
	b = appendString(append(b, `{"value":`...), value)
	b = appendString(append(b, `,"native_code":`...), native)
	b = append(b, `,"native_label":`...)
	if label == "" {
		return append(b, "null}"...)
	}
	return append(appendString(b, label), '}')
}

// appendNative appends a value as the system gave it.
func appendNative(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case []connectors.Vars:
		return appendVars(b, v)
	case []byte:
		return appendString(b, base64.StdEncoding.EncodeToString(v))
	case time.Time:
		return append(v.AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
	}
	return appendString(b, text(v))
}

// appendVars appends a list that a statement takes whole.
func appendVars(b []byte, members []connectors.Vars) []byte {
	b = append(b, '[')
	for i, member := range members {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendRow(b, connectors.Row(member), nil)
	}
	return append(b, ']')
}

// appendRow appends the native record, by column name, without the hidden columns.
func appendRow(b []byte, row connectors.Row, hidden map[string]bool) []byte {
	b = append(b, '{')
	first := true
	for _, name := range slices.Sorted(maps.Keys(row)) {
		if hidden[name] {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendNative(append(appendString(b, name), ':'), row[name])
	}
	return append(b, '}')
}
