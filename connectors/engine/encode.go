package engine

import (
	"context"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gantry/connectors"
	"gantry/connectors/definition"
	"gantry/connectors/entity"
)

// maxText bounds one text of a record, in bytes; a longer one is cut, with a warning.
const maxText = 256 << 10

// Warnings of a record.
const (
	warnUnmapped  = "unmapped"        // a native code that the definition does not map
	warnDate      = "impossible_date" // a date that does not exist, or a wall clock that the zone skips
	warnNumber    = "invalid_number"
	warnTruncated = "truncated"
	warnComputed  = "not_computed" // an expression failed on this record
)

type warning struct{ field, code, message string }

// Record is one canonical record, encoded.
type Record struct {
	ID   string
	ETag string // without quotes; "": the system has none
	JSON []byte
}

// encoder appends the records of one call. It is used by one goroutine.
type encoder struct {
	ctx      context.Context
	e        *Engine
	t        *table
	view     *view
	children map[string]map[string][]connectors.Row // child → parent's value → rows
	cut      map[string]bool                        // children that were cut, as child + NUL + parent's value
	warnings []warning
	scratch  []byte
	start    int    // where the record begins
	left     string // the status in which the record left the system's sight; "": it is there
}

// record appends one record of the native row.
func (x *encoder) record(b []byte, row connectors.Row) []byte {
	x.warnings, x.start = x.warnings[:0], len(b)
	b = append(b, `{"id":`...)
	x.scratch = x.t.appendID(x.scratch[:0], row)
	b = appendString(b, x.scratch)
	for _, c := range x.view.columns {
		b = append(append(b, ','), c.key...)
		b = x.value(b, c, row)
	}
	b = x.envelope(b, row)
	if len(x.view.custom) > 0 {
		b = append(b, `,"custom_fields":`...)
		b = x.object(b, x.view.custom, row)
	}
	if x.view.remote {
		b = appendRow(append(b, `,"remote_data":`...), row, x.view.hiddenColumns)
	}
	if x.view.whole {
		b = x.actions(b, row)
	}
	return append(x.appendWarnings(b), '}')
}

// envelope appends the times that the definition does not map, as null, and the etag.
func (x *encoder) envelope(b []byte, row connectors.Row) []byte {
	for _, name := range x.view.unknownTimes {
		b = append(append(appendString(append(b, ','), name), ':'), "null"...)
	}
	if x.t.Version != nil {
		x.scratch = appendText(x.scratch[:0], row[x.t.Version.Name])
		b = appendString(append(b, `,"etag":`...), x.scratch)
	}
	return b
}

func (x *encoder) appendWarnings(b []byte) []byte {
	if len(x.warnings) == 0 {
		return b
	}
	b = append(b, `,"_warnings":[`...)
	for i, w := range x.warnings {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(append(b, `{"field":`...), w.field)
		b = appendString(append(b, `,"code":`...), w.code)
		b = append(appendString(append(b, `,"message":`...), w.message), '}')
	}
	return append(b, ']')
}

func (x *encoder) warn(c *column, code, message string) {
	if len(x.warnings) < 20 { // a broken record of a thousand lines need not say it a thousand times
		x.warnings = append(x.warnings, warning{c.path, code, message})
	}
}

// value appends one field.
func (x *encoder) value(b []byte, c *column, row connectors.Row) []byte {
	switch {
	case c.Type == entity.Object && c.From == "":
		return x.object(b, c.members, row)
	case c.Type == entity.List:
		return x.list(b, c, row)
	}
	if x.left != "" && c == x.t.status {
		return append(appendString(append(b, `{"value":`...), x.left), `,"native_code":null,"native_label":null}`...)
	}
	v := row[c.From]
	if c.Computed != nil {
		v = x.computed(c, row)
	}
	if v == nil {
		return append(b, "null"...)
	}
	if c.codes != nil {
		return x.code(b, c, v)
	}
	return x.plain(b, c, v)
}

func (x *encoder) computed(c *column, row connectors.Row) any {
	v, err := c.Computed.Value(x.ctx, definition.Scope{"row": map[string]any(row), "login": x.e.login})
	if err != nil {
		x.warn(c, warnComputed, "The definition's expression gives no value for this record.")
		return nil
	}
	return v
}

// object appends the members of an object whose columns are the record's own.
func (x *encoder) object(b []byte, members []*column, row connectors.Row) []byte {
	b = append(b, '{')
	first := true
	for _, m := range members {
		if x.view.hiddenMembers[m] {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = x.value(append(b, m.key...), m, row)
	}
	return append(b, '}')
}

func (x *encoder) list(b []byte, c *column, row connectors.Row) []byte {
	parent := x.t.parentOf(c.From, row)
	b = append(b, '[')
	for i, child := range x.children[c.From][parent] {
		if i > 0 {
			b = append(b, ',')
		}
		b = x.object(b, c.members, child)
	}
	if x.cut[c.From+"\x00"+parent] {
		x.warn(c, warnTruncated, "The list is longer than "+strconv.Itoa(maxChildren)+" members and was cut.")
	}
	return append(b, ']')
}

// code appends a mapped code. One that is not mapped keeps its native form beside `other`, or as it is.
func (x *encoder) code(b []byte, c *column, v any) []byte {
	x.scratch = appendText(x.scratch[:0], v)
	if known, ok := c.codes[string(x.scratch)]; ok {
		return append(b, known.json...)
	}
	native := strings.TrimSpace(string(x.scratch)) // CHAR columns come padded
	if known, ok := c.codes[native]; ok {
		return append(b, known.json...)
	}
	x.warn(c, warnUnmapped, "The definition does not map the native code "+strconv.Quote(native)+".")
	switch c.Type {
	case entity.Boolean:
		return append(b, "null"...)
	case entity.Status:
		return appendStatus(b, entity.Other, native, c.Labels[native])
	case entity.Enum:
		return appendString(b, entity.Other)
	}
	return appendString(b, native)
}

func (x *encoder) plain(b []byte, c *column, v any) []byte {
	switch c.Type {
	case entity.Integer:
		return x.integer(b, c, v)
	case entity.Decimal:
		return x.decimal(b, c, v)
	case entity.Boolean:
		return x.boolean(b, c, v)
	case entity.Datetime, entity.Date:
		return x.time(b, c, v)
	case entity.Status:
		return appendStatus(b, text(v), text(v), "")
	}
	switch v := v.(type) {
	case string:
		return x.text(b, c, v)
	default:
		return x.text(b, c, text(v))
	}
}

func (x *encoder) text(b []byte, c *column, s string) []byte {
	if len(s) > maxText {
		end := maxText
		for end > 0 && !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end]
		x.warn(c, warnTruncated, "The text is longer than 256 KiB and was cut.")
	}
	return appendString(b, s)
}

func (x *encoder) integer(b []byte, c *column, v any) []byte {
	switch v := v.(type) {
	case int64:
		return strconv.AppendInt(b, v, 10)
	case bool:
		if v {
			return append(b, '1')
		}
		return append(b, '0')
	}
	if whole, ok := wholeNumber(text(v)); ok {
		return append(b, whole...)
	}
	x.warn(c, warnNumber, "The system's value is no whole number.")
	return append(b, "null"...)
}

func (x *encoder) decimal(b []byte, c *column, v any) []byte {
	x.scratch = appendText(x.scratch[:0], v)
	if isDecimal(x.scratch) {
		return append(append(append(b, '"'), x.scratch...), '"')
	}
	if d, ok := toDecimal(string(x.scratch)); ok {
		return append(append(append(b, '"'), d...), '"')
	}
	x.warn(c, warnNumber, "The system's value is no decimal number.")
	return append(b, "null"...)
}

func (x *encoder) boolean(b []byte, c *column, v any) []byte {
	switch v := v.(type) {
	case bool:
		return strconv.AppendBool(b, v)
	case int64:
		return strconv.AppendBool(b, v != 0)
	}
	if yes, err := strconv.ParseBool(strings.TrimSpace(text(v))); err == nil {
		return strconv.AppendBool(b, yes)
	}
	x.warn(c, warnUnmapped, "The system's value is neither true nor false.")
	return append(b, "null"...)
}

func (x *encoder) time(b []byte, c *column, v any) []byte {
	at, exact, ok := c.instant(v)
	if !ok {
		x.warn(c, warnDate, "The system's value is no date that exists.")
		return append(b, "null"...)
	}
	if !exact {
		x.warn(c, warnDate, "The time zone skips this hour; the time after it is shown.")
	}
	b = append(b, '"')
	if c.Type == entity.Date {
		return append(at.AppendFormat(b, time.DateOnly), '"')
	}
	return append(at.AppendFormat(b, time.RFC3339Nano), '"')
}
