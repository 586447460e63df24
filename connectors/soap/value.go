package soap

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gantry/connectors"
	"gantry/connectors/markup"
	"gantry/connectors/sift"
)

// row takes the columns out of an element. An element that is not there, or empty, is null.
func row(n *markup.Node, columns []column) (connectors.Row, error) {
	out := make(connectors.Row, len(columns))
	for _, c := range columns {
		text, _, err := c.path.Text(n)
		if err != nil {
			return nil, err
		}
		if out[c.Name], err = decode(text, c.Kind); err != nil {
			return nil, fmt.Errorf("%s: %.60q %w", c.Name, text, err)
		}
	}
	return out, nil
}

// decode reads a text as XML Schema's types have it.
func decode(text string, kind sift.Kind) (any, error) {
	if kind != sift.Text {
		text = strings.TrimSpace(text)
	}
	if text == "" {
		return nil, nil
	}
	switch kind {
	case sift.Integer:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, errors.New("is no whole number")
		}
		return n, nil
	case sift.Decimal:
		if !number.MatchString(strings.TrimPrefix(text, "+")) {
			return nil, errors.New("is no decimal number")
		}
		return strings.TrimPrefix(text, "+"), nil
	case sift.Boolean:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return nil, errors.New("is neither true nor false")
		}
		return b, nil
	case sift.Date, sift.Datetime:
		return moment(text)
	}
	return text, nil
}

// moment reads xs:date and xs:dateTime. One with a zone is an instant; one without is a wall clock.
func moment(text string) (any, error) {
	for _, layout := range []string{"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999", time.DateOnly, "2006-01-02Z07:00"} {
		if at, err := time.Parse(layout, text); err == nil {
			if layout == "2006-01-02Z07:00" { // a day is a day, wherever
				return time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC), nil
			}
			return at.UTC(), nil
		}
	}
	return nil, errors.New("is no date or time of XML Schema")
}

// lexical writes a value as XML Schema's types have it.
func lexical(v any, kind sift.Kind) (string, error) {
	switch v := v.(type) {
	case time.Time:
		if kind == sift.Date {
			return v.Format(time.DateOnly), nil
		}
		return v.Format("2006-01-02T15:04:05.999999999"), nil
	case bool:
		return strconv.FormatBool(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case []byte:
		return base64.StdEncoding.EncodeToString(v), nil
	case string:
		if (kind == sift.Decimal || kind == sift.Integer) && !number.MatchString(v) {
			return "", errors.New("is no number")
		}
		if kind == sift.Date || kind == sift.Datetime {
			return "", fmt.Errorf("is no %s", kind)
		}
		return v, nil
	}
	return "", fmt.Errorf("a %T cannot be sent", v)
}

var number = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)
