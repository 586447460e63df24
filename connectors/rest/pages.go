package rest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"iter"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"gantry/connectors"
	"gantry/connectors/sift"
	"gantry/connectors/web"
)

// Bounds of one read.
const (
	maxPages    = 200_000 // each is remembered, in 32 bytes
	maxBarren   = 100     // pages without records, one after the other, that lead to another one
	maxRestarts = 3
	maxProofs   = 2
)

// walk is one branch of a query under way.
type walk struct {
	q        *query
	all      []condition
	query    url.Values // of the page
	link     string     // of the page, where a link led to it
	after    []any      // the place after which the next row is; nil: from the beginning
	last     []any      // the place of the last record that was read
	seen     map[[sha256.Size]byte]bool
	number   int // of the page, or of its first record
	barren   int
	restarts int
	skipping bool           // rows up to after have been given already, or are before the reader's beginning
	position *sift.Position // where that is; nil: of several requests, whose rows are merged byte by byte, none has it for sure
}

// branch reads page after page.
func (q *query) branch(ctx context.Context, all []condition) iter.Seq2[connectors.Row, error] {
	return func(yield func(connectors.Row, error) bool) {
		w := &walk{q: q, all: all, seen: map[[sha256.Size]byte]bool{}, after: q.after}
		err := w.begin()
		for pages := 0; err == nil; pages++ {
			if pages == maxPages {
				err = strange("the system's pages do not end")
				break
			}
			var more bool
			if more, err = w.page(ctx, yield); err == nil && !more {
				if err = w.ended(); err == nil {
					return
				}
			}
		}
		if err != errStopped {
			yield(nil, err)
		}
	}
}

func (q *query) keyset() bool { return q.ways.pages != nil && q.ways.pages.by == byKeyset }

// begin makes the query of the first page.
func (w *walk) begin() error {
	q := w.q
	w.query, w.link = maps.Clone(q.fixed), ""
	w.position, w.skipping = nil, w.after != nil && !q.keyset()
	if w.skipping && len(q.branches) == 1 {
		var err error
		if w.position, err = sift.NewPosition(q.placed(w.after), w.after); err != nil {
			return connectors.Misuse("%w", err)
		}
	}
	if p := q.ways.pages; p != nil {
		p.begin(w.query, q.size)
		w.number = 0
		if p.by == byPage {
			w.number = p.first
		}
	}
	if s := q.ways.sort; s != nil && len(q.order) > 0 {
		fields := make([]string, len(q.order))
		for i, k := range q.order {
			fields[i] = s.prefix + k.field + s.suffix
		}
		w.query.Set(s.parameter, strings.Join(fields, s.separator))
	}
	return w.where()
}

// where says which records the page is of.
func (w *walk) where() error {
	q, beyond := w.q, ""
	if q.keyset() && w.after != nil {
		encoded := make([]any, len(w.after))
		for i, v := range w.after {
			var err error
			if encoded[i], err = q.times().encode(v, q.order[i].kind); err != nil {
				return connectors.Misuse("the position: %w", err)
			}
		}
		var err error
		if beyond, err = q.ways.where.beyond(q.order, encoded); err != nil {
			return err
		}
	}
	lang := q.ways.where
	if len(w.all) == 0 && beyond == "" && (lang == nil || lang.wrap == "") {
		return nil
	}
	into := maps.Clone(w.query)
	if lang != nil && lang.parameter != "" { // begin anew with what the definition says
		into.Del(lang.parameter)
		if own := q.fixed.Get(lang.parameter); own != "" {
			into.Set(lang.parameter, own)
		}
	}
	if err := lang.say(w.all, beyond, into); err != nil {
		return err
	}
	w.query = into
	return nil
}

// page reads one page and gives its rows; more tells whether there is another.
func (w *walk) page(ctx context.Context, yield func(connectors.Row, error) bool) (more bool, err error) {
	answer, records, err := w.fetch(ctx)
	if err != nil {
		return false, err
	}
	fetched, overlap := len(records), w.overlaps()
	if overlap && w.shifted(answer, records) {
		return true, w.restart()
	}
	if overlap {
		records = records[1:]
	}
	if err := w.give(ctx, answer, records, yield); err != nil {
		return false, err
	}
	return w.next(answer, fetched, len(records))
}

// fetch reads the page's records. One without any is not believed until the login that read it has been proved.
func (w *walk) fetch(ctx context.Context) (*reply, []any, error) {
	r := w.q.base
	if r.URL += "?" + w.query.Encode(); len(w.query) == 0 {
		r.URL = w.q.base.URL
	}
	if w.link != "" {
		r.URL = w.link
	}
	for proofs := 0; ; proofs++ {
		answer, err := w.q.c.call(ctx, r, w.q.s.none)
		if err != nil {
			return nil, nil, err
		}
		records, err := w.records(answer)
		if err != nil || len(records) > 0 || proofs == maxProofs {
			return answer, records, err
		}
		proved, err := w.q.c.proved(ctx)
		if err != nil || proved == answer.login {
			return answer, records, err
		}
	}
}

// records finds the records of an answer.
func (w *walk) records(answer *reply) ([]any, error) {
	if answer.none {
		return nil, nil
	}
	switch v := web.At(answer.value, w.q.s.rows).(type) {
	case []any:
		return v, nil
	case map[string]any:
		return []any{v}, nil // one record, or a list of one in XML
	case string:
		if v == "" && w.q.c.dialect == dialectXML {
			return nil, nil
		}
	case nil:
		if w.q.c.dialect == dialectXML { // an empty list has no element
			return nil, nil
		}
	}
	return nil, strange("the answer holds no list of records at " + strconv.Quote(w.q.s.rows))
}

// overlaps tells whether the page begins with the last record of the one before.
func (w *walk) overlaps() bool {
	p := w.q.ways.pages
	return p != nil && p.by == byOffset && w.number > 0 && len(w.q.order) > 0 && w.q.s.each == ""
}

// shifted tells whether records went or came while the list was read, so that this page does not follow the one before.
func (w *walk) shifted(answer *reply, records []any) bool {
	if len(records) == 0 {
		return true
	}
	first, err := w.q.place(records[0])
	return err != nil || comparePositions(first, w.last, w.q.order) != 0
}

// restart reads from the beginning, up to where the reader is.
func (w *walk) restart() error {
	if w.restarts++; w.restarts > maxRestarts {
		return strange("the list changes faster than it can be read")
	}
	clear(w.seen)
	return w.begin()
}

// placed are the order's columns, for a position: what no kind is said of is what the position has.
func (q *query) placed(after []any) []sift.Column {
	out := make([]sift.Column, len(q.order))
	for i, k := range q.order {
		out[i] = sift.Column{Name: k.column, Kind: sift.Text}
		switch after[i].(type) {
		case int64, float64:
			out[i].Kind = sift.Decimal
		case time.Time:
			out[i].Kind = sift.Datetime
		case string:
			if k.kind == kindDecimal {
				out[i].Kind = sift.Decimal
			}
		}
	}
	return out
}

// behind tells whether a record at a place is behind where the reader is.
func (w *walk) behind(here []any) (bool, error) {
	switch {
	case !w.skipping:
		return true, nil
	case w.position == nil:
		return comparePositions(here, w.after, w.q.order) > 0, nil
	}
	row := connectors.Row{}
	for i, k := range w.q.order {
		row[k.column] = here[i]
	}
	behind, err := w.position.Pass(row)
	return behind, unfound(err)
}

// ended judges a list that is through.
func (w *walk) ended() error {
	if !w.skipping || w.position == nil {
		return nil
	}
	return unfound(w.position.End())
}

// unfound gives a position's answer in the driver's words.
func unfound(err error) error {
	if err == nil {
		return nil
	}
	f := strange(err.Error())
	f.Err = err
	return f
}

// give hands out the rows of a page.
func (w *walk) give(ctx context.Context, answer *reply, records []any, yield func(connectors.Row, error) bool) error {
	for i, record := range records {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		here, err := w.q.place(record)
		if err != nil {
			return err
		}
		w.last = here
		if behind, err := w.behind(here); err != nil || !behind {
			if err != nil {
				return err
			}
			continue
		}
		w.skipping, w.after = false, here
		rows, err := w.q.rowsOf(answer, record)
		if err != nil {
			return err
		}
		records[i] = nil // a page is given back as it is read
		for _, row := range rows {
			if !yield(row, nil) {
				return errStopped
			}
		}
	}
	return nil
}

// rowsOf makes the rows of a record: its own, or one for each member of a list.
func (q *query) rowsOf(answer *reply, record any) ([]connectors.Row, error) {
	if q.s.each == "" {
		row, err := q.fill(answer.header, record, nil)
		return []connectors.Row{row}, err
	}
	var members []any
	switch v := web.At(record, q.s.each).(type) {
	case []any:
		members = v
	case map[string]any:
		members = []any{v}
	case nil:
	case string:
		if v != "" {
			return nil, strange("the record's " + strconv.Quote(q.s.each) + " is no list")
		}
	default:
		return nil, strange("the record's " + strconv.Quote(q.s.each) + " is no list")
	}
	rows := make([]connectors.Row, 0, len(members))
	for _, member := range members {
		row, err := q.fill(answer.header, member, record)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows, func(a, b connectors.Row) int { return compareRows(a, b, q.inner) })
	return rows, nil
}

// next goes to the page after this one, and tells whether there is one.
func (w *walk) next(answer *reply, fetched, got int) (bool, error) {
	q, p := w.q, w.q.ways.pages
	if p == nil || answer.none {
		return false, nil
	}
	short := got == 0 || p.most > 0 && fetched < q.size // otherwise the system may give fewer than it was asked for
	if p.size != "" && !short {
		if err := w.once(answer.sum); err != nil {
			return false, err // a system that does not know the parameter gives its first page for ever
		}
	}
	switch p.by {
	case byKeyset:
		if short || p.next != "" && !says(web.At(answer.value, p.next)) {
			return false, nil
		}
		return true, w.where()
	case byPage:
		w.number++
		w.query = with(w.query, p.number, strconv.Itoa(w.number))
		return !short, nil
	case byOffset:
		w.number += got
		from := w.number
		if w.overlaps() {
			from--
		}
		w.query = with(w.query, p.number, strconv.Itoa(from))
		return !short, nil
	}
	return w.follow(answer, got)
}

// follow goes where the answer leads.
func (w *walk) follow(answer *reply, got int) (bool, error) {
	p, target := w.q.ways.pages, ""
	if p.by == byHeader {
		target = linkHeader(answer.header)
	} else {
		target = scalar(web.At(answer.value, p.next))
	}
	if target == "" {
		return false, nil
	}
	if w.barren++; got > 0 {
		w.barren = 0
	}
	if w.barren == maxBarren {
		return false, strange(fmt.Sprintf("%d pages without a record lead to another one", maxBarren))
	}
	if p.by == byCursor {
		w.query = with(w.query, p.number, target)
		return true, w.once(sha256.Sum256([]byte(target)))
	}
	link, err := w.q.c.addressed(target, p.rebase, answer.from)
	if err != nil {
		return false, err
	}
	w.link = link
	return true, w.once(sha256.Sum256([]byte(link)))
}

// once refuses what leads to where the read has been.
func (w *walk) once(sum [sha256.Size]byte) error {
	if w.seen[sum] {
		return strange("the next page is one that was read already: the system's pages lead in a circle")
	}
	w.seen[sum] = true
	return nil
}
