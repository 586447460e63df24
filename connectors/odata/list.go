package odata

import (
	"context"
	"net/http"
	"slices"

	"gantry/connectors"
	"gantry/connectors/sift"
	"gantry/connectors/web"
)

// list is what an answer holds: records, and where there are more.
type list struct {
	records []map[string]any
	next    string
}

// listOf reads the answer to a query.
func (q *query) listOf(answer *reply) (list, error) {
	v, err := q.c.value(answer)
	if err != nil {
		return list{}, err
	}
	if q.c.w.dialect == v2 {
		inner, ok := v.(map[string]any)
		if !ok || inner["d"] == nil {
			return list{}, strange("the answer has no `d`: it is none of OData version 2")
		}
		v = inner["d"]
	}
	if q.at.single {
		record, ok := v.(map[string]any)
		if !ok {
			return list{}, strange("the answer holds no record")
		}
		return list{records: []map[string]any{record}}, nil
	}
	return listed(v)
}

// listed reads a list: {results, __next} or [] of version 2, {value, @odata.nextLink} of version 4.
func listed(v any) (list, error) {
	var out list
	if inner, ok := v.(map[string]any); ok {
		for _, name := range []string{"__next", "@odata.nextLink", "@nextLink"} {
			if s, ok := inner[name].(string); ok {
				out.next = s
			}
		}
		if v = inner["results"]; v == nil {
			v = inner["value"]
		}
	}
	items, ok := v.([]any)
	if !ok {
		return out, strange("the answer holds no list of records")
	}
	for _, item := range items {
		record, ok := item.(map[string]any)
		if !ok || record["error"] != nil && len(record) == 1 {
			return out, strange("the answer's list holds what is no record")
		}
		out.records = append(out.records, record)
	}
	return out, nil
}

// rowsOf makes the rows of a record: its own, or one for each record that is related to it.
func (q *query) rowsOf(ctx context.Context, answer *reply, record map[string]any) ([]connectors.Row, error) {
	if q.s.each == "" {
		row, err := q.fill(record, nil, answer.header)
		return []connectors.Row{row}, err
	}
	related, err := q.related(ctx, answer, record)
	if err != nil {
		return nil, err
	}
	rows := make([]connectors.Row, 0, len(related))
	for _, member := range related {
		row, err := q.fill(member, record, nil)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows, func(a, b connectors.Row) int { return sift.CompareRows(a, b, q.inner) })
	return rows, nil
}

// related gives the records that are related to one, also those of which the service gave a page alone.
func (q *query) related(ctx context.Context, answer *reply, record map[string]any) ([]map[string]any, error) {
	name := q.s.each
	v, there := record[name]
	if !there {
		return nil, strange("the service did not expand " + name)
	}
	if v == nil {
		return nil, nil
	}
	found, err := listed(v)
	if err != nil {
		return nil, err
	}
	if next, ok := record[name+"@odata.nextLink"].(string); ok {
		found.next = next
	}
	w := &walk{q: q, seen: map[[32]byte]bool{}}
	from := answer.from
	for found.next != "" {
		if _, err := w.follow(found.next, from); err != nil {
			return nil, err
		}
		more, err := q.c.call(ctx, web.Request{Method: http.MethodGet, URL: w.link, Header: http.Header{}}, nil)
		if err != nil {
			return nil, err
		}
		page, err := q.page(more)
		if err != nil {
			return nil, err
		}
		if len(w.seen) > maxBarren*10 {
			return nil, strange("the related records of one do not end")
		}
		from, found.next = more.from, page.next
		found.records = append(found.records, page.records...)
	}
	return found.records, nil
}

// page reads a page of related records.
func (q *query) page(answer *reply) (list, error) {
	v, err := q.c.value(answer)
	if err != nil {
		return list{}, err
	}
	if inner, ok := v.(map[string]any); ok && q.c.w.dialect == v2 {
		v = inner["d"]
	}
	return listed(v)
}
