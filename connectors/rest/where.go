package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"gantry/connectors"
	"gantry/connectors/native"
)

// where is how a query says which records it wants: in a language, whose text stands in one parameter, or by a parameter for
// each comparison.
type where struct {
	parameter  string
	and, or    string // or "": the language has none
	in         string // "{field} in [{values}]": one of several; "": said by or, or by a query for each value
	wrap       string // around all conditions: "[{all}]"
	compare    string // "{field} {op} {value}"
	ops        map[connectors.Op]string
	null       string // what compares as null
	quote      string
	replace    *strings.Replacer // within a quoted text
	refuseLast string            // a text that ends so cannot be said
	values     int               // of one condition
	length     int               // bytes of a condition's values

	byColumn map[string]map[connectors.Op]string // column, comparison: parameter
	listed   string                              // several values: repeat, comma; "": one alone
}

const (
	defaultValues = 100
	defaultLength = 2000
)

var operators = map[connectors.Op]string{
	connectors.Equal: "=", connectors.Greater: ">", connectors.GreaterOrEqual: ">=", connectors.Less: "<", connectors.LessOrEqual: "<=",
}

func compileWhere(v any) (*where, error) {
	m := native.Object("where", v)
	w := &where{values: defaultValues, length: defaultLength}
	if own, there := m.Take("parameters"); there {
		if err := w.compileParameters(own); err != nil {
			return nil, err
		}
		w.listed = m.OneOf("listed", "repeat", "comma")
		return w, m.Done()
	}
	w.parameter, w.and, w.or, w.compare = m.Text("parameter"), m.Text("and"), m.Text("or"), m.Text("compare")
	w.quote, w.null, w.refuseLast, w.in, w.wrap = m.Text("quote"), m.Text("null"), m.Text("refuse_last"), m.Text("in"), m.Text("wrap")
	if w.parameter == "" || w.and == "" || w.quote == "" || w.compare == "" {
		m.Fault("a language has parameter, and, compare and quote; without one there are `parameters`")
	}
	m.Holds("compare", w.compare, "{field}", "{op}", "{value}")
	m.Holds("in", w.in, "{field}", "{values}")
	m.Holds("wrap", w.wrap, "{all}")
	if w.null == "" && w.or != "" {
		w.null = "null"
	}
	w.compileOperators(m)
	if n := m.Number("values"); n > 0 {
		w.values = n
	}
	if w.or == "" && w.in == "" {
		w.values = 1
	}
	var pairs []string
	escapes := m.TextMap("replace")
	for from, to := range escapes {
		pairs = append(pairs, from, to)
	}
	if escapes[w.quote] == "" || escapes[w.quote] == w.quote {
		m.Fault("replace must say how the quote stands within a text: else a caller's text could end it")
	}
	w.replace = strings.NewReplacer(pairs...)
	return w, m.Done()
}

func (w *where) compileOperators(m *native.Members) {
	w.ops = maps.Clone(operators)
	for name, op := range m.TextMap("ops") {
		if _, known := operators[connectors.Op(name)]; !known || op == "" {
			m.Fault("ops: %s: there are eq, gt, ge, lt and le", name)
		}
		w.ops[connectors.Op(name)] = op
	}
}

func (w *where) compileParameters(v any) error {
	m := native.Object("where: parameters", v)
	w.byColumn = map[string]map[connectors.Op]string{}
	for _, column := range m.Names() {
		w.byColumn[column] = map[connectors.Op]string{}
		for op, parameter := range m.TextMap(column) {
			if _, known := operators[connectors.Op(op)]; !known {
				return fmt.Errorf("where: parameters: %s: %s: there are eq, gt, ge, lt and le", column, op)
			}
			w.byColumn[column][connectors.Op(op)] = parameter
		}
	}
	return m.Done()
}

// condition is one filter, or one part of many values.
type condition struct {
	field  string // path in the system's records
	column string
	op     connectors.Op
	values []any // encoded; never null
	null   bool  // or null
}

// conditions prepares a filter. One with more values than the system takes at once becomes several, each of
// which is a query of its own.
func (q *query) conditions(f connectors.Filter) ([]condition, error) {
	c, known := q.s.columns[f.Column]
	if !known || c.header || c.parent != (q.s.each != "") {
		return nil, connectors.Misuse("the query has no column %q to compare", f.Column)
	}
	one := condition{field: c.path, column: f.Column, op: f.Op}
	for _, v := range f.Values {
		if v == nil {
			one.null = true
			continue
		}
		encoded, err := q.times().encode(v, c.compared())
		if err != nil {
			return nil, connectors.Misuse("filter on %s: %w", f.Column, err)
		}
		one.values = append(one.values, encoded)
	}
	if f.Op != connectors.Equal && (len(one.values) != 1 || one.null) {
		return nil, connectors.Misuse("filter on %s: %s takes one value that is not null", f.Column, f.Op)
	}
	if _, known := operators[f.Op]; !known {
		return nil, connectors.Misuse("filter on %s: there is no comparison %q", f.Column, f.Op)
	}
	return q.ways.where.split(one), nil
}

// split makes conditions that the system takes.
func (w *where) split(c condition) []condition {
	most, room := defaultValues, defaultLength
	if w != nil {
		most, room = w.values, w.length
	}
	out := []condition{{c.field, c.column, c.op, nil, c.null}}
	used := 0
	for _, v := range c.values {
		last := &out[len(out)-1]
		size := len(scalar(v))
		if len(last.values) == most || len(last.values) > 0 && used+size > room {
			out = append(out, condition{c.field, c.column, c.op, nil, false})
			last, used = &out[len(out)-1], 0
		}
		last.values = append(last.values, v)
		used += size
	}
	return out
}

var errNoLanguage = errors.New("this system cannot compare so")

// say puts conditions, all of which must hold, into the query.
func (w *where) say(all []condition, after string, into url.Values) error {
	if w == nil || w.parameter == "" {
		return w.sayParameters(all, into)
	}
	var parts []string
	if own := into.Get(w.parameter); own != "" {
		parts = append(parts, w.group(own)) // the definition's own condition
	}
	for _, c := range all {
		text, err := w.condition(c)
		if err != nil {
			return err
		}
		parts = append(parts, text)
	}
	if after != "" {
		parts = append(parts, after)
	}
	if text := strings.Join(parts, w.and); w.wrap != "" && text != "" {
		into.Set(w.parameter, strings.Replace(w.wrap, "{all}", text, 1))
	} else if text != "" {
		into.Set(w.parameter, text)
	}
	return nil
}

// group keeps a condition with `or` in it together.
func (w *where) group(condition string) string {
	if w.or == "" {
		return condition
	}
	return "(" + condition + ")"
}

func (w *where) condition(c condition) (string, error) {
	if w.in != "" && len(c.values) > 1 && !c.null {
		return w.oneOf(c)
	}
	var either []string
	for _, v := range c.values {
		text, err := w.compared(c.field, c.op, v)
		if err != nil {
			return "", err
		}
		either = append(either, text)
	}
	if c.null {
		either = append(either, w.comparison(c.field, connectors.Equal, w.null))
	}
	if len(either) > 1 && w.or == "" || c.null && w.null == "" {
		return "", connectors.Misuse("filter on %s: %w", c.column, errNoLanguage)
	}
	return w.group(strings.Join(either, w.or)), nil
}

// oneOf says that a field has one of several values.
func (w *where) oneOf(c condition) (string, error) {
	values := make([]string, len(c.values))
	for i, v := range c.values {
		var err error
		if values[i], err = w.value(v); err != nil {
			return "", err
		}
	}
	return strings.NewReplacer("{field}", c.field, "{values}", strings.Join(values, ",")).Replace(w.in), nil
}

func (w *where) comparison(field string, op connectors.Op, value string) string {
	return strings.NewReplacer("{field}", field, "{op}", w.ops[op], "{value}", value).Replace(w.compare)
}

func (w *where) compared(field string, op connectors.Op, v any) (string, error) {
	text, err := w.value(v)
	if err != nil {
		return "", err
	}
	return w.comparison(field, op, text), nil
}

// value is a value as the language has it.
func (w *where) value(v any) (string, error) {
	switch v := v.(type) {
	case string:
		if w.refuseLast != "" && strings.HasSuffix(v, w.refuseLast) || strings.ContainsAny(v, "\x00\r\n") {
			return "", connectors.Misuse("the system cannot compare with this text: it ends in %q, or holds a line's end", w.refuseLast)
		}
		return w.quote + w.replace.Replace(v) + w.quote, nil
	case int64, float64, bool, json.Number:
		return fmt.Sprint(v), nil
	}
	return "", connectors.Misuse("the system cannot compare with a %T", v)
}

// beyond is what holds for the records after a position: the first column greater, or equal and the rest beyond.
func (w *where) beyond(order []key, after []any) (string, error) {
	if after[0] == nil {
		return "", connectors.Misuse("the position has no value for %s", order[0].column)
	}
	greater, err := w.compared(order[0].field, connectors.Greater, after[0])
	if err != nil || len(order) == 1 {
		return greater, err
	}
	same, err := w.compared(order[0].field, connectors.Equal, after[0])
	if err != nil {
		return "", err
	}
	rest, err := w.beyond(order[1:], after[1:])
	return "(" + greater + w.or + "(" + same + w.and + rest + "))", err
}

// sayParameters puts conditions into parameters of their own.
func (w *where) sayParameters(all []condition, into url.Values) error {
	for _, c := range all {
		name := ""
		if w != nil {
			name = w.byColumn[c.column][c.op]
		}
		if name == "" || c.null || into.Has(name) {
			return connectors.Misuse("filter on %s by %s: %w", c.column, c.op, errNoLanguage)
		}
		texts := make([]string, len(c.values))
		for i, v := range c.values {
			texts[i] = scalar(v)
		}
		switch {
		case len(texts) == 1:
			into.Set(name, texts[0])
		case w.listed == "repeat":
			into[name] = texts
		case w.listed == "comma" && !slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, ",") }):
			into.Set(name, strings.Join(texts, ","))
		default:
			return connectors.Misuse("filter on %s: %w", c.column, errNoLanguage)
		}
	}
	return nil
}
