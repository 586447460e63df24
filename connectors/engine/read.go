package engine

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"gantry/connectors"
	"gantry/tunnel/fault"
)

// pageBytes bounds one page, in memory and as JSON: a page of huge records ends early, and its cursor goes on from there.
// One record may be larger than that; it is then a page of its own.
const pageBytes = 16 << 20

// Page is one page of a list.
type Page struct {
	Data       []Record
	NextCursor string // "": the last page
	HasMore    bool
}

// AppendJSON appends the page as the API shows it: {"data": […], "next_cursor": …, "has_more": …}. The records go in byte for
// byte.
func (p Page) AppendJSON(b []byte) []byte {
	size := len(p.NextCursor) + 64
	for _, r := range p.Data {
		size += len(r.JSON) + 1
	}
	b = append(slices.Grow(b, size), `{"data":[`...)
	for i, r := range p.Data {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, r.JSON...)
	}
	b = append(b, `],"next_cursor":`...)
	if p.NextCursor == "" {
		b = append(b, "null"...)
	} else {
		b = appendString(b, p.NextCursor)
	}
	return append(strconv.AppendBool(append(b, `,"has_more":`...), p.HasMore), '}')
}

// List reads one page.
func (e *Engine) List(ctx context.Context, entity string, q Query) (Page, error) {
	at := place{entity, "list", ""}
	t, r, err := e.prepareList(at, q, false)
	if err != nil || r.none {
		return Page{}, err
	}
	page, err := e.page(ctx, t, r)
	if err != nil {
		return Page{}, e.fault(ctx, at, err)
	}
	e.denials.clear(at)
	return page, nil
}

func (e *Engine) prepareList(at place, q Query, streams bool) (*table, *request, error) {
	t, err := e.table(at.entity, at.operation)
	if err != nil {
		return nil, nil, err
	}
	if t.Operations.List == nil {
		return nil, nil, at.in(unsupported(t, at.operation))
	}
	r, err := e.parse(t, q, streams)
	if err != nil {
		return nil, nil, at.in(fault.From(err, fault.HopAgent))
	}
	return t, r, nil
}

func unsupported(t *table, operation string) *fault.Error {
	return fault.New(fault.OperationNotSupported, "This system cannot %s %s.", operation, strings.ReplaceAll(t.Name, "-", " ")).
		Permits(t.Names()...)
}

// listRead is the driver's part of a request.
func (e *Engine) listRead(t *table, r *request, limit int) connectors.Read {
	q := connectors.Read{Statement: t.List, Vars: e.vars(), Filters: r.filters, After: r.after, Limit: limit}
	for _, k := range t.keyset() {
		q.OrderBy = append(q.OrderBy, k.Name)
	}
	return q
}

func (e *Engine) page(ctx context.Context, t *table, r *request) (Page, error) {
	take := r.limit
	if r.maxRows > 0 {
		take = min(take, r.maxRows)
	}
	x := &encoder{ctx: ctx, e: e, t: t, view: r.view}
	rows, last, more, err := e.pageRows(x, r, take)
	if err != nil {
		return Page{}, err
	}
	if more && len(rows) == take && take < r.limit {
		return Page{}, rowLimit(r.maxRows)
	}
	if err := x.fetch(e.conn, rows, r.view.children); err != nil {
		return Page{}, err
	}
	page := Page{Data: make([]Record, 0, len(rows))}
	size := 0
	for i, row := range rows {
		record := x.one(row)
		if size += len(record.JSON); i > 0 && size > pageBytes {
			last, more = rows[i-1], true
			break
		}
		page.Data = append(page.Data, record)
	}
	if page.HasMore = more; more {
		cursor, ok := e.cursor(t, r.fingerprint, last)
		if !ok {
			return Page{}, internal(errors.New("the order of the list has a null, or a column that the statement does not return"))
		}
		page.NextCursor = cursor
	}
	return page, nil
}

// pageRows reads the rows of one page, and one more to know whether there is another. Where the engine applies filters
// itself, a page ends early once it has read limits.scan rows, and any page does where the rows are huge: the next one goes
// on from there.
func (e *Engine) pageRows(x *encoder, r *request, take int) (rows []connectors.Row, last connectors.Row, more bool, err error) {
	budget := take + 1
	if len(r.scans) > 0 {
		budget = max(budget, e.program.Definition.Limits.Scan)
	}
	read, size := 0, 0
	for row, err := range e.conn.Read(x.ctx, e.listRead(x.t, r, budget)) {
		if err != nil {
			return nil, nil, false, err
		}
		if read++; !r.meets(x, row) {
			if read == budget {
				last = maps.Clone(row)
			}
			continue
		}
		if size += rowBytes(row); len(rows) == take || len(rows) > 0 && size > pageBytes {
			return rows, rows[len(rows)-1], true, nil
		}
		rows = append(rows, maps.Clone(row))
		last = rows[len(rows)-1]
	}
	return rows, last, read >= budget && len(r.scans) > 0, nil
}

func rowLimit(rows int) *fault.Error {
	return fault.New(fault.RowLimit, "The result has more rows than the plant allows one call to read: %d.", rows).
		Advise("Narrow the query with filters or a limit of at most %d, or ask the plant's IT for a higher cap.", rows)
}

// Stream reads the whole result in constant memory and gives each record to line, without a line's end; the bytes are
// lent until line returns. It gives the number of records. An error of line ends the stream and is returned as it is.
func (e *Engine) Stream(ctx context.Context, entity string, q Query, line func([]byte) error) (int, error) {
	at := place{entity, "list", ""}
	t, r, err := e.prepareList(at, q, true)
	if err != nil || r.none {
		return 0, err
	}
	s := &stream{x: &encoder{ctx: ctx, e: e, t: t, view: r.view}, r: r, line: line}
	if err := s.run(); err != nil {
		if s.stopped {
			return s.count, err
		}
		return s.count, e.fault(ctx, at, err)
	}
	e.denials.clear(at)
	return s.count, nil
}

// stream is one NDJSON read under way.
type stream struct {
	x       *encoder
	r       *request
	line    func([]byte) error
	waiting []connectors.Row // rows whose children are still to be fetched
	held    int              // bytes of those rows
	buffer  []byte
	count   int
	stopped bool // by line
}

func (s *stream) run() error {
	limit := 0
	if s.r.maxRows > 0 && len(s.r.scans) == 0 {
		limit = s.r.maxRows + 1
	}
	for row, err := range s.x.e.conn.Read(s.x.ctx, s.x.e.listRead(s.x.t, s.r, limit)) {
		if err == nil && s.r.meets(s.x, row) {
			err = s.take(row)
		}
		if err != nil {
			return err
		}
	}
	return s.flush()
}

func (s *stream) take(row connectors.Row) error {
	if s.r.maxRows > 0 && s.count+len(s.waiting) == s.r.maxRows {
		if err := s.flush(); err != nil {
			return err
		}
		return rowLimit(s.r.maxRows)
	}
	if len(s.r.view.children) == 0 {
		return s.emit(row)
	}
	s.waiting = append(s.waiting, maps.Clone(row))
	if s.held += rowBytes(row); len(s.waiting) == batch || s.held > pageBytes {
		return s.flush()
	}
	return nil
}

// flush fetches the children of the rows that wait, and gives them out.
func (s *stream) flush() error {
	if len(s.waiting) == 0 {
		return nil
	}
	if err := s.x.fetch(s.x.e.conn, s.waiting, s.r.view.children); err != nil {
		return err
	}
	for _, row := range s.waiting {
		if err := s.emit(row); err != nil {
			return err
		}
	}
	clear(s.waiting)
	s.waiting, s.held = s.waiting[:0], 0
	return nil
}

func (s *stream) emit(row connectors.Row) error {
	s.buffer = s.x.record(s.buffer[:0], row)
	if err := s.line(s.buffer); err != nil {
		s.stopped = true
		return err
	}
	s.count++
	return nil
}

// Get reads one record. Of the query only `fields` and `include` have a meaning.
func (e *Engine) Get(ctx context.Context, entity, id string, q Query) (Record, error) {
	at := place{entity, "get", id}
	t, err := e.table(entity, "get")
	if err != nil {
		return Record{}, err
	}
	if !t.Readable() {
		return Record{}, at.in(unsupported(t, "get"))
	}
	v, err := e.parseGet(t, q)
	if err != nil {
		return Record{}, at.in(fault.From(err, fault.HopAgent))
	}
	r, err := e.get(ctx, t, id, v)
	if err != nil {
		return Record{}, e.fault(ctx, at, err)
	}
	e.denials.clear(at)
	return r, nil
}

func (e *Engine) parseGet(t *table, q Query) (*view, error) {
	refusal := fault.New(fault.InvalidRequest, "The query has parameters that cannot be used.")
	for name := range q.Params {
		if name != "fields" && name != "include" {
			refusal.Member(name, "UNKNOWN", "one record takes `fields` and `include` only")
		}
	}
	if len(refusal.Fields) > 0 {
		return nil, refusal
	}
	r, err := e.parse(t, q, false)
	if err != nil {
		return nil, err
	}
	return r.view, nil
}

func (e *Engine) get(ctx context.Context, t *table, id string, v *view) (Record, error) {
	key, ok := t.parseID(id)
	if !ok {
		return Record{}, notFound(t, id)
	}
	row, err := e.find(ctx, e.conn, t, key)
	if err != nil {
		return Record{}, err
	}
	if row == nil {
		return Record{}, notFound(t, id)
	}
	return e.encodeOne(ctx, e.conn, t, v, row)
}

func notFound(t *table, id string) *fault.Error {
	return t.unlisted(fault.New(fault.NotFound, "There is no record %q in %s.", id, t.Name).At(fault.HopSystem))
}

// unlisted advises for a record that is not there, where the usual advice, to list the collection, leads nowhere.
func (t *table) unlisted(f *fault.Error) *fault.Error {
	if f.Code == fault.NotFound && t != nil && t.Operations.List == nil && f.Advice == fault.NotFound.Spec().Advice {
		f.Advise("Check the id; this system gives no list of %s to find it in.", t.Name)
	}
	return f
}
