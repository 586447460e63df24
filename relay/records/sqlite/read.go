package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"gantry/relay/records"
	"gantry/relay/store/database"
)

func scanStored(r database.Row) (found records.Stored, err error) {
	var document string
	err = r.Scan(&found.ID, moment{&found.Modified}, &document)
	found.Document = json.RawMessage(document)
	return found, err
}

const selectRecords = "SELECT r.id, r.modified, r.document FROM records r JOIN syncs s ON s.number = r.sync WHERE s.connection = ? AND s.entity = ?"

// Record implements records.Reader.
func (s *Store) Record(ctx context.Context, key records.Key, id string) (records.Stored, error) {
	return database.One(ctx, s.file.Reader(), scanStored, selectRecords+" AND r.id = ?", key.Connection, key.Entity, id)
}

// Records implements records.Reader.
func (s *Store) Records(ctx context.Context, key records.Key, query records.Query) ([]records.Stored, error) {
	found, err := find(ctx, s.file.Reader(), key)
	if err != nil {
		return nil, err
	}
	b := &builder{}
	b.add("r.sync = ?", found.number)
	b.query(query)
	limit := query.Limit
	if limit <= 0 || limit > records.MaxPage {
		limit = records.MaxPage
	}
	order := "r.id"
	if !query.ModifiedAfter.IsZero() {
		order = "r.modified, r.id"
	}
	b.args = append(b.args, limit)
	return database.List(ctx, s.file.Reader(), scanStored, "SELECT r.id, r.modified, r.document FROM records r WHERE "+
		strings.Join(b.conditions, " AND ")+" ORDER BY "+order+" LIMIT ?", b.args...)
}

// builder puts conditions together. Their text is ours; whatever a caller gave is bound.
type builder struct {
	conditions []string
	args       []any
}

func (b *builder) add(condition string, args ...any) {
	b.conditions, b.args = append(b.conditions, condition), append(b.args, args...)
}

func (b *builder) query(q records.Query) {
	switch q.Gone {
	case records.WithoutGone:
		b.add("r.deleted_at IS NULL")
	case records.OnlyGone:
		b.add("r.deleted_at IS NOT NULL")
	}
	if len(q.Status) > 0 {
		b.any("r.status", "?", q.Status)
	}
	b.place(q)
	if !q.CreatedAfter.IsZero() {
		b.add("r.created_at > ?", q.CreatedAfter.UnixMicro())
	}
	for _, f := range q.Filters {
		b.filter(f)
	}
}

// place says where the list begins. In the order of changes the position alone is enough: it lies behind ModifiedAfter.
func (b *builder) place(q records.Query) {
	switch {
	case q.ModifiedAfter.IsZero():
		b.add("r.id > ?", q.After.ID)
	case q.After == (records.Position{}):
		b.add("r.modified > ?", q.ModifiedAfter.UnixMicro())
	default:
		b.add("(r.modified, r.id) > (?, ?)", q.After.Modified.UnixMicro(), q.After.ID)
	}
}

// any compares an expression with values.
func (b *builder) any(expression, place string, values []string) {
	places := make([]string, len(values))
	args := make([]any, len(values))
	for i, value := range values {
		places[i], args[i] = place, value
	}
	b.add(fmt.Sprintf("%s IN (%s)", expression, strings.Join(places, ", ")), args...)
}

// filter compares a member of the document. The path is bound like a value.
func (b *builder) filter(f records.Filter) {
	const member = "json_extract(r.document, ?)"
	b.args = append(b.args, f.Path)
	switch f.Form {
	case records.Number:
		b.any("CAST("+member+" AS NUMERIC)", "CAST(? AS NUMERIC)", f.Values)
	case records.Boolean:
		b.any(member, "(? = 'true')", f.Values)
	default:
		b.any(member, "?", f.Values)
	}
}
