package files

import (
	"maps"
	"slices"

	"gantry/connectors"
)

// Bounds of what is held to sort.
const (
	sortRows  = 20_000
	sortBytes = 32 << 20
)

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

// sorted gives the rows in an order that is not the files' own: pass after pass over the files, each of which keeps the first rows after
// where the last one ended.
func (c *call) sorted(q *query, files []entry, yield func(connectors.Row, error) bool) error {
	left := q.limit
	var last *ranked
	for {
		rows, more, err := c.pass(q, files, last, left)
		if err != nil {
			return err
		}
		for i := range rows {
			if err := c.give(rows[i].row, yield); err != nil {
				return err
			}
		}
		if left -= len(rows); !more || q.limit > 0 && left <= 0 {
			return nil
		}
		last = &rows[len(rows)-1]
	}
}

// pass gives the first rows after a place, sorted, as many as may be held; more: there are others.
func (c *call) pass(q *query, files []entry, last *ranked, limit int) (kept []ranked, more bool, err error) {
	most := sortRows
	if limit > 0 {
		most = min(most, limit)
	}
	bytes, ordinal := 0, 0
	var bound *ranked // what comes after it is left to the next pass
	err = c.each(q, files, func(row connectors.Row) error {
		ordinal++
		one := ranked{place: q.place(row), ordinal: ordinal}
		if q.after != nil && comparePlaces(one.place, q.after) <= 0 || last != nil && compareRanked(one, *last) <= 0 {
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
		kept, _ = cut(kept, most)
		return kept, true, nil
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
			clear(rows[i:])
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
