package demoplant

import (
	"context"
	"database/sql"
	"errors"
	"strings"
)

// table inserts rows. After the first failure it does nothing, and close tells.
type table struct {
	ctx      context.Context
	tx       *sql.Tx
	prepared map[string]*sql.Stmt
	err      error
}

// insert adds a row; values come in the order of the columns.
func (t *table) insert(name, columns string, values ...any) {
	if t.err != nil {
		return
	}
	statement := "INSERT INTO " + name + " (" + columns + ") VALUES (?" + strings.Repeat(",?", len(values)-1) + ")"
	prepared, there := t.prepared[statement]
	if !there {
		if prepared, t.err = t.tx.PrepareContext(t.ctx, statement); t.err != nil {
			return
		}
		if t.prepared == nil {
			t.prepared = map[string]*sql.Stmt{}
		}
		t.prepared[statement] = prepared
	}
	_, t.err = prepared.ExecContext(t.ctx, values...)
}

// close releases the statements and gives the first failure.
func (t *table) close() error {
	for _, s := range t.prepared {
		t.err = errors.Join(t.err, s.Close())
	}
	return t.err
}
