package sift

import (
	"errors"
	"slices"

	"gantry/connectors"
)

// What a Position cannot answer.
var (
	ErrGone = errors.New("the record that the page before ended with is gone, and the order of texts is the system's own: read the list from its beginning")
	ErrLost = errors.New("the system does not keep the order that it was asked for: nobody can say where a page begins")
)

// Position finds where a list goes on whose system orders it, and gives it from its beginning. Numbers and times have one order, so that a record is
// seen to be before or behind; of texts each system has its own (SAP's ALPHA keys, a database's collation), so that there the record itself is
// looked for.
type Position struct {
	columns []Column // the order's
	sure    []Column // those of its beginning that have one order
	sought  connectors.Row
	last    connectors.Row // the record before
	found   bool           // what comes now is behind the position
	open    bool           // records that are equal by what is sure came before, and none was the one
}

// NewPosition prepares one; after has the values of the order's columns in the last row already read; nil: from the beginning.
func NewPosition(columns []Column, after []any) (*Position, error) {
	p := &Position{columns: columns, sure: Sure(columns), found: after == nil}
	if p.found {
		return p, nil
	}
	if _, err := NewOrder(columns, after); err != nil {
		return nil, err
	}
	p.sought = connectors.Row{}
	for i, c := range columns {
		p.sought[c.Name] = after[i]
	}
	return p, nil
}

// Sure are the columns at the beginning of an order that every system orders alike.
func Sure(columns []Column) []Column {
	i := slices.IndexFunc(columns, func(c Column) bool { return !slices.Contains([]Kind{Integer, Decimal, Date, Datetime}, c.Kind) })
	if i < 0 {
		return columns
	}
	return columns[:i]
}

// Pass looks at the next row, which is kept, and tells whether it is behind the position: ErrGone, ErrLost.
func (p *Position) Pass(row connectors.Row) (bool, error) {
	if p.last != nil && CompareRows(row, p.last, p.sure) < 0 {
		return false, ErrLost
	}
	p.last = row
	if p.found {
		return true, nil
	}
	switch sure := CompareRows(row, p.sought, p.sure); {
	case sure > 0:
		err := p.End()
		p.found = err == nil
		return p.found, err
	case sure == 0 && len(p.sure) < len(p.columns):
		p.found = CompareRows(row, p.sought, p.columns) == 0
		p.open = !p.found
	}
	return false, nil
}

// End judges a list that is through: ErrGone, where its rows cannot be told to be before or behind the position.
func (p *Position) End() error {
	if p.open {
		return ErrGone
	}
	return nil
}

// Follow gives the rows of a scan that comes in the order already, from behind the position; limit 0: all.
func (p *Position) Follow(scan Scan, limit int, give func(connectors.Row) error) error {
	count := 0
	err := scan(func(row connectors.Row) error {
		place := connectors.Row{} // the row is lent
		for _, c := range p.columns {
			place[c.Name] = row[c.Name]
		}
		behind, err := p.Pass(place)
		if err != nil || !behind {
			return err
		}
		if err := give(row); err != nil {
			return err
		}
		if count++; count == limit {
			return errEnough
		}
		return nil
	})
	switch {
	case errors.Is(err, errEnough):
		return nil
	case err != nil:
		return err
	}
	return p.End()
}
