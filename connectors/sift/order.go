package sift

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"gantry/connectors"
)

// Bounds of what is held to sort.
const (
	sortRows  = 20_000
	sortBytes = 32 << 20
)

// Order is the order of a query, and where in it the query begins.
type Order struct {
	columns []Column
	after   []any // comparable; nil: from the beginning
}

// NewOrder prepares an order; after has the values of its columns in the last row already read.
func NewOrder(columns []Column, after []any) (Order, error) {
	o := Order{columns: columns}
	if after != nil && len(after) != len(columns) {
		return o, fmt.Errorf("the position has %d values, the order %d columns", len(after), len(columns))
	}
	for i, v := range after {
		value, ok := comparableOf(columns[i].Kind, v)
		if !ok || value == nil {
			return o, fmt.Errorf("the position has no value for %s", columns[i].Name)
		}
		o.after = append(o.after, value)
	}
	return o, nil
}

// place gives a row's values of the order.
func (o Order) place(row connectors.Row) []any {
	out := make([]any, len(o.columns))
	for i, c := range o.columns {
		out[i], _ = comparableOf(c.Kind, row[c.Name])
	}
	return out
}

// Beyond reports whether a row comes after where the query begins.
func (o Order) Beyond(row connectors.Row) bool {
	return o.after == nil || comparePlaces(o.place(row), o.after) > 0
}

func comparePlaces(a, b []any) int {
	for i := range min(len(a), len(b)) {
		if c := compare(a[i], b[i]); c != 0 {
			return c
		}
	}
	return 0
}

// Scan gives all rows of a source, each time it is called, in the same order; a row is lent.
type Scan func(fn func(connectors.Row) error) error

// ranked is a row with its place in the order. The ordinal tells rows apart whose columns do not.
type ranked struct {
	row     connectors.Row
	place   []any
	ordinal int
	bytes   int
}

func compareRanked(a, b ranked) int {
	if c := comparePlaces(a.place, b.place); c != 0 {
		return c
	}
	return a.ordinal - b.ordinal
}

// Sort gives the rows of a scan in the order, from where the query begins; limit 0: all.
func (o Order) Sort(scan Scan, limit int, give func(connectors.Row) error) error {
	left := limit
	var last *ranked
	for {
		rows, more, err := o.pass(scan, last, left)
		if err != nil {
			return err
		}
		for i := range rows {
			if err := give(rows[i].row); err != nil {
				return err
			}
		}
		if left -= len(rows); !more || limit > 0 && left <= 0 {
			return nil
		}
		last = &rows[len(rows)-1]
	}
}

// errEnough ends a scan whose result is whole.
var errEnough = errors.New("enough")

// Take gives the rows of a scan that comes in the order already, from where the query begins; limit 0: all.
func (o Order) Take(scan Scan, limit int, give func(connectors.Row) error) error {
	count := 0
	err := scan(func(row connectors.Row) error {
		if !o.Beyond(row) {
			return nil
		}
		if err := give(row); err != nil {
			return err
		}
		if count++; count == limit {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// pass gives the first rows after a place, sorted, as many as may be held; more: there are others.
func (o Order) pass(scan Scan, last *ranked, limit int) (kept []ranked, more bool, err error) {
	most := sortRows
	if limit > 0 {
		most = min(most, limit)
	}
	bytes, ordinal := 0, 0
	var bound *ranked // what comes after it is left to the next pass
	err = scan(func(row connectors.Row) error {
		ordinal++
		one := ranked{place: o.place(row), ordinal: ordinal}
		if !o.Beyond(row) || last != nil && compareRanked(one, *last) <= 0 {
			return nil
		}
		if bound != nil && compareRanked(one, *bound) > 0 {
			more = true
			return nil
		}
		one.row, one.bytes = maps.Clone(row), rowBytes(row)
		kept = append(kept, one)
		if bytes += one.bytes; len(kept) >= 2*most || bytes > 2*sortBytes {
			kept, bytes = cut(kept, most)
			bound, more = &kept[len(kept)-1], true
		}
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	if len(kept) > most || bytes > sortBytes {
		before := len(kept)
		kept, _ = cut(kept, most)
		return kept, more || len(kept) < before, nil
	}
	slices.SortFunc(kept, compareRanked)
	return kept, more, nil
}

// cut keeps the first rows, at least one.
func cut(rows []ranked, most int) ([]ranked, int) {
	slices.SortFunc(rows, compareRanked)
	bytes := 0
	for i := range rows {
		if i > 0 && (i == most || bytes+rows[i].bytes > sortBytes) {
			return slices.Clone(rows[:i]), bytes
		}
		bytes += rows[i].bytes
	}
	return rows, bytes
}

// rowBytes is about what a row takes.
func rowBytes(row connectors.Row) int {
	size := 64
	for name, v := range row {
		size += len(name) + 48
		if text, ok := v.(string); ok {
			size += len(text)
		}
	}
	return size
}
