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

func (tryton) encode(v any, kind string) (any, error) {
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
		if kind == kindDecimal {
			text, err := digits(v)
			return map[string]any{"__class__": "Decimal", "decimal": text}, err
		}
		return encodeScalar(v, kind)
	}
	return nil, fmt.Errorf("a %T cannot be sent", v)
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

func (d tryton) decode(v any, kind string) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		return d.decodeObject(v)
	case json.Number:
		if f, err := v.Float64(); kind == kindFloat && err == nil {
			return decodeNumber(strconv.FormatFloat(f, 'f', -1, 64)) // 10.0 is 10
		}
	}
	return decodeScalar(v)
}

func (d tryton) decodeObject(v map[string]any) (any, error) {
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
		return d.decode(v["seconds"], "")
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
