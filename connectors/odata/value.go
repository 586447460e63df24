package odata

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Layouts of times. Version 2 has wall clocks (Edm.DateTime) and instants; version 4 has instants and dates.
const (
	wallClock = "2006-01-02T15:04:05.9999999"
	instant   = "2006-01-02T15:04:05.9999999Z"
	timeOfDay = "15:04:05"
)

var errNested = errors.New("a list or an object is no value of a column")

// decode gives a value of a record as one of connectors.Row's types; kind is its type of Edm. Numbers keep their digits.
func decode(v any, kind string) (any, error) {
	switch v := v.(type) {
	case nil, bool:
		return v, nil
	case json.Number:
		return decodeNumber(v.String(), kind)
	case string:
		return decodeText(v, kind)
	}
	return nil, errNested
}

func decodeNumber(s, kind string) (any, error) {
	switch kind {
	case "Edm.Byte", "Edm.SByte", "Edm.Int16", "Edm.Int32", "Edm.Int64":
		return strconv.ParseInt(s, 10, 64)
	case "":
		if i, err := strconv.ParseInt(s, 10, 64); err == nil {
			return i, nil
		}
	}
	return s, nil
}

func decodeText(s, kind string) (any, error) {
	switch kind {
	case "Edm.Byte", "Edm.SByte", "Edm.Int16", "Edm.Int32", "Edm.Int64":
		return strconv.ParseInt(s, 10, 64)
	case "Edm.Boolean":
		return strconv.ParseBool(s)
	case "Edm.Binary", "Edm.Stream":
		return base64.RawURLEncoding.DecodeString(urlAlphabet.Replace(strings.TrimRight(s, "=")))
	case "Edm.DateTime", "Edm.DateTimeOffset", "Edm.Date":
		return decodeTime(s, kind)
	case "Edm.Time", "Edm.TimeOfDay":
		return decodeTimeOfDay(s)
	}
	return s, nil
}

var urlAlphabet = strings.NewReplacer("+", "-", "/", "_")

// ticks is a time of version 2 in JSON: milliseconds since 1970, and perhaps minutes of the zone in which they were counted.
var ticks = regexp.MustCompile(`^/Date\((-?\d{1,15})([+-]\d{1,4})?\)/$`)

func decodeTime(s, kind string) (any, error) {
	at, err := parseTime(s)
	if err != nil {
		return nil, err
	}
	if kind == "Edm.Date" {
		y, m, d := at.Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC), nil
	}
	return at.UTC(), nil
}

func parseTime(s string) (time.Time, error) {
	if m := ticks.FindStringSubmatch(s); m != nil {
		ms, err := strconv.ParseInt(m[1], 10, 64)
		minutes, _ := strconv.ParseInt(strings.TrimPrefix(m[2], "+"), 10, 64)
		at := time.UnixMilli(ms).UTC().Add(-time.Duration(minutes) * time.Minute)
		if err != nil || at.Year() < 1 || at.Year() > 9999 {
			return at, fmt.Errorf("%.40q is no time", s)
		}
		return at, nil
	}
	for _, layout := range []string{time.RFC3339Nano, wallClock, "2006-01-02T15:04Z07:00", time.DateOnly} {
		if at, err := time.Parse(layout, s); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%.40q is no time", s)
}

// duration is a time of day in version 2: PT13H20M00S.
var duration = regexp.MustCompile(`^P(?:0D)?T(?:(\d{1,2})H)?(?:(\d{1,2})M)?(?:(\d{1,2})(?:\.(\d{1,12}))?S)?$`)

// decodeTimeOfDay gives 13:20:00, whatever the version wrote.
func decodeTimeOfDay(s string) (any, error) {
	m := duration.FindStringSubmatch(s)
	if m == nil {
		if _, err := time.Parse(timeOfDay, s); err != nil {
			return nil, fmt.Errorf("%.40q is no time of day", s)
		}
		return s, nil
	}
	parts := [3]int{}
	for i := range parts {
		parts[i], _ = strconv.Atoi(m[i+1])
	}
	if parts[0] > 23 || parts[1] > 59 || parts[2] > 59 {
		return nil, fmt.Errorf("%.40q is no time of day", s)
	}
	out := fmt.Sprintf("%02d:%02d:%02d", parts[0], parts[1], parts[2])
	if fraction := strings.TrimRight(m[4], "0"); fraction != "" {
		out += "." + fraction
	}
	return out, nil
}

// writer writes values as a version of the protocol asks.
type writer struct{ dialect string }

// text gives a value of connectors.Row's types as the text of a type of Edm, without quotes.
func (w writer) text(v any, kind string) (string, error) {
	var s string
	switch v := v.(type) {
	case string:
		s = v
	case bool:
		s = strconv.FormatBool(v)
	case int64:
		s = strconv.FormatInt(v, 10)
	case float64:
		s = strconv.FormatFloat(v, 'f', -1, 64)
	case json.Number:
		s = v.String()
	case int:
		s = strconv.Itoa(v)
	case time.Time:
		return w.time(v, kind)
	case []byte:
		return base64.StdEncoding.EncodeToString(v), nil
	default:
		return "", fmt.Errorf("a %T cannot be sent", v)
	}
	if err := w.check(s, kind); err != nil {
		return "", err
	}
	switch kind {
	case "Edm.DateTime", "Edm.DateTimeOffset", "Edm.Date":
		at, err := parseTime(s)
		if err != nil {
			return "", err
		}
		return w.time(at, kind)
	}
	return s, nil
}

var (
	integerText = regexp.MustCompile(`^-?\d{1,19}$`)
	decimalText = regexp.MustCompile(`^-?\d{1,60}(\.\d{1,60})?$`)
	floatText   = regexp.MustCompile(`^(-?\d{1,60}(\.\d{1,60})?([eE][+-]?\d{1,3})?|NaN|-?INF)$`)
	guidText    = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)
	clockText   = regexp.MustCompile(`^\d{2}:\d{2}(:\d{2}(\.\d{1,12})?)?$`)
)

// check holds a text against its type: what stands bare in a URL must never be more than a value.
func (w writer) check(s, kind string) error {
	ok := true
	switch kind {
	case "Edm.Byte", "Edm.SByte", "Edm.Int16", "Edm.Int32", "Edm.Int64":
		ok = integerText.MatchString(s)
	case "Edm.Decimal":
		ok = decimalText.MatchString(s)
	case "Edm.Double", "Edm.Single":
		ok = floatText.MatchString(s)
	case "Edm.Guid":
		ok = guidText.MatchString(s)
	case "Edm.Boolean":
		ok = s == "true" || s == "false"
	case "Edm.Time", "Edm.TimeOfDay":
		ok = clockText.MatchString(s)
	case "Edm.DateTime", "Edm.DateTimeOffset", "Edm.Date", "Edm.String":
	default:
		ok = !strings.ContainsAny(s, "\x00\r\n")
	}
	if !ok {
		return fmt.Errorf("%.40q is no %s", s, kind)
	}
	return nil
}

func (w writer) time(t time.Time, kind string) (string, error) {
	switch kind {
	case "Edm.DateTime":
		return t.UTC().Format(wallClock), nil
	case "Edm.DateTimeOffset":
		return t.UTC().Format(instant), nil
	case "Edm.Date":
		return t.Format(time.DateOnly), nil
	case "Edm.Time", "Edm.TimeOfDay":
		return t.Format(timeOfDay), nil
	case "Edm.String", "":
		return t.UTC().Format(instant), nil
	}
	return "", fmt.Errorf("a time is no %s", kind)
}

// literal writes a value as it stands in a URL, not yet escaped.
func (w writer) literal(v any, p property, kind string) (string, error) {
	if v == nil {
		return "null", nil
	}
	s, err := w.text(v, kind)
	if err != nil {
		return "", err
	}
	quoted := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	switch {
	case kind == "" || kind == "Edm.String" && p.kind == kind:
		return quoted, nil
	case kind == "Edm.String" && w.dialect == v4: // an enumeration
		return p.kind + quoted, nil
	case kind == "Edm.String":
		return quoted, nil
	case w.dialect == v4:
		return w.literalV4(s, quoted, kind)
	}
	return w.literalV2(s, quoted, kind)
}

func (w writer) literalV4(s, quoted, kind string) (string, error) {
	switch kind {
	case "Edm.Duration":
		return "duration" + quoted, nil
	case "Edm.Binary":
		return "binary" + quoted, nil
	case "Edm.Byte", "Edm.SByte", "Edm.Int16", "Edm.Int32", "Edm.Int64", "Edm.Decimal", "Edm.Double", "Edm.Single", "Edm.Guid", "Edm.Boolean",
		"Edm.DateTimeOffset", "Edm.Date", "Edm.TimeOfDay":
		return s, nil
	}
	return "", fmt.Errorf("a value of %s cannot be written", kind)
}

func (w writer) literalV2(s, quoted, kind string) (string, error) {
	switch kind {
	case "Edm.Byte", "Edm.SByte", "Edm.Int16", "Edm.Int32", "Edm.Boolean":
		return s, nil
	case "Edm.Int64":
		return s + "L", nil
	case "Edm.Decimal":
		return s + "M", nil
	case "Edm.Double":
		return s + "d", nil
	case "Edm.Single":
		return s + "f", nil
	case "Edm.Guid":
		return "guid" + quoted, nil
	case "Edm.DateTime":
		return "datetime" + quoted, nil
	case "Edm.DateTimeOffset":
		return "datetimeoffset" + quoted, nil
	case "Edm.Time":
		d, err := asDuration(s)
		return "time'" + d + "'", err
	}
	return "", fmt.Errorf("a value of %s cannot be written", kind)
}

// asDuration writes a time of day as version 2 does.
func asDuration(s string) (string, error) {
	var h, m, sec int
	clock, fraction, _ := strings.Cut(s, ".")
	if n, _ := fmt.Sscanf(clock, "%d:%d:%d", &h, &m, &sec); n < 2 || h > 23 || m > 59 || sec > 59 {
		return "", fmt.Errorf("%.40q is no time of day", s)
	}
	if fraction != "" {
		return fmt.Sprintf("PT%02dH%02dM%02d.%sS", h, m, sec, fraction), nil
	}
	return fmt.Sprintf("PT%02dH%02dM%02dS", h, m, sec), nil
}

// value gives a value as it stands in JSON.
func (w writer) value(v any, kind string) (any, error) {
	if v == nil {
		return nil, nil
	}
	s, err := w.text(v, kind)
	if err != nil {
		return nil, err
	}
	switch kind {
	case "Edm.Boolean":
		return s == "true", nil
	case "Edm.Byte", "Edm.SByte", "Edm.Int16", "Edm.Int32":
		return json.Number(s), nil
	case "Edm.Double", "Edm.Single":
		if w.dialect == v2 || !json.Valid([]byte(s)) { // NaN is a text
			return s, nil
		}
		return json.Number(s), nil
	case "Edm.DateTime":
		at, err := parseTime(s)
		return fmt.Sprintf("/Date(%d)/", at.UnixMilli()), err
	case "Edm.DateTimeOffset":
		if w.dialect == v4 {
			return s, nil
		}
		at, err := parseTime(s)
		return fmt.Sprintf("/Date(%d+0000)/", at.UnixMilli()), err
	case "Edm.Time":
		return asDuration(s)
	case "Edm.Binary":
		if raw, is := v.([]byte); is && w.dialect == v4 {
			return base64.URLEncoding.EncodeToString(raw), nil
		}
	case "": // a member of an open type: as it is
		if n, is := v.(json.Number); is {
			return n, nil
		}
		if _, is := v.(time.Time); !is {
			return v, nil
		}
	}
	return s, nil
}
