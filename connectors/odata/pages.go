package odata

import (
	"context"
	"crypto/sha256"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"

	"gantry/connectors"
	"gantry/connectors/sift"
	"gantry/connectors/web"
)

// Bounds of one read.
const (
	maxPages  = 200_000 // each is remembered, in 32 bytes
	maxBarren = 100     // pages without records, one after the other, that lead to another one
	maxProofs = 2
)

// walk is one branch of a query under way.
type walk struct {
	q         *query
	condition string
	link      string         // of the page, where one led to it
	after     []any          // the place after which the next record is; nil: from the beginning
	place     connectors.Row // of the last record, by the order's paths
	seen      map[[sha256.Size]byte]bool
	skip      int // records before the page
	asked     int // $top of the page, without the record that it overlaps by; 0: none
	got       int // for it, with the pages that links led to
	barren    int
	rows      int
	position  *sift.Position // of skip; nil: another way
}

// branch reads page after page.
func (q *query) branch(ctx context.Context, condition string) iter.Seq2[connectors.Row, error] {
	return func(yield func(connectors.Row, error) bool) {
		w := &walk{q: q, condition: condition, after: q.after, seen: map[[sha256.Size]byte]bool{}}
		var err error
		if q.pages.by == bySkip {
			w.position, err = q.position()
		}
		for pages := 0; err == nil; pages++ {
			if pages == maxPages {
				err = strange("the service's pages do not end")
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

// top is how many records the page is asked for; 0: all.
func (w *walk) top() int {
	q := w.q
	left := 0
	if q.limit > 0 && q.s.each == "" && (q.pages.by != bySkip || q.after == nil) {
		left = q.limit - w.rows
	}
	switch {
	case q.pages.by == byServer:
		return left
	case left > 0 && left < q.size:
		return left
	}
	return q.size
}

// address gives the page's URL.
func (w *walk) address() (string, []string, error) {
	q := w.q
	if w.link != "" {
		return w.link, nil, nil
	}
	condition := w.condition
	if w.after != nil && q.pages.by != bySkip {
		beyond, err := q.beyond(q.order, w.after)
		if err != nil {
			return "", nil, err
		}
		condition = and(condition, beyond)
	}
	w.asked = w.top()
	top, skip := w.asked, 0
	if q.pages.by == bySkip {
		skip = w.skip
	}
	if skip > 0 { // it begins with the last record of the page before
		top, skip = top+1, skip-1
	}
	return q.service + q.at.path, q.first(condition, top, skip), nil
}

// page reads one page and gives its rows; more tells whether there is another.
func (w *walk) page(ctx context.Context, yield func(connectors.Row, error) bool) (more bool, err error) {
	answer, list, err := w.fetch(ctx)
	if err != nil || answer.none {
		return false, err
	}
	records := list.records
	if w.q.pages.by == bySkip && w.skip > 0 && w.link == "" {
		if len(records) == 0 || sift.CompareRows(w.places(records[0]), w.place, w.q.placed()) != 0 {
			return false, strange("the list changed while it was read: records came or went before the page")
		}
		records = records[1:]
	}
	if len(records) > 0 {
		if err := w.once(answer.sum); err != nil {
			return false, err
		}
	}
	if err := w.give(ctx, answer, records, yield); err != nil {
		return false, err
	}
	return w.next(list.next, answer.from, len(records))
}

// fetch reads the page's records. One without any is not believed until the login that read it has been proved, where it could have ended.
func (w *walk) fetch(ctx context.Context) (*reply, list, error) {
	c := w.q.c
	path, options, err := w.address()
	if err != nil {
		return nil, list{}, err
	}
	r := web.Request{Method: http.MethodGet, URL: path, Header: http.Header{}}
	if w.link == "" {
		if r, err = c.request(http.MethodGet, path, options); err != nil {
			return nil, list{}, err
		}
	}
	if c.w.dialect == v4 {
		r.Header.Set("Prefer", fmt.Sprintf("odata.maxpagesize=%d", w.q.size))
	}
	none := w.q.s.none
	if w.q.at.single && w.q.at.function == nil {
		none = append(slices.Clone(none), http.StatusNotFound)
	}
	for proofs := 0; ; proofs++ {
		answer, err := c.call(ctx, r, none)
		if err != nil || answer.none {
			return answer, list{}, err
		}
		found, err := w.q.listOf(answer)
		if err != nil || len(found.records) > 0 || proofs == maxProofs || !c.renews() {
			return answer, found, err
		}
		proved, err := c.proved(ctx)
		if err != nil || proved == answer.login {
			return answer, found, err
		}
	}
}

// give hands out the rows of a page.
func (w *walk) give(ctx context.Context, answer *reply, records []map[string]any, yield func(connectors.Row, error) bool) error {
	for i, record := range records {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		behind, err := w.pass(record)
		if err != nil {
			return err
		}
		if !behind {
			continue
		}
		rows, err := w.q.rowsOf(ctx, answer, record)
		if err != nil {
			return err
		}
		records[i] = nil // a page is given back as it is read
		for _, row := range rows {
			w.rows++
			if !yield(row, nil) {
				return errStopped
			}
		}
	}
	return nil
}

// pass notes a record's place in the order, and tells whether it is behind the reader's position.
func (w *walk) pass(record map[string]any) (bool, error) {
	if w.q.at.single || w.q.at.function != nil {
		return true, nil
	}
	w.place = w.places(record)
	w.after = make([]any, len(w.q.order))
	for i, o := range w.q.order {
		if w.after[i] = w.place[o.text()]; w.after[i] == nil && w.q.pages.by != byServer {
			return false, strange("the service gave a record without a value of " + o.text() + ", by which the records are ordered")
		}
	}
	if w.q.pages.by == bySkip {
		behind, err := w.position.Pass(w.place)
		return behind, foundOr(err)
	}
	return true, nil
}

// ended judges a list that is through.
func (w *walk) ended() error {
	if w.position == nil {
		return nil
	}
	return foundOr(w.position.End())
}

func (w *walk) places(record map[string]any) connectors.Row {
	out := connectors.Row{}
	for _, o := range w.q.order {
		out[o.text()], _ = o.of(record, record)
	}
	return out
}

// next goes to the page after this one, and tells whether there is one.
func (w *walk) next(link, from string, got int) (bool, error) {
	q := w.q
	w.got += got
	if w.barren++; got > 0 {
		w.barren = 0
	}
	if link != "" {
		return w.follow(link, from)
	}
	if q.at.single || q.at.function != nil || q.pages.by == byServer || w.got == 0 || len(q.order) == 0 {
		return false, nil
	}
	if q.pages.most > 0 && w.got < w.asked { // otherwise the service may give fewer than it was asked for
		return false, nil
	}
	w.skip += w.got
	w.link, w.got = "", 0
	return true, nil
}

// follow goes where the service leads, at the connection's own host.
func (w *walk) follow(link, from string) (bool, error) {
	if w.barren == maxBarren {
		return false, strange(fmt.Sprintf("%d pages without a record lead to another one", maxBarren))
	}
	address, err := w.q.c.addressed(link, from)
	if err != nil {
		return false, err
	}
	w.link = address
	return true, w.once(sha256.Sum256([]byte(address)))
}

// once refuses what leads to where the read has been: a link, or a page with the same records.
func (w *walk) once(sum [sha256.Size]byte) error {
	if w.seen[sum] {
		return strange("the next page is one that was read already: the service's pages lead in a circle")
	}
	w.seen[sum] = true
	return nil
}

// addressed makes a link of the service's a request's URL: its path and query, at the connection's own host.
func (c *conn) addressed(link, from string) (string, error) {
	at, err := c.web.Resolve(from, false)
	if err != nil {
		return "", err
	}
	base, err := url.Parse(at)
	if err != nil {
		return "", err
	}
	to, err := base.Parse(link)
	if err != nil {
		return "", strange("the service gave a link that is none")
	}
	return c.web.Resolve(to.String(), true)
}
