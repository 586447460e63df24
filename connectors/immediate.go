package connectors

import (
	"context"
	"iter"
)

// Immediate is a unit of work in name, for a Conn whose system does each call at once. Run runs one statement of the driver's
// own; readOnly says that it must have no effect.
type Immediate struct {
	Conn     Conn
	ReadOnly bool
	Run      func(ctx context.Context, s Statement, vars Vars, readOnly bool) (Effect, error)

	over bool
}

var _ Tx = (*Immediate)(nil)

// Read implements Tx.
func (t *Immediate) Read(ctx context.Context, r Read) iter.Seq2[Row, error] {
	if t.over {
		return func(yield func(Row, error) bool) { yield(nil, Misuse("the unit of work is over")) }
	}
	return t.Conn.Read(ctx, r)
}

// Exec implements Tx.
func (t *Immediate) Exec(ctx context.Context, s Statement, vars Vars) (Effect, error) {
	if t.over {
		return Effect{}, Misuse("the unit of work is over")
	}
	return t.Run(ctx, s, vars, t.ReadOnly)
}

// Commit implements Tx.
func (t *Immediate) Commit(context.Context) error { t.over = true; return nil }

// Rollback implements Tx.
func (t *Immediate) Rollback() error { t.over = true; return nil }
