package rest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The kinds of a value that its JSON form does not tell.
const (
	kindDecimal  = "decimal"  // exact; in a text or a number
	kindInteger  = "integer"  // in a text or a number
	kindString   = "string"   // of a number: its digits
	kindDate     = "date"     // 2026-03-01
	kindDatetime = "datetime" // a wall clock in the protocol's layout
	kindInstant  = "instant"  // in the protocol's layout, with its zone
)

var kinds = []string{kindDecimal, kindInteger, kindString, kindDate, kindDatetime, kindInstant}

// encode gives a value of connectors.Row's types in the form that the system takes. A decimal goes out as a JSON number, digit for
// digit, only where it is asked for by its kind.
func (t times) encode(v any, kind string) (any, error) {
	switch v := v.(type) {
	case time.Time:
		switch kind {
		case kindDate:
			return v.Format(time.DateOnly), nil
		case kindDatetime:
			return v.Format(t.datetime), nil
		}
		return v.UTC().Format(t.instant), nil
	case []byte:
		return base64.StdEncoding.EncodeToString(v), nil
	case nil, bool:
		return v, nil
	case string, int64, float64:
		return encodeScalar(v, kind)
	}
	return nil, fmt.Errorf("a %T cannot be sent", v)
}

func encodeScalar(v any, kind string) (any, error) {
	text := fmt.Sprint(v)
	if f, ok := v.(float64); ok {
		text = strconv.FormatFloat(f, 'f', -1, 64)
	}
	switch kind {
	case kindDecimal, kindInteger:
		if !json.Valid([]byte(text)) || strings.Trim(text, "-0123456789.") != "" || kind == kindInteger && strings.Contains(text, ".") {
			return nil, fmt.Errorf("is no %s", kind)
		}
		return json.Number(text), nil
	case kindString:
		return text, nil
	case kindDate, kindDatetime, kindInstant:
		return nil, fmt.Errorf("is no %s", kind)
	}
	return v, nil
}

var errNested = errors.New("a list or an object is no value of a column")

// decode gives a value of an answer as one of connectors.Row's types. A number keeps its digits: a whole one is an int64,
// any other the text that the system printed.
func (p *protocol) decode(v any, kind string) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case bool:
		if kind == kindString {
			return strconv.FormatBool(v), nil
		}
		return v, nil
	case json.Number:
		return decodeText(p.times, v.String(), kind, true)
	case string:
		if v == "" && (p.emptyIsNull || kind != "" && kind != kindString) {
			return nil, nil
		}
		return decodeText(p.times, v, kind, false)
	}
	return nil, errNested
}

func decodeText(t times, s, kind string, number bool) (any, error) {
	switch kind {
	case kindDecimal, kindString:
		return s, nil
	case kindDate:
		return parse(s, kind, time.DateOnly, time.RFC3339, t.instant, t.datetime)
	case kindDatetime:
		return parse(s, kind, t.datetime, "2006-01-02T15:04:05", time.DateTime)
	case kindInstant:
		return parse(s, kind, t.instant, time.RFC3339)
	case kindInteger:
		i, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return nil, errors.New("no whole number")
		}
		return i, nil
	}
	if !number {
		return s, nil
	}
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return i, nil
	}
	return s, nil
}

// parse reads a time in the first layout that fits. A date keeps its own digits, whatever the hour and the zone beside it.
func parse(s, kind string, layouts ...string) (any, error) {
	for _, layout := range layouts {
		at, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		if kind == kindDate {
			y, m, d := at.Date()
			return time.Date(y, m, d, 0, 0, 0, 0, time.UTC), nil
		}
		if kind == kindDatetime {
			return at, nil
		}
		return at.UTC(), nil
	}
	return nil, fmt.Errorf("%.40q is no %s", s, kind)
}
