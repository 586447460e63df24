package rest

import (
	"bytes"
	"cmp"
	"iter"
	"math/big"
	"strings"
	"time"

	"gantry/connectors"
)

// concatenated gives one sequence after the other.
func concatenated(all []iter.Seq2[connectors.Row, error]) iter.Seq2[connectors.Row, error] {
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

// merged gives the rows of sequences that have an order, in that order.
func merged(all []iter.Seq2[connectors.Row, error], order []key) iter.Seq2[connectors.Row, error] {
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
				if compareRows(live[i].row, live[first].row, order) < 0 {
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

func compareRows(a, b connectors.Row, order []key) int {
	for _, k := range order {
		if c := compare(a[k.column], b[k.column], k.kind); c != 0 {
			return c
		}
	}
	return 0
}

func comparePositions(a, b []any, order []key) int {
	for i, k := range order {
		if c := compare(a[i], b[i], k.kind); c != 0 {
			return c
		}
	}
	return 0
}

// compare orders two values of one column: numbers by size, texts byte by byte, null first.
func compare(a, b any, kind string) int {
	switch x := a.(type) {
	case time.Time:
		if y, ok := b.(time.Time); ok {
			return x.Compare(y)
		}
	case int64:
		if y, ok := b.(int64); ok {
			return cmp.Compare(x, y)
		}
	case []byte:
		if y, ok := b.([]byte); ok {
			return bytes.Compare(x, y)
		}
	case string:
		if y, ok := b.(string); ok && kind != kindDecimal {
			return strings.Compare(x, y)
		}
	}
	if x, y := number(a), number(b); x != nil && y != nil {
		return x.Cmp(y)
	}
	return strings.Compare(scalar(a), scalar(b))
}

func number(v any) *big.Rat {
	s := scalar(v)
	if len(s) > 100 || strings.ContainsAny(s, "eEpPxX_/") {
		return nil
	}
	if r, ok := new(big.Rat).SetString(s); ok {
		return r
	}
	return nil
}
