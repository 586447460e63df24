package sift

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"gantry/connectors"
)

func TestTests(t *testing.T) {
	moment := time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		kind  Kind
		value any
		op    connectors.Op
		with  []any
		want  bool
	}{
		{Decimal, "10.0", connectors.Equal, []any{"10"}, true},
		{Decimal, "9.5", connectors.Greater, []any{"10"}, false},
		{Decimal, "90071992547409.93", connectors.Less, []any{"90071992547409.94"}, true},
		{Integer, int64(7), connectors.GreaterOrEqual, []any{int64(7)}, true},
		{Text, "b", connectors.LessOrEqual, []any{"a"}, false},
		{Text, "7", connectors.Equal, []any{int64(7)}, true},
		{Text, nil, connectors.Equal, []any{nil}, true},
		{Text, nil, connectors.Equal, []any{"x"}, false},
		{Text, nil, connectors.Less, []any{"x"}, false},
		{Text, "x", connectors.Equal, nil, false},
		{Boolean, false, connectors.Equal, []any{true}, false},
		{Boolean, false, connectors.Less, []any{true}, true},
		{Datetime, moment, connectors.Greater, []any{moment.Add(-time.Nanosecond)}, true},
		{Date, moment, connectors.Equal, []any{moment.In(time.FixedZone("x", 3600))}, true},
	} {
		f, err := NewTest(Column{"c", test.kind}, test.op, test.with)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Holds(connectors.Row{"c": test.value}); got != test.want {
			t.Errorf("%s %v %s %v: %v", test.kind, test.value, test.op, test.with, got)
		}
	}
	for _, bad := range []struct {
		kind Kind
		op   connectors.Op
		with []any
	}{
		{Decimal, connectors.Equal, []any{"1/2"}}, {Integer, connectors.Greater, []any{"many"}}, {Date, connectors.Equal, []any{"2026-03-01"}},
		{Text, connectors.Greater, []any{nil}}, {Text, connectors.Greater, []any{"a", "b"}},
	} {
		if _, err := NewTest(Column{"c", bad.kind}, bad.op, bad.with); err == nil {
			t.Errorf("%s %s %v was taken", bad.kind, bad.op, bad.with)
		}
	}
}

// scan gives n rows whose numbers are shuffled, each of them twice and each with so much text.
func scan(n, text int, passes *int) Scan {
	return func(fn func(connectors.Row) error) error {
		*passes++
		row := connectors.Row{}
		for i := range n {
			row["n"], row["s"] = int64((i*7919)%n/2), strings.Repeat("x", text)
			if err := fn(row); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestSort(t *testing.T) {
	for _, test := range []struct{ n, text, limit, most int }{
		{10, 1, 0, 1}, {10, 1, 3, 1}, {41_000, 1, 25_000, 2}, {80, 1 << 20, 0, 6}, {0, 0, 0, 1},
	} {
		t.Run(fmt.Sprint(test), func(t *testing.T) {
			o, err := NewOrder([]Column{{"n", Integer}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			count, last, passes := 0, int64(-1), 0
			err = o.Sort(scan(test.n, test.text, &passes), test.limit, func(row connectors.Row) error {
				now := row["n"].(int64)
				if now < last || now > last+1 {
					t.Fatalf("%d after %d", now, last)
				}
				last = now
				count++
				return nil
			})
			want := test.n
			if test.limit > 0 {
				want = min(want, test.limit)
			}
			if err != nil || count != want || passes > test.most {
				t.Errorf("%d of %d rows in %d passes, %v", count, want, passes, err)
			}
		})
	}
}

func TestTake(t *testing.T) {
	o, err := NewOrder([]Column{{"n", Integer}}, []any{int64(2)})
	if err != nil {
		t.Fatal(err)
	}
	rows := func(fn func(connectors.Row) error) error {
		for n := range int64(10) {
			if err := fn(connectors.Row{"n": n}); err != nil {
				return err
			}
		}
		return nil
	}
	for limit, want := range map[int]string{0: "[3 4 5 6 7 8 9]", 3: "[3 4 5]", 100: "[3 4 5 6 7 8 9]"} {
		var got []any
		err := o.Take(rows, limit, func(row connectors.Row) error { got = append(got, row["n"]); return nil })
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("%d: %v, %v", limit, got, err)
		}
	}
	broken := errors.New("broken")
	if err := o.Take(rows, 3, func(connectors.Row) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("what the receiver says is lost: %v", err)
	}
}

func TestBeyond(t *testing.T) {
	o, err := NewOrder([]Column{{"a", Text}, {"b", Integer}}, []any{"m", int64(5)})
	if err != nil {
		t.Fatal(err)
	}
	for row, want := range map[[2]any]bool{{"m", int64(5)}: false, {"m", int64(6)}: true, {"n", int64(0)}: true, {"a", int64(9)}: false, {nil, int64(9)}: false} {
		if got := o.Beyond(connectors.Row{"a": row[0], "b": row[1]}); got != want {
			t.Errorf("%v: %v", row, got)
		}
	}
	for _, after := range [][]any{{"m"}, {"m", nil}, {"m", "x"}} {
		if _, err := NewOrder([]Column{{"a", Text}, {"b", Integer}}, after); err == nil {
			t.Errorf("%v was taken", after)
		}
	}
}

// TestNoNumber: a text that a system gives for a number is compared like null, and never breaks the one who compares.
func TestNoNumber(t *testing.T) {
	columns := []Column{{"n", Decimal}}
	if CompareRows(connectors.Row{"n": "twelve"}, connectors.Row{"n": "-5.0"}, columns) >= 0 || CompareRows(connectors.Row{"n": "x"}, connectors.Row{"n": nil}, columns) != 0 {
		t.Error("a text that is no number is not in the place of null")
	}
}

// TestFollow turns pages of a list that the system orders: by numbers, by texts in an order of its own (9 before 10), and by both.
func TestFollow(t *testing.T) {
	row := func(n int64, text string) connectors.Row { return connectors.Row{"n": n, "t": text} }
	texts, both := []Column{{"t", Text}}, []Column{{"n", Integer}, {"t", Text}}
	for name, test := range map[string]struct {
		columns []Column
		rows    []connectors.Row
		after   []any
		limit   int
		want    string
		err     error
	}{
		"from the beginning":          {texts, []connectors.Row{row(1, "9"), row(1, "10")}, nil, 0, "9 10 ", nil},
		"so many":                     {texts, []connectors.Row{row(1, "8"), row(1, "9"), row(1, "10"), row(1, "11")}, []any{"8"}, 2, "9 10 ", nil},
		"texts":                       {texts, []connectors.Row{row(1, "9"), row(1, "10"), row(1, "11")}, []any{"9"}, 0, "10 11 ", nil},
		"texts, gone":                 {texts, []connectors.Row{row(1, "10"), row(1, "11")}, []any{"9"}, 0, "", ErrGone},
		"nothing is left":             {texts, nil, []any{"9"}, 0, "", nil},
		"both":                        {both, []connectors.Row{row(9, "x"), row(10, "9"), row(10, "10")}, []any{int64(10), "9"}, 0, "10 ", nil},
		"both, gone, nothing equal":   {both, []connectors.Row{row(9, "x"), row(11, "y")}, []any{int64(10), "9"}, 0, "y ", nil},
		"both, gone, something equal": {both, []connectors.Row{row(10, "10"), row(11, "y")}, []any{int64(10), "9"}, 0, "", ErrGone},
		"an order that is not kept":   {both, []connectors.Row{row(10, "a"), row(9, "b")}, nil, 0, "a ", ErrLost},
		"numbers that are not unique": {both[:1], []connectors.Row{row(1, "a"), row(1, "b"), row(2, "c")}, []any{int64(1)}, 0, "c ", nil},
	} {
		p, err := NewPosition(test.columns, test.after)
		if err != nil {
			t.Fatal(err)
		}
		scan := func(fn func(connectors.Row) error) error {
			lent := connectors.Row{}
			for _, r := range test.rows {
				maps.Copy(lent, r)
				if err := fn(lent); err != nil {
					return err
				}
			}
			return nil
		}
		got := ""
		err = p.Follow(scan, test.limit, func(r connectors.Row) error { got += r["t"].(string) + " "; return nil })
		if got != test.want || !errors.Is(err, test.err) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := NewPosition(both, []any{int64(1)}); err == nil {
		t.Error("half a position was taken")
	}
}
