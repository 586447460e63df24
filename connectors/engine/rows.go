package engine

import (
	"context"
	"iter"
	"maps"

	"gantry/connectors"
	"gantry/tunnel/fault"
)

// source is what rows are read from: the connection, or the transaction of a write.
type source interface {
	Read(ctx context.Context, q connectors.Read) iter.Seq2[connectors.Row, error]
}

const (
	// batch is how many parents one query for children names: few round trips, and a list that every planner takes.
	batch = 200
	// maxChildren bounds the members of one record's list.
	maxChildren = 10_000
	// maxBatchChildren bounds the members of one batch; a batch that has more is halved.
	maxBatchChildren = 50_000
)

// fetch reads the children of some parents into the encoder: one query per child, whatever the number of parents, where the system can do that.
func (x *encoder) fetch(src source, parents []connectors.Row, children []string) error {
	x.children, x.cut = map[string]map[string][]connectors.Row{}, map[string]bool{}
	for _, name := range children {
		x.children[name] = map[string][]connectors.Row{}
		var err error
		if x.t.Children[name].Parent == "" {
			err = x.fetchEach(src, name, parents)
		} else {
			err = x.fetchChild(src, name, x.distinct(name, parents))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fetchEach reads the children that a system gives for one parent at a time, by the parent's key.
func (x *encoder) fetchEach(src source, name string, parents []connectors.Row) error {
	child := x.t.Children[name]
	for _, parent := range parents {
		q := connectors.Read{Statement: child.Statement, Vars: x.e.vars(), Limit: maxChildren + 1}
		for _, column := range x.t.Key {
			q.Vars[column.Name] = parent[column.Name]
		}
		for _, column := range child.Order {
			q.OrderBy = append(q.OrderBy, column.Name)
		}
		rows, err := collect(src.Read(connectors.Nested(x.ctx), q))
		if err != nil {
			return err
		}
		key := x.t.parentOf(name, parent)
		if len(rows) > maxChildren {
			rows, x.cut[name+"\x00"+key] = rows[:maxChildren], true
		}
		x.children[name][key] = rows
	}
	return nil
}

// parentOf is what the members of a record's list are kept under.
func (t *table) parentOf(child string, row connectors.Row) string {
	if c := t.Children[child]; c.Parent != "" {
		return text(row[c.Of])
	}
	return string(t.appendID(nil, row))
}

// distinct lists the values by which children name their parents.
func (x *encoder) distinct(child string, parents []connectors.Row) []any {
	of, seen, out := x.t.Children[child].Of, map[string]bool{}, []any{}
	for _, parent := range parents {
		v := parent[of]
		if v != nil && !seen[text(v)] {
			seen[text(v)] = true
			out = append(out, v)
		}
	}
	return out
}

func (x *encoder) fetchChild(src source, name string, parents []any) error {
	if len(parents) == 0 {
		return nil
	}
	most := maxBatchChildren
	if len(parents) == 1 {
		most = maxChildren
	}
	rows, err := x.childRows(src, name, parents, most+1)
	if err != nil {
		return err
	}
	if len(rows) > most && len(parents) > 1 {
		half := len(parents) / 2
		if err := x.fetchChild(src, name, parents[:half]); err != nil {
			return err
		}
		return x.fetchChild(src, name, parents[half:])
	}
	parent := x.t.Children[name].Parent
	into := x.children[name]
	for _, row := range rows {
		key := text(row[parent])
		if len(into[key]) == maxChildren {
			x.cut[name+"\x00"+key] = true
			continue
		}
		into[key] = append(into[key], row)
	}
	return nil
}

func (x *encoder) childRows(src source, name string, parents []any, limit int) ([]connectors.Row, error) {
	child := x.t.Children[name]
	order := []string{child.Parent}
	for _, column := range child.Order {
		if column.Name != child.Parent {
			order = append(order, column.Name)
		}
	}
	// Nested: a stream reads children while its own rows are open.
	return collect(src.Read(connectors.Nested(x.ctx), connectors.Read{
		Statement: child.Statement, Vars: x.e.vars(), OrderBy: order, Limit: limit,
		Filters: []connectors.Filter{{Column: child.Parent, Op: connectors.Equal, Values: parents}},
	}))
}

// rowBytes is what a row's long values take; the short ones do not matter.
func rowBytes(row connectors.Row) int {
	size := 0
	for _, v := range row {
		switch v := v.(type) {
		case string:
			size += len(v)
		case []byte:
			size += len(v)
		}
	}
	return size
}

// collect keeps the rows of a sequence, which are only lent.
func collect(rows iter.Seq2[connectors.Row, error]) ([]connectors.Row, error) {
	var out []connectors.Row
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		out = append(out, maps.Clone(row))
	}
	return out, nil
}

// find reads the row of a key; nil: there is none.
func (e *Engine) find(ctx context.Context, src source, t *table, key []any) (connectors.Row, error) {
	q := connectors.Read{Statement: t.Get, Vars: e.vars(), Limit: 1}
	for i, column := range t.Key {
		if t.Get != nil {
			q.Vars[column.Name] = key[i]
			continue
		}
		q.Statement = t.List
		q.Filters = append(q.Filters, connectors.Filter{Column: column.Name, Op: connectors.Equal, Values: []any{key[i]}})
	}
	rows, err := collect(src.Read(ctx, q))
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return rows[0], nil
}

// encodeOne encodes one row with its children.
func (e *Engine) encodeOne(ctx context.Context, src source, t *table, v *view, row connectors.Row) (Record, error) {
	x := &encoder{ctx: ctx, e: e, t: t, view: v}
	if err := x.fetch(src, []connectors.Row{row}, v.children); err != nil {
		return Record{}, err
	}
	return x.one(row), nil
}

// one encodes a row into memory of its own.
func (x *encoder) one(row connectors.Row) Record {
	r := Record{JSON: x.record(nil, row), ID: string(x.t.appendID(nil, row))}
	if x.t.Version != nil {
		r.ETag = text(row[x.t.Version.Name])
	}
	return r
}

// table finds an entity.
func (e *Engine) table(name, operation string) (*table, error) {
	if t := e.tables[name]; t != nil {
		return t, nil
	}
	return nil, fault.New(fault.NotFound, "This system has no entity %q.", name).Reaches(fault.ScopeEntity).
		Advise("See GET /connection/capabilities for the entities that there are.").In(name, operation, "")
}
