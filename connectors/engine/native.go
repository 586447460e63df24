package engine

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gantry/connectors/definition"
	"gantry/connectors/entity"
)

// toNative turns a canonical value of a request's body, or the text of a filter, into what the column holds. The text is
// what is wrong with the value, "" if nothing is.
func (c *column) toNative(v any) (any, string) {
	if v == nil {
		return nil, ""
	}
	if c.codes != nil {
		return c.fromCode(v)
	}
	switch c.Type {
	case entity.Integer:
		return c.fromInteger(v)
	case entity.Decimal:
		return c.fromDecimal(v)
	case entity.Boolean:
		return c.fromBoolean(v)
	case entity.Datetime, entity.Date:
		return c.fromTime(v)
	}
	return c.fromText(v)
}

// fromCode reverses an enumeration; a status may be sent as it is shown, {value: …}.
func (c *column) fromCode(v any) (any, string) {
	if object, ok := v.(map[string]any); ok && c.Type == entity.Status {
		v = object["value"]
	}
	value := fmt.Sprint(v)
	natives := c.natives(value)
	if len(natives) == 0 {
		return nil, "must be one of: " + strings.Join(c.canonical(), ", ")
	}
	return c.nativeCode(natives[0]), ""
}

// canonical lists the values that can be written.
func (c *column) canonical() []string {
	var out []string
	for _, value := range c.Enum {
		out = append(out, value)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// nativeCode types a code as its column holds it.
func (c *column) nativeCode(code string) any {
	if c.Native == definition.NativeInteger {
		if i, err := strconv.ParseInt(code, 10, 64); err == nil {
			return i
		}
	}
	return code
}

func (c *column) fromInteger(v any) (any, string) {
	i, err := strconv.ParseInt(fmt.Sprint(v), 10, 64)
	if err != nil {
		return nil, "must be a whole number"
	}
	return i, ""
}

// fromDecimal takes a decimal string, or a JSON number, digit for digit.
func (c *column) fromDecimal(v any) (any, string) {
	s := ""
	switch v := v.(type) {
	case string:
		s = v
	case json.Number:
		s = v.String()
	}
	d, ok := toDecimal(s)
	if !ok || len(d) > 60 {
		return nil, `must be a decimal number as a string: "12.50"`
	}
	switch c.Native {
	case definition.NativeFloat:
		f, err := strconv.ParseFloat(d, 64)
		if err != nil {
			return nil, "is out of range"
		}
		return f, ""
	case definition.NativeInteger:
		whole, ok := wholeNumber(d)
		i, err := strconv.ParseInt(whole, 10, 64)
		if !ok || err != nil {
			return nil, "must be a whole number in this system"
		}
		return i, ""
	}
	return d, ""
}

func (c *column) fromBoolean(v any) (any, string) {
	b, ok := v.(bool)
	if !ok {
		s, _ := v.(string)
		if s != "true" && s != "false" {
			return nil, "must be true or false"
		}
		b = s == "true"
	}
	switch c.Native {
	case definition.NativeInteger:
		if b {
			return int64(1), ""
		}
		return int64(0), ""
	case definition.NativeString:
		return strconv.FormatBool(b), ""
	}
	return b, ""
}

func (c *column) fromTime(v any) (any, string) {
	s, _ := v.(string)
	if c.Type == entity.Date {
		at, err := time.Parse(time.DateOnly, s)
		if err != nil {
			return nil, "must be a date as 2026-03-01"
		}
		if c.Native == definition.NativeTextDate || c.Native == definition.NativeTextDatetime {
			return at.Format(c.layout), ""
		}
		return at, ""
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return nil, "must be a time as 2026-03-01T06:30:00Z"
	}
	return c.nativeTime(at), ""
}

// fromText takes a string, and a reference's id in the type of its column.
func (c *column) fromText(v any) (any, string) {
	s, ok := v.(string)
	switch {
	case !ok && c.Type == entity.Ref:
		return nil, "must be the id of a record of " + c.Ref + ", as a string"
	case !ok:
		return nil, "must be a string"
	case c.MaxLength > 0 && utf8.RuneCountInString(s) > c.MaxLength:
		return nil, fmt.Sprintf("is longer than %d characters", c.MaxLength)
	}
	native, ok := keyValue(s, c.Native)
	if !ok {
		return nil, "is no id that " + c.Name + " can have"
	}
	return native, ""
}
