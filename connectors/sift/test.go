package sift

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"gantry/connectors"
)

// Kind is what a column holds.
type Kind string

// The kinds of columns.
const (
	Text     Kind = "text"
	Integer  Kind = "integer"
	Decimal  Kind = "decimal" // an exact number, as text
	Boolean  Kind = "boolean"
	Date     Kind = "date"
	Datetime Kind = "datetime"
)

var kinds = []Kind{Text, Integer, Decimal, Boolean, Date, Datetime}

// IsKind reports whether a word is a kind.
func IsKind(word string) bool { return slices.Contains(kinds, Kind(word)) }

// Column is a column of rows.
type Column struct {
	Name string
	Kind Kind
}

// Test is a filter on one column.
type Test struct {
	Column Column
	op     connectors.Op
	values []any
}

// NewTest prepares a filter.
func NewTest(c Column, op connectors.Op, values []any) (Test, error) {
	t := Test{Column: c, op: op}
	for _, v := range values {
		value, ok := comparableOf(c.Kind, v)
		if !ok || value == nil && op != connectors.Equal {
			return t, fmt.Errorf("filter on %s: %v cannot be compared", c.Name, v)
		}
		t.values = append(t.values, value)
	}
	if op != connectors.Equal && len(values) != 1 {
		return t, fmt.Errorf("filter on %s: %s takes one value", c.Name, op)
	}
	return t, nil
}

// Holds reports whether a row passes.
func (t Test) Holds(row connectors.Row) bool {
	v, _ := comparableOf(t.Column.Kind, row[t.Column.Name])
	if t.op == connectors.Equal {
		return slices.ContainsFunc(t.values, func(want any) bool { return (v == nil) == (want == nil) && compare(v, want) == 0 })
	}
	if v == nil {
		return false
	}
	switch c := compare(v, t.values[0]); t.op {
	case connectors.Greater:
		return c > 0
	case connectors.GreaterOrEqual:
		return c >= 0
	case connectors.Less:
		return c < 0
	case connectors.LessOrEqual:
		return c <= 0
	}
	return false
}

// comparableOf gives a value in the form in which two of its kind are compared.
func comparableOf(k Kind, v any) (any, bool) {
	if v == nil {
		return nil, true
	}
	switch k {
	case Integer, Decimal:
		text := fmt.Sprint(v)
		if r, ok := new(big.Rat).SetString(text); ok {
			return r, !strings.ContainsAny(text, "/eE")
		}
		return nil, false // a nil *big.Rat would not be null
	case Date, Datetime:
		at, ok := v.(time.Time)
		return at, ok
	case Boolean:
		b, ok := v.(bool)
		return b, ok
	}
	if at, ok := v.(time.Time); ok {
		return at.UTC().Format(time.RFC3339Nano), true
	}
	return fmt.Sprint(v), true
}

// compare orders two values of one kind; null comes first.
func compare(a, b any) int {
	if a == nil || b == nil {
		return cmp.Compare(there(a != nil), there(b != nil))
	}
	switch a := a.(type) {
	case *big.Rat:
		return a.Cmp(b.(*big.Rat))
	case time.Time:
		return a.Compare(b.(time.Time))
	case bool:
		return cmp.Compare(there(a), there(b.(bool)))
	}
	return strings.Compare(a.(string), b.(string))
}

func there(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
