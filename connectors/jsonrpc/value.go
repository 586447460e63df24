package jsonrpc

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The kinds of a value that its Go type does not tell.
const (
	kindDecimal  = "decimal"
	kindDate     = "date"
	kindDatetime = "datetime"
	kindFloat    = "float"
	kindRecord   = "record"
)

// encode gives a value of connectors.Row's types in the dialect's form.
func encode(v any, kind string) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case time.Time:
		if kind == kindDate {
			return encodeDate(v), nil
		}
		return encodeDatetime(v), nil
	case []byte:
		return map[string]any{"__class__": "bytes", "base64": base64.StdEncoding.EncodeToString(v)}, nil
	case string, int64, float64, bool:
		return encodeScalar(v, kind)
	}
	return nil, fmt.Errorf("a %T cannot be sent", v)
}

func encodeScalar(v any, kind string) (any, error) {
	switch kind {
	case kindDecimal:
		text := fmt.Sprint(v)
		if f, ok := v.(float64); ok {
			text = strconv.FormatFloat(f, 'f', -1, 64)
		}
		if !isNumber(text) {
			return nil, errors.New("is no decimal number")
		}
		return map[string]any{"__class__": "Decimal", "decimal": text}, nil
	case kindFloat:
		f, err := strconv.ParseFloat(fmt.Sprint(v), 64)
		if err != nil {
			return nil, errors.New("is no number")
		}
		return f, nil
	case kindDate, kindDatetime:
		return nil, fmt.Errorf("is no %s", kind)
	}
	return v, nil
}

// isNumber keeps what a decimal of the system could read as something else (NaN, Infinity, 1_000) away from it.
func isNumber(s string) bool {
	digits := strings.TrimLeft(s, "-")
	return len(s)-len(digits) <= 1 && digits != "" && strings.Trim(digits, "0123456789.") == "" && strings.Count(digits, ".") <= 1 &&
		strings.Trim(digits, ".") != ""
}

func encodeDate(t time.Time) any {
	return map[string]any{"__class__": "date", "year": t.Year(), "month": int(t.Month()), "day": t.Day()}
}

func encodeDatetime(t time.Time) any {
	t = t.UTC()
	return map[string]any{
		"__class__": "datetime", "year": t.Year(), "month": int(t.Month()), "day": t.Day(), "hour": t.Hour(),
		"minute": t.Minute(), "second": t.Second(), "microsecond": t.Nanosecond() / 1000,
	}
}

// decode gives a value of an answer as one of connectors.Row's types. A number keeps its digits: a whole one is an
// int64, any other the text that the system printed.
func decode(v any) (any, error) {
	switch v := v.(type) {
	case nil, string, bool:
		return v, nil
	case json.Number:
		if i, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return i, nil
		}
		return v.String(), nil
	case map[string]any:
		return decodeObject(v)
	}
	return nil, errors.New("a list is no value of a column")
}

func decodeObject(v map[string]any) (any, error) {
	switch class := v["__class__"]; class {
	case "Decimal":
		s, ok := v["decimal"].(string)
		if !ok {
			return nil, errors.New("a Decimal without its digits")
		}
		return s, nil
	case "date", "datetime":
		return decodeTime(v)
	case "time":
		return fmt.Sprintf("%02d:%02d:%02d", part(v, "hour"), part(v, "minute"), part(v, "second")), nil
	case "timedelta":
		return decode(v["seconds"])
	case "bytes":
		s, _ := v["base64"].(string)
		return base64.StdEncoding.DecodeString(strings.ReplaceAll(s, "\n", ""))
	default:
		return nil, fmt.Errorf("an object of the class %.40v is no value of a column", class)
	}
}

func decodeTime(v map[string]any) (any, error) {
	t := time.Date(part(v, "year"), time.Month(part(v, "month")), part(v, "day"), part(v, "hour"), part(v, "minute"),
		part(v, "second"), part(v, "microsecond")*1000, time.UTC)
	if t.Year() != part(v, "year") || int(t.Month()) != part(v, "month") || t.Day() != part(v, "day") {
		return nil, errors.New("a date that does not exist")
	}
	return t, nil
}

func part(v map[string]any, name string) int {
	n, _ := v[name].(json.Number)
	i, err := strconv.ParseInt(n.String(), 10, 32)
	if err != nil {
		return 0
	}
	return int(i)
}
