package files

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"gantry/connectors"
)

// query is one Read, taken apart.
type query struct {
	s       *statement
	vars    connectors.Vars
	drop    *drop
	tests   []test
	order   []*column
	after   []any // comparable, as order
	limit   int
	natural bool // the order is that of files and lines
}

// test is a filter on one column.
type test struct {
	column *column
	op     connectors.Op
	values []any // comparable
}

// plan checks a Read.
func plan(r connectors.Read) (*query, error) {
	s, ok := r.Statement.(*statement)
	switch {
	case !ok:
		return nil, misused("the statement was compiled by another driver: %T", r.Statement)
	case s.writes:
		return nil, misused("a write cannot be read from")
	case r.After != nil && len(r.After) != len(r.OrderBy):
		return nil, misused("the position has %d values, the order %d columns", len(r.After), len(r.OrderBy))
	}
	q := &query{s: s, vars: r.Vars, limit: r.Limit}
	for _, name := range slices.Sorted(maps.Keys(s.where)) {
		o := s.where[name]
		if _, known := r.Vars[o.param]; o.param != "" && !known {
			return nil, misused("the statement's parameter :%s has no value", o.param)
		}
		var value any = o.literal
		if o.param != "" {
			value = r.Vars[o.param]
		}
		if err := q.filter(connectors.Filter{Column: name, Op: connectors.Equal, Values: []any{value}}); err != nil {
			return nil, err
		}
	}
	for _, f := range r.Filters {
		if err := q.filter(f); err != nil {
			return nil, err
		}
	}
	if err := q.orderBy(r.OrderBy, r.After); err != nil {
		return nil, err
	}
	var err error
	q.drop, err = s.drop(r.Vars)
	return q, err
}

func (q *query) filter(f connectors.Filter) error {
	at, known := q.s.ordinals[f.Column]
	if !known {
		return misused("the query has no column %q", f.Column)
	}
	t := test{column: &q.s.columns[at], op: f.Op}
	for _, v := range f.Values {
		c, ok := comparableOf(t.column.kind, v)
		if !ok || c == nil && f.Op != connectors.Equal {
			return misused("filter on %s: %v cannot be compared", f.Column, v)
		}
		t.values = append(t.values, c)
	}
	if f.Op != connectors.Equal && len(f.Values) != 1 {
		return misused("filter on %s: %s takes one value", f.Column, f.Op)
	}
	q.tests = append(q.tests, t)
	return nil
}

func (q *query) orderBy(names []string, after []any) error {
	for i, name := range names {
		at, known := q.s.ordinals[name]
		if !known {
			return misused("the query has no column %q", name)
		}
		c := &q.s.columns[at]
		q.order = append(q.order, c)
		if after == nil {
			continue
		}
		value, ok := comparableOf(c.kind, after[i])
		if !ok || value == nil {
			return misused("the position has no value for %s", name)
		}
		q.after = append(q.after, value)
	}
	q.natural = len(names) == 0 || len(names) > 1 && q.order[0].source == sourceFile && q.order[1].source == sourceLine
	return nil
}

// comparableOf gives a value in the form in which two of its kind are compared.
func comparableOf(k kind, v any) (any, bool) {
	if v == nil {
		return nil, true
	}
	switch k {
	case kindInteger, kindDecimal:
		r, ok := new(big.Rat).SetString(fmt.Sprint(v))
		return r, ok && !strings.ContainsAny(fmt.Sprint(v), "/eE")
	case kindDate, kindDatetime:
		at, ok := v.(time.Time)
		return at, ok
	case kindBoolean:
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
		return cmp.Compare(there(a), there(b))
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

func there(v any) int {
	if v == nil || v == false {
		return 0
	}
	return 1
}

// holds reports whether a row passes.
func (t test) holds(row connectors.Row) bool {
	v, _ := comparableOf(t.column.kind, row[t.column.name])
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

// holds reports whether a row passes all tests; of a file that was not read yet, those on what is known of it.
func (q *query) holds(row connectors.Row, file bool) bool {
	for _, t := range q.tests {
		known := t.column.source == sourceFile || t.column.source == sourceModified
		if known == file && !t.holds(row) {
			return false
		}
	}
	return true
}

// wanted reports whether any record of a file can pass.
func (q *query) wanted(e entry) bool {
	row := connectors.Row{}
	for i := range q.s.columns {
		switch c := &q.s.columns[i]; c.source {
		case sourceFile:
			row[c.name] = q.s.place(e)
		case sourceModified:
			row[c.name] = e.modified
		}
	}
	if q.natural && q.after != nil && q.s.place(e) < q.after[0].(string) {
		return false
	}
	return q.holds(row, true)
}

// place gives a row's values of the order.
func (q *query) place(row connectors.Row) []any {
	out := make([]any, len(q.order))
	for i, c := range q.order {
		out[i], _ = comparableOf(c.kind, row[c.name])
	}
	return out
}

func comparePlaces(a, b []any) int {
	for i := range min(len(a), len(b)) {
		if c := compare(a[i], b[i]); c != 0 {
			return c
		}
	}
	return 0
}

// read gives the rows of a query.
func (c *call) read(q *query, yield func(connectors.Row, error) bool) error {
	files, err := c.intake(q.s, q.drop)
	if err != nil {
		return err
	}
	if !q.natural {
		return c.sorted(q, files, yield)
	}
	count := 0
	return ended(c.each(q, files, func(row connectors.Row) error {
		if q.after != nil && comparePlaces(q.place(row), q.after) <= 0 {
			return nil
		}
		if err := c.give(row, yield); err != nil {
			return err
		}
		if count++; count == q.limit {
			return errEnough
		}
		return nil
	}))
}

// errEnough ends a scan whose result is whole.
var errEnough = errors.New("enough")

func ended(err error) error {
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// give hands a row out. The consumer's time is not the system's.
func (c *call) give(row connectors.Row, yield func(connectors.Row, error) bool) error {
	c.pause()
	defer c.progress()
	if !yield(row, nil) {
		return errStopped
	}
	return nil
}

// each gives the rows that pass, in the order of files and lines.
func (c *call) each(q *query, files []entry, fn func(connectors.Row) error) error {
	var group []any
	for _, e := range files {
		if !q.wanted(e) {
			continue
		}
		err := c.scan(q.s, q.drop, e, func(row connectors.Row, line int) error {
			if len(q.s.group) > 0 && !q.s.begins(row, &group) {
				return nil
			}
			if !q.holds(row, false) {
				return nil
			}
			return fn(row)
		})
		if bad, ok := malformedIn(err, e); ok {
			return bad
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// malformedIn is a file that was sound when it was read through, and is not now.
func malformedIn(err error, e entry) (error, bool) {
	bad, ok := errors.AsType[*malformed](err)
	if !ok {
		return nil, false
	}
	return named(answered(statusMalformed, "%s", bad.text), e, bad.line), true
}

// begins reports whether a row is the first of its group.
func (s *statement) begins(row connectors.Row, last *[]any) bool {
	now := make([]any, len(s.group))
	same := len(*last) == len(now)
	for i, name := range s.group {
		now[i] = row[name]
		same = same && fmt.Sprint((*last)[i]) == fmt.Sprint(now[i])
	}
	*last = now
	return !same
}
