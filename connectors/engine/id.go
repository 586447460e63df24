package engine

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"gantry/connectors"
	"gantry/connectors/definition"
)

// The parts of a composite key are joined with ~. A ~ or % inside a part is percent-encoded, so that an id leads back to
// exactly one key; the id of a single column is the value itself.
var (
	escapePart   = strings.NewReplacer("%", "%25", "~", "%7E")
	unescapePart = strings.NewReplacer("%7E", "~", "%25", "%")
)

// appendID appends the record's id, unquoted.
func (t *table) appendID(b []byte, row connectors.Row) []byte {
	if len(t.Key) == 1 {
		return appendText(b, row[t.Key[0].Name])
	}
	for i, key := range t.Key {
		if i > 0 {
			b = append(b, '~')
		}
		b = append(b, escapePart.Replace(text(row[key.Name]))...)
	}
	return b
}

// parseID gives the key's values in the order of its columns; false where no record can have the id.
func (t *table) parseID(id string) ([]any, bool) {
	parts := []string{id}
	if len(t.Key) > 1 {
		parts = strings.Split(id, "~")
	}
	if id == "" || len(parts) != len(t.Key) {
		return nil, false
	}
	values := make([]any, len(parts))
	for i, part := range parts {
		if len(t.Key) > 1 {
			plain := unescapePart.Replace(part)
			if escapePart.Replace(plain) != part {
				return nil, false
			}
			part = plain
		}
		var ok bool
		if values[i], ok = keyValue(part, t.Key[i].Type); !ok {
			return nil, false
		}
	}
	return values, true
}

// keyValue types one part. Only the form that appendText gives is taken: an id has one spelling.
func keyValue(part string, native definition.Native) (any, bool) {
	switch native {
	case definition.NativeInteger:
		i, err := strconv.ParseInt(part, 10, 64)
		return i, err == nil && strconv.FormatInt(i, 10) == part
	case definition.NativeDatetime, definition.NativeInstant, definition.NativeDate:
		at, err := time.Parse(time.RFC3339Nano, part)
		return at, err == nil
	case definition.NativeFloat:
		f, err := strconv.ParseFloat(part, 64)
		return f, err == nil
	case definition.NativeBoolean:
		v, err := strconv.ParseBool(part)
		return v, err == nil
	}
	return part, true
}

// text gives a native value as text: as ids, etags and codes show it.
func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return string(appendText(nil, v))
}

func appendText(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return b
	case string:
		return append(b, v...)
	case []byte:
		return append(b, v...)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case float64:
		return strconv.AppendFloat(b, v, 'f', -1, 64)
	case bool:
		return strconv.AppendBool(b, v)
	case time.Time:
		return v.UTC().AppendFormat(b, time.RFC3339Nano)
	}
	return fmt.Append(b, v)
}
