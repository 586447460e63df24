package odata

import (
	"slices"

	"gantry/connectors"
	"gantry/connectors/sift"
)

// position finds where a read by skip goes on: $skip counts records, and how many came before a reader's position nobody knows. Numbers and times
// have one order, so that a record is seen to be before or behind; of texts each service has its own (SAP's ALPHA keys, a database's
// collation), so that there the record itself is looked for.
type position struct {
	columns []sift.Column // the order's
	sure    []sift.Column // those of its beginning that have one order
	sought  connectors.Row
	last    connectors.Row // the record before
	found   bool           // what comes now is behind the position
	open    bool           // records that are equal by what is sure came before, and none was the one
}

func (q *query) position() (position, error) {
	p := position{columns: q.placed(), found: q.after == nil}
	p.sure = sure(p.columns)
	if p.found {
		return p, nil
	}
	if _, err := sift.NewOrder(p.columns, q.after); err != nil {
		return p, connectors.Misuse("%w", err)
	}
	p.sought = connectors.Row{}
	for i, c := range p.columns {
		p.sought[c.Name] = q.after[i]
	}
	return p, nil
}

// sure are the columns at the beginning of an order that every service orders alike.
func sure(columns []sift.Column) []sift.Column {
	i := slices.IndexFunc(columns, func(c sift.Column) bool { return c.Kind != sift.Decimal && c.Kind != sift.Datetime })
	if i < 0 {
		return columns
	}
	return columns[:i]
}

// pass looks at a record's place, and tells whether it is behind the position.
func (p *position) pass(place connectors.Row) (bool, error) {
	if p.last != nil && sift.CompareRows(place, p.last, p.sure) < 0 {
		return false, strange("the service does not keep the order that it was asked for: nobody can say where a page begins")
	}
	p.last = place
	if p.found {
		return true, nil
	}
	switch sure := sift.CompareRows(place, p.sought, p.sure); {
	case sure > 0:
		err := p.end()
		p.found = err == nil
		return p.found, err
	case sure == 0:
		p.found = sift.CompareRows(place, p.sought, p.columns) == 0
		p.open = !p.found
	}
	return false, nil
}

// end refuses a list whose records cannot be told to be before or behind the position.
func (p *position) end() error {
	if p.open {
		return strange("the record that the page before ended with is gone, and the order of texts is the service's own: read the list from its beginning")
	}
	return nil
}

// placed are the columns of a record's place.
func (q *query) placed() []sift.Column {
	out := make([]sift.Column, len(q.order))
	for i, o := range q.order {
		out[i] = sift.Column{Name: o.text(), Kind: o.sorted().Kind}
	}
	return out
}
