package odata

import (
	"gantry/connectors"
	"gantry/connectors/sift"
)

// position is where a read by skip goes on: $skip counts records, and how many came before a reader's position nobody knows.
func (q *query) position() (*sift.Position, error) {
	p, err := sift.NewPosition(q.placed(), q.after)
	if err != nil {
		return nil, connectors.Misuse("%w", err)
	}
	return p, nil
}

// placed are the columns of a record's place.
func (q *query) placed() []sift.Column {
	out := make([]sift.Column, len(q.order))
	for i, o := range q.order {
		out[i] = sift.Column{Name: o.text(), Kind: o.sorted().Kind}
	}
	return out
}

// foundOr gives a position's answer in the driver's words.
func foundOr(err error) error {
	if err == nil {
		return nil
	}
	f := strange(err.Error())
	f.Err = err
	return f
}
