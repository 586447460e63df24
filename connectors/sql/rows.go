package sqldriver

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"time"

	"gantry/connectors"
)

// querier is a session, or the transaction that is open in it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// read streams the rows of a query to yield until that says no. It counts the rows.
func (l *lease) read(ctx context.Context, on querier, q *query, yield func(connectors.Row) bool) (count int, err error) {
	w := newWait(ctx, l.conn.life, l.conn.limits.Timeout, l.killer)
	defer func() { l.spoil(w.end()) }()
	w.busy()
	rows, err := on.QueryContext(w.ctx, q.text.String(), q.args...)
	if err != nil {
		return 0, w.explain(l.conn.dialect, err)
	}
	defer rows.Close()
	s, err := newScanner(l.conn.dialect, rows)
	if err != nil {
		return 0, w.explain(l.conn.dialect, err)
	}
	for rows.Next() {
		w.idle()
		row, err := s.scan(rows)
		if err != nil {
			return count, w.explain(l.conn.dialect, err)
		}
		count++
		if !yield(row) {
			l.leave(w, on, rows)
			return count, nil
		}
		w.busy()
	}
	if err := rows.Err(); err != nil {
		return count, w.explain(l.conn.dialect, err)
	}
	return count, nil
}

// lingering is how long, and for how many rows, a reader that stopped early waits for the end of a result.
const (
	lingering     = 50 * time.Millisecond
	lingeringRows = 1000
)

// leave ends a result early. Closing it would read all the rows that are left, so the query is cancelled; but first it
// is seen whether it ends by itself, because a cancelled session is a lost one. In a transaction nothing is cancelled:
// that would undo it.
func (l *lease) leave(w *wait, on querier, rows *sql.Rows) {
	if on != querier(l.session) {
		return
	}
	timer := time.AfterFunc(lingering, func() { w.cancel(errStopped) })
	defer timer.Stop()
	for range lingeringRows {
		if !rows.Next() {
			return
		}
	}
	w.cancel(errStopped)
}

// scanner turns the rows of one result into connectors.Rows. It makes one row and uses it again and again.
type scanner struct {
	dialect dialect
	types   []*sql.ColumnType
	names   []string
	values  []any
	into    []any // pointers to values
	row     connectors.Row
}

func newScanner(d dialect, rows *sql.Rows) (*scanner, error) {
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	s := &scanner{dialect: d, types: types, values: make([]any, len(types)), row: make(connectors.Row, len(types))}
	for i, t := range types {
		s.names = append(s.names, strings.ToLower(t.Name()))
		s.into = append(s.into, &s.values[i])
	}
	return s, nil
}

func (s *scanner) scan(rows *sql.Rows) (connectors.Row, error) {
	if err := rows.Scan(s.into...); err != nil {
		return nil, err
	}
	for i, v := range s.values {
		s.row[s.names[i]] = plain(s.dialect.value(s.types[i], v))
	}
	return s.row, nil
}

// plain brings a number of any width into one of connectors.Row's types.
func plain(v any) any {
	switch v := v.(type) {
	case int:
		return int64(v)
	case int8:
		return int64(v)
	case int16:
		return int64(v)
	case int32:
		return int64(v)
	case uint8:
		return int64(v)
	case uint16:
		return int64(v)
	case uint32:
		return int64(v)
	case uint64:
		if v > 1<<63-1 {
			return strconv.FormatUint(v, 10)
		}
		return int64(v)
	case float32: // by its shortest text: 0.1, not 0.10000000149011612
		f, err := strconv.ParseFloat(strconv.FormatFloat(float64(v), 'g', -1, 32), 64)
		if err != nil {
			return float64(v)
		}
		return f
	}
	return v
}
