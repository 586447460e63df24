package rest

import (
	"bytes"
	"cmp"
	"math/big"
	"strings"
	"time"

	"gantry/connectors"
)

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
