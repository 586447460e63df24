package jsonrpc

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// The kinds of a value that its Go type does not tell, or that a JSON value can be of. Each dialect has some of them.
const (
	kindText     = "text"
	kindInteger  = "integer"
	kindDecimal  = "decimal"
	kindFloat    = "float"
	kindBoolean  = "boolean"
	kindDate     = "date"
	kindDatetime = "datetime"
	kindRecord   = "record" // the number of a related record
	kindName     = "name"   // what people call it
)

// encodeScalar gives a text, a number or a truth as JSON has it.
func encodeScalar(v any, kind string) (any, error) {
	switch kind {
	case kindDecimal:
		text, err := digits(v)
		return json.Number(text), err
	case kindFloat:
		f, err := strconv.ParseFloat(fmt.Sprint(v), 64)
		if err != nil {
			return nil, errors.New("is no number")
		}
		return f, nil
	case kindDate, kindDatetime:
		return nil, fmt.Errorf("is no %s", kind)
	case kindText:
		return fmt.Sprint(v), nil
	}
	return v, nil
}

// digits are those of a decimal number. What a system could read as something else (NaN, Infinity, 1_000, 007) is none.
func digits(v any) (string, error) {
	text := fmt.Sprint(v)
	if f, ok := v.(float64); ok {
		text = strconv.FormatFloat(f, 'f', -1, 64)
	}
	if !isNumber(text) {
		return "", errors.New("is no decimal number")
	}
	return text, nil
}

func isNumber(s string) bool {
	whole, part, point := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	return digits(whole) && (len(whole) == 1 || whole[0] != '0') && (!point || digits(part))
}

// decodeScalar gives a value of an answer as one of connectors.Row's types. A number keeps its digits: a whole one is an
// int64, any other the text that the system printed.
func decodeScalar(v any) (any, error) {
	switch v := v.(type) {
	case nil, string, bool:
		return v, nil
	case json.Number:
		return decodeNumber(v.String())
	}
	return nil, errors.New("a list or an object is no value of a column")
}

// maxExponent keeps a number of few bytes from becoming one of many.
const maxExponent = 40

func decodeNumber(text string) (any, error) {
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return i, nil
	}
	mantissa, exponent, short := strings.Cut(strings.ToLower(text), "e")
	if !short {
		return text, nil
	}
	power, err := strconv.Atoi(exponent)
	r, ok := new(big.Rat).SetString(text)
	if err != nil || power > maxExponent || power < -maxExponent || !ok {
		return nil, fmt.Errorf("%.20s is out of range", text)
	}
	_, part, _ := strings.Cut(mantissa, ".")
	return strings.TrimSuffix(r.FloatString(max(0, len(part)-power)), "."), nil
}

// decodeTime reads a time that is a text.
func decodeText(v any, layout string) (any, error) {
	text, ok := v.(string)
	if !ok {
		return nil, errors.New("a time that is no text")
	}
	t, err := time.Parse(layout, text)
	if err != nil {
		return nil, fmt.Errorf("%.40q is no time like %s", text, layout)
	}
	return t.UTC(), nil
}
