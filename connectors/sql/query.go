package sqldriver

import (
	"strconv"
	"strings"

	"gantry/connectors"
)

// query is native SQL with the values of its placeholders.
type query struct {
	dialect dialect
	text    strings.Builder
	args    []any
	numbers map[string]int // placeholders already given to a parameter, where the dialect can use one twice
	err     error          // the first fault
}

// render writes a statement as the definition has it.
func render(s *statement, vars connectors.Vars) (*query, error) {
	q := &query{dialect: s.dialect, numbers: map[string]int{}}
	q.statement(s, vars)
	return q, q.err
}

// renderRead writes a read: the statement itself where that is all, else wrapped.
func renderRead(r connectors.Read) (*query, error) {
	s, ok := r.Statement.(*statement)
	if !ok {
		return nil, connectors.Misuse("the statement was compiled by another driver: %T", r.Statement)
	}
	if len(r.Filters) == 0 && len(r.OrderBy) == 0 && r.Limit == 0 {
		return render(s, r.Vars)
	}
	if !s.wraps {
		return nil, connectors.Misuse("only a SELECT can be filtered, ordered or limited; on SQL Server it cannot begin with WITH")
	}
	q := &query{dialect: s.dialect, numbers: map[string]int{}}
	q.wrap(s, r)
	return q, q.err
}

// wrap writes SELECT * FROM (statement) q WHERE … ORDER BY … with the dialect's limit.
func (q *query) wrap(s *statement, r connectors.Read) {
	before, after := "", ""
	if r.Limit > 0 {
		before, after = q.dialect.limit(strconv.Itoa(r.Limit))
	}
	q.write("SELECT ", before, "* FROM (\n")
	q.statement(s, r.Vars)
	q.write("\n) q") // on a line of its own: the statement may end with a comment
	q.where(r)
	for i, column := range r.OrderBy {
		q.write(pick(i == 0, " ORDER BY ", ", "), q.column(column))
	}
	q.write(after)
}

func (q *query) statement(s *statement, vars connectors.Vars) {
	for _, p := range s.pieces {
		if p.param == "" {
			q.write(p.text)
			continue
		}
		value, ok := vars[p.param]
		if !ok {
			q.fail("the parameter :%s has no value", p.param)
		}
		q.parameter(p.param, value)
	}
}

// parameter writes a placeholder for a named parameter, the same one for the same name where the dialect can.
func (q *query) parameter(name string, value any) {
	if number, ok := q.numbers[name]; ok && q.dialect.repeats() {
		q.write(q.dialect.placeholder(number))
		return
	}
	q.bind(value)
	q.numbers[name] = len(q.args)
}

// bind writes a placeholder for a value.
func (q *query) bind(value any) {
	q.args = append(q.args, q.dialect.bind(value))
	if len(q.args) > q.dialect.maxArgs() {
		q.fail("more than %d values in one query", q.dialect.maxArgs())
	}
	q.write(q.dialect.placeholder(len(q.args)))
}

// operand writes a placeholder for a value that a column is compared with.
func (q *query) operand(value any) {
	before, after := q.dialect.cast(value)
	q.write(before)
	q.bind(value)
	q.write(after)
}

func (q *query) where(r connectors.Read) {
	word := " WHERE "
	for _, f := range r.Filters {
		q.write(word)
		q.filter(f)
		word = " AND "
	}
	if r.After != nil {
		q.write(word)
		q.keyset(r.OrderBy, r.After)
	}
}

func (q *query) filter(f connectors.Filter) {
	if f.Op == connectors.Equal {
		q.anyOf(q.column(f.Column), f.Values)
		return
	}
	operator, ok := map[connectors.Op]string{
		connectors.Greater: " > ", connectors.GreaterOrEqual: " >= ", connectors.Less: " < ", connectors.LessOrEqual: " <= ",
	}[f.Op]
	if !ok || len(f.Values) != 1 || f.Values[0] == nil {
		q.fail("the filter on %s cannot be sent: %s with %d values", f.Column, f.Op, len(f.Values))
		return
	}
	q.write(q.column(f.Column), operator)
	q.operand(f.Values[0])
}

// maxList is what Oracle takes in one IN list; the others take more, and lose nothing by two lists.
const maxList = 1000

// anyOf writes column IN (…), with IS NULL for a nil. No values at all match nothing.
func (q *query) anyOf(column string, values []any) {
	var null bool
	count := 0
	q.write("(")
	for _, v := range values {
		if v == nil {
			null = true
			continue
		}
		switch {
		case count == 0:
			q.write(column, " IN (")
		case count%maxList == 0:
			q.write(") OR ", column, " IN (")
		default:
			q.write(", ")
		}
		q.operand(v)
		count++
	}
	switch {
	case count == 0 && !null:
		q.write("1 = 0)")
	case count == 0:
		q.write(column, " IS NULL)")
	case null:
		q.write(") OR ", column, " IS NULL)")
	default:
		q.write("))")
	}
}

// keyset writes what comes after a row in the order of columns: a >= ? AND (a > ? OR (a = ? AND (b > ? …))). The leading
// a >= ? is implied by the rest; it is there because every planner can use an index for it.
func (q *query) keyset(columns []string, after []any) {
	if len(columns) != len(after) || len(columns) == 0 {
		q.fail("%d columns to order by, and %d values to go on after", len(columns), len(after))
		return
	}
	if len(columns) > 1 {
		q.compare(columns[0], " >= ", after[0])
		q.write(" AND (")
	}
	last := len(columns) - 1
	for i := range columns {
		q.compare(columns[i], " > ", after[i])
		if i < last {
			q.write(" OR (")
			q.compare(columns[i], " = ", after[i])
			q.write(" AND ", pick(i < last-1, "(", ""))
		}
	}
	if last > 0 {
		q.write(strings.Repeat("))", last-1), "))")
	}
}

func (q *query) compare(column, operator string, value any) {
	if value == nil {
		q.fail("the order column %s was null: no page can go on after it", column)
	}
	q.write(q.column(column), operator)
	q.operand(value)
}

// column gives a checked and quoted name. It is always qualified: SQLite takes an unknown quoted name for a text.
func (q *query) column(name string) string {
	if !plainName.MatchString(name) {
		q.fail("%q is no plain column name", name)
		return "q.invalid"
	}
	return "q." + q.dialect.quote(name)
}

func (q *query) write(parts ...string) {
	for _, p := range parts {
		q.text.WriteString(p)
	}
}

func (q *query) fail(format string, args ...any) {
	if q.err == nil {
		q.err = connectors.Misuse(format, args...)
	}
}

func pick(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}
