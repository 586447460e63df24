package sift

import (
	"iter"

	"gantry/connectors"
)

// Concatenated gives one sequence after the other.
func Concatenated(all []iter.Seq2[connectors.Row, error]) iter.Seq2[connectors.Row, error] {
	return func(yield func(connectors.Row, error) bool) {
		for _, rows := range all {
			for row, err := range rows {
				if !yield(row, err) || err != nil {
					return
				}
			}
		}
	}
}

// Merged gives the rows of sequences that have an order, in that order. A row must last until its sequence gives the next.
func Merged(all []iter.Seq2[connectors.Row, error], compare func(a, b connectors.Row) int) iter.Seq2[connectors.Row, error] {
	return func(yield func(connectors.Row, error) bool) {
		type source struct {
			next func() (connectors.Row, error, bool)
			row  connectors.Row
		}
		var live []*source
		for _, rows := range all {
			next, stop := iter.Pull2(rows)
			defer stop()
			row, err, ok := next()
			if err != nil {
				yield(nil, err)
				return
			}
			if ok {
				live = append(live, &source{next, row})
			}
		}
		for len(live) > 0 {
			first := 0
			for i := range live {
				if compare(live[i].row, live[first].row) < 0 {
					first = i
				}
			}
			if !yield(live[first].row, nil) {
				return
			}
			row, err, ok := live[first].next()
			if err != nil {
				yield(nil, err)
				return
			}
			if live[first].row = row; !ok {
				live = append(live[:first], live[first+1:]...)
			}
		}
	}
}

// CompareRows orders rows by columns.
func CompareRows(a, b connectors.Row, columns []Column) int {
	for _, c := range columns {
		x, _ := comparableOf(c.Kind, a[c.Name])
		y, _ := comparableOf(c.Kind, b[c.Name])
		if order := compare(x, y); order != 0 {
			return order
		}
	}
	return 0
}
