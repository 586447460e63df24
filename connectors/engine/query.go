package engine

import (
	"bytes"
	"crypto/sha256"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"gantry/connectors"
	"gantry/connectors/definition"
	"gantry/connectors/entity"
	"gantry/tunnel/fault"
)

// Bounds of a query.
const (
	defaultLimit = 100
	maxLimit     = 500
	maxParams    = 50
	maxValues    = 100  // of one filter
	maxValue     = 1000 // bytes of one value
)

// Query is what a caller wants to read. The zero value reads the first page of everything.
type Query struct {
	Params  url.Values                  // as in the API: limit, cursor, modified_after, created_after, fields, include, filters
	Hidden  []string                    // fields that the plant's policy denies: "price", "lines.price"
	MaxRows int                         // the plant's row cap for one call; 0: none
	Permits func(operation string) bool // what `_actions` may list; nil: everything
}

// request is a Query, understood.
type request struct {
	view        *view
	limit       int
	after       []any
	filters     []connectors.Filter
	scans       []scan
	none        bool // a filter that no record can meet
	maxRows     int
	fingerprint []byte // of all that a cursor is bound to
}

// scan is a filter that the engine applies itself: the field's JSON must be one of want.
type scan struct {
	column *column
	want   [][]byte
}

// parser reads a query and gathers everything that is wrong with it.
type parser struct {
	t       *table
	q       Query
	r       *request
	faults  *fault.Error
	wanted  []string
	remote  bool
	streams bool
}

// parse understands a query for the records of an entity.
func (e *Engine) parse(t *table, q Query, streams bool) (*request, error) {
	p := &parser{
		t: t, q: q, r: &request{limit: defaultLimit, maxRows: q.MaxRows}, streams: streams,
		faults: fault.New(fault.InvalidRequest, "The query has parameters that cannot be used."),
	}
	if len(q.Params) > maxParams {
		return nil, fault.New(fault.InvalidRequest, "The query has more than %d parameters.", maxParams)
	}
	for _, name := range slices.Sorted(maps.Keys(q.Params)) {
		p.param(name, q.Params[name])
	}
	p.r.view = t.newView(p.wanted, q.Hidden, p.remote, q.Permits)
	p.r.fingerprint = t.fingerprint(q.Params)
	if cursor := q.Params.Get("cursor"); cursor != "" {
		after, ok := e.openCursor(t, p.r.fingerprint, cursor)
		if !ok {
			p.refuse("cursor", "INVALID", "the cursor is not one of this query on this connection: start again without it")
		}
		p.r.after = after
	}
	if len(p.faults.Fields) > 0 {
		return nil, p.faults
	}
	return p.r, nil
}

func (p *parser) refuse(name, code, format string, args ...any) {
	p.faults.Member(name, code, format, args...)
}

func (p *parser) param(name string, values []string) {
	single := name == "limit" || name == "cursor" || name == "modified_after" || name == "created_after"
	for _, value := range values {
		if len(value) > maxValue && name != "cursor" {
			p.refuse(name, "TOO_LONG", "longer than %d bytes", maxValue)
			return
		}
	}
	if single && len(values) != 1 {
		p.refuse(name, "INVALID", "stands there %d times", len(values))
		return
	}
	switch name {
	case "limit":
		p.limit(values[0])
	case "cursor":
		if p.streams {
			p.refuse(name, "INVALID", "a stream has no cursor: it gives the whole result")
		}
	case "fields":
		p.fields(values)
	case "include":
		p.include(values)
	case "modified_after":
		p.since(name, "updated_at", values[0])
	case "created_after":
		p.since(name, "created_at", values[0])
	default:
		p.filter(name, values)
	}
}

func (p *parser) limit(value string) {
	n, err := strconv.Atoi(value)
	switch {
	case p.streams:
		p.refuse("limit", "INVALID", "a stream has no limit: it gives the whole result")
	case err != nil || n < 1 || n > maxLimit:
		p.refuse("limit", "INVALID", "must be a whole number from 1 to %d", maxLimit)
	default:
		p.r.limit = n
	}
}

func (p *parser) fields(values []string) {
	for name := range strings.SplitSeq(strings.Join(values, ","), ",") {
		known := p.t.field(name) != nil || slices.Contains([]string{"id", "etag", "custom_fields", "created_at", "updated_at", "deleted_at"}, name)
		if !known {
			p.refuse("fields", "UNKNOWN", "the entity has no field %q", name)
			continue
		}
		p.wanted = append(p.wanted, name)
	}
}

func (p *parser) include(values []string) {
	for _, value := range values {
		if value != "remote_data" {
			p.refuse("include", "UNKNOWN", "only remote_data can be included")
		}
		p.remote = true
	}
}

// since filters by a time that the record was changed or made after.
func (p *parser) since(name, field, value string) {
	at, err := time.Parse(time.RFC3339, value)
	c := findColumn(p.t.columns, field)
	switch {
	case err != nil:
		p.refuse(name, "INVALID", "must be a time as 2026-03-01T06:30:00Z")
	case c == nil || c.From == "" || p.r.hides(p.q.Hidden, c):
		p.refuse(name, "UNKNOWN", "this system does not tell when its records of this entity change")
	default:
		bound, inclusive := c.after(at)
		op := connectors.Greater
		if inclusive {
			op = connectors.GreaterOrEqual
		}
		p.r.filters = append(p.r.filters, connectors.Filter{Column: c.From, Op: op, Values: []any{bound}})
	}
}

// filter compares a field with the values given for it, any of which will do.
func (p *parser) filter(name string, values []string) {
	c := p.t.field(name)
	pushed, scanned := p.t.filterable(name)
	switch {
	case c == nil || p.r.hides(p.q.Hidden, c):
		p.refuse(name, "UNKNOWN", "there is no such parameter")
		return
	case !pushed && !scanned:
		p.refuse(name, "INVALID", "this system cannot filter by %s; it filters by: %s", name, strings.Join(p.t.filters(p.q.Hidden), ", "))
		return
	case len(values) > maxValues:
		p.refuse(name, "INVALID", "more than %d values", maxValues)
		return
	}
	if c.codes != nil {
		p.codes(c, values, pushed)
		return
	}
	natives := make([]any, 0, len(values))
	for _, value := range values {
		native, problem := c.toNative(value)
		if problem != "" {
			p.refuse(name, "INVALID", "%s", problem)
			return
		}
		natives = append(natives, native)
	}
	p.add(c, natives, pushed)
}

func (r *request) hides(hidden []string, c *column) bool { return (&view{denied: hidden}).hidden(c) }

// add pushes a comparison down, or keeps it for the scan: then it compares what the record shows.
func (p *parser) add(c *column, natives []any, pushed bool) {
	if pushed {
		p.r.filters = append(p.r.filters, connectors.Filter{Column: c.From, Op: connectors.Equal, Values: natives})
		return
	}
	s := scan{column: c}
	x := &encoder{t: p.t}
	for _, native := range natives {
		s.want = append(s.want, x.plain(nil, c, native))
	}
	p.r.scans = append(p.r.scans, s)
}

// codes filters by canonical values. `other` is what nobody mapped, which no comparison of a system can say: it is found
// by scanning.
func (p *parser) codes(c *column, values []string, pushed bool) {
	if c.Type == entity.Status || c.Type == entity.Enum {
		for _, value := range values {
			if !slices.Contains(c.Values, value) {
				p.refuse(c.Name, "INVALID", "%q is none of: %s", value, strings.Join(c.Values, ", "))
				return
			}
		}
	}
	if !pushed || slices.Contains(values, entity.Other) {
		s := scan{column: c}
		for _, value := range values {
			s.want = append(s.want, appendString(nil, value))
		}
		p.r.scans = append(p.r.scans, s)
		return
	}
	natives := []any{}
	for _, value := range values {
		for _, native := range c.natives(value) {
			natives = append(natives, c.nativeCode(native))
		}
	}
	if len(natives) == 0 {
		p.r.none = true // a canonical value that this system does not have
		return
	}
	p.add(c, natives, true)
}

// meets reports whether a row passes the filters that the system could not apply.
func (r *request) meets(x *encoder, row connectors.Row) bool {
	for _, s := range r.scans {
		got := x.scanned(s.column, row)
		if !slices.ContainsFunc(s.want, func(want []byte) bool { return bytes.Equal(got, want) }) {
			return false
		}
	}
	return true
}

// scanned gives a field as a filter compares it: of a status its value alone.
func (x *encoder) scanned(c *column, row connectors.Row) []byte {
	if c.Type == entity.Status {
		return appendString(nil, x.t.statusOf(row))
	}
	return x.value(nil, c, row)
}

// filterable tells how a field can be filtered.
func (t *table) filterable(name string) (pushed, scanned bool) {
	if t.Operations.List == nil {
		return false, false
	}
	return slices.Contains(t.Operations.List.Filters, name), slices.Contains(t.Operations.List.Scan, name)
}

// filters lists the query parameters that narrow a list.
func (t *table) filters(hidden []string) []string {
	out := []string{}
	if t.Operations.List == nil {
		return out
	}
	for _, name := range slices.Concat(t.Operations.List.Filters, t.Operations.List.Scan) {
		if c := t.field(name); c != nil && !(&view{denied: hidden}).hidden(c) {
			out = append(out, name)
		}
	}
	for name, field := range map[string]string{"modified_after": "updated_at", "created_after": "created_at"} {
		if c := findColumn(t.columns, field); c != nil && c.From != "" {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// fingerprint is what makes a query another one: everything but where it stands and how much it takes at a time. The
// order of the records is part of it, for a new version of the definition may change it.
func (t *table) fingerprint(params url.Values) []byte {
	same := maps.Clone(params)
	delete(same, "cursor")
	delete(same, "limit")
	h := sha256.New()
	h.Write([]byte(t.Name + "\x00" + same.Encode()))
	for _, k := range t.keyset() {
		h.Write([]byte("\x00" + k.Name + "\x00" + string(k.Type)))
	}
	return h.Sum(nil)
}

func (t *table) keyset() []definition.Column {
	if t.Operations.List == nil {
		return nil
	}
	return t.Operations.List.Keyset
}
