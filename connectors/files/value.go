package files

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gantry/connectors/sift"
)

// value reads a field as its column's kind. An empty field is null.
func (l *layout) value(c *column, text string) (any, error) {
	if c.kind == sift.Text {
		if text == "" {
			return nil, nil
		}
		return text, nil
	}
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, nil
	}
	switch c.kind {
	case sift.Integer:
		plain, err := l.number(text)
		if err != nil {
			return nil, err
		}
		n, err := strconv.ParseInt(plain, 10, 64)
		if err != nil {
			return nil, errors.New("is no whole number")
		}
		return n, nil
	case sift.Decimal:
		return l.number(text)
	case sift.Boolean:
		return boolean(text)
	case sift.Date:
		return moment(text, l.date, "date")
	case sift.Datetime:
		return moment(text, l.datetime, "time")
	}
	return nil, fmt.Errorf("has an unknown kind %q", c.kind)
}

const maxDigits = 60

// number reads a decimal number as people print it: with a decimal comma, with groups, with its sign at the end. Groups must be of
// three digits: a point that the file's layout did not lead one to expect is no group.
func (l *layout) number(text string) (plain string, err error) {
	negative := false
	switch {
	case strings.HasSuffix(text, "-"):
		negative, text = true, text[:len(text)-1]
	case strings.HasPrefix(text, "-"):
		negative, text = true, text[1:]
	case strings.HasPrefix(text, "+"):
		text = text[1:]
	}
	whole, fraction, pointed := strings.Cut(strings.TrimSpace(text), string(l.decimal))
	if whole, err = ungrouped(whole, l.decimal); err != nil {
		return "", err
	}
	if !digits(whole) || !digits(fraction) || whole == "" && fraction == "" || pointed && fraction == "" && whole == "" || len(whole)+len(fraction) > maxDigits {
		return "", errors.New("is no decimal number in the file's form")
	}
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if fraction != "" {
		whole += "." + fraction
	}
	if negative && strings.Trim(whole, "0.") != "" {
		whole = "-" + whole
	}
	return whole, nil
}

func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// ungrouped takes the separators of groups of three out of a whole number.
func ungrouped(whole string, decimal byte) (string, error) {
	other := "."
	if decimal == '.' {
		other = ","
	}
	for _, separator := range []string{other, " ", "\u00a0", "\u202f", "'", "’"} {
		groups := strings.Split(whole, separator)
		if len(groups) == 1 {
			continue
		}
		for i, group := range groups {
			if i > 0 && len(group) != 3 || i == 0 && (group == "" || len(group) > 3) || !digits(group) {
				return "", errors.New("is no decimal number in the file's form")
			}
		}
		return strings.Join(groups, ""), nil
	}
	return whole, nil
}

// boolean reads what plants write for yes and no.
func boolean(text string) (any, error) {
	switch strings.ToLower(text) {
	case "1", "true", "t", "yes", "y", "ja", "j", "oui", "o", "si", "s", "x", "on":
		return true, nil
	case "0", "false", "f", "no", "n", "nein", "non", "-", "off":
		return false, nil
	}
	return nil, errors.New("is neither yes nor no")
}

// moment reads a date or a time. One with a zone of its own is an instant.
func moment(text, layout, word string) (any, error) {
	if at, err := time.ParseInLocation(layout, text, time.UTC); err == nil && at.Year() > 0 {
		return at, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil && word == "time" {
		return at.UTC(), nil
	}
	return nil, fmt.Errorf("is no %s in the file's form", word)
}

// text writes a value as its column's kind.
func (l *layout) text(c *column, v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case time.Time:
		if c.kind == sift.Date {
			return v.Format(l.date), nil
		}
		return v.Format(l.datetime), nil
	case bool:
		if v {
			return "1", nil
		}
		return "0", nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return l.pointed(strconv.FormatFloat(v, 'f', -1, 64)), nil
	case string:
		if c.kind == sift.Decimal || c.kind == sift.Integer {
			dot := &layout{decimal: '.'}
			plain, err := dot.number(v)
			if err != nil {
				return "", err
			}
			return l.pointed(plain), nil
		}
		return v, nil
	}
	return "", fmt.Errorf("a %T cannot be written", v)
}

func (l *layout) pointed(number string) string {
	return strings.Replace(number, ".", string(l.decimal), 1)
}
