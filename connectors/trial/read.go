package trial

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gantry/connectors/definition"
	"gantry/connectors/engine"
	"gantry/connectors/entity"
	"gantry/tunnel/fault"
)

// record is one record as the API shows it, with its members as they came.
type record map[string]json.RawMessage

func decode(raw []byte) (record, error) {
	var r record
	err := json.Unmarshal(raw, &r)
	return r, err
}

// text gives a member that is a text, a number or a truth value, in the form of a query parameter; "": it is none of those.
func (r record) text(name string) string {
	raw := r[name]
	var s string
	switch {
	case len(raw) == 0 || raw[0] == '{' || raw[0] == '[' || string(raw) == "null":
		return ""
	case json.Unmarshal(raw, &s) == nil:
		return s
	}
	return string(raw)
}

func (r record) id() string { return r.text("id") }

// list reads the first page.
func (x *subject) list(ctx context.Context) verdict {
	page, err := x.engine.List(ctx, x.name, query("limit", fmt.Sprint(pageSize)))
	switch {
	case fault.Is(err, fault.PermissionDenied):
		return skipped("the login may not read it: %s", said(err))
	case err != nil:
		return failed("%s", said(err))
	case len(page.Data) == 0:
		return passed("no records: what follows proves little")
	}
	return passed("%s on the first page", counted(len(page.Data), "record"))
}

// paging reads page by page, and the same as a stream: each record once in both.
func (x *subject) paging(ctx context.Context) verdict {
	seen := map[string]bool{}
	pages := 0
	for cursor := ""; ; pages++ {
		q := query("limit", fmt.Sprint(pageSize))
		if cursor != "" {
			q.Params.Set("cursor", cursor)
		}
		page, err := x.engine.List(ctx, x.name, q)
		if err != nil {
			return failed("page %d: %s", pages+1, said(err))
		}
		for _, one := range page.Data {
			if seen[one.ID] {
				return failed("record %s comes twice, the second time on page %d", one.ID, pages+1)
			}
			seen[one.ID] = true
			r, err := decode(one.JSON)
			if err != nil {
				return failed("record %s is no JSON object", one.ID)
			}
			x.records = append(x.records, r)
		}
		if x.complete = !page.HasMore; x.complete || len(x.records) >= x.options.Records {
			break
		}
		cursor = page.NextCursor
	}
	return x.compareStream(ctx, seen, pages+1)
}

var errEnough = errors.New("enough records were read")

func (x *subject) compareStream(ctx context.Context, seen map[string]bool, pages int) verdict {
	missing := ""
	count := 0
	_, err := x.engine.Stream(ctx, x.name, engine.Query{}, func(line []byte) error {
		if count == len(seen) {
			return errEnough
		}
		r, err := decode(line)
		if err != nil {
			return err
		}
		if count++; !seen[r.id()] && missing == "" {
			missing = r.id()
		}
		return nil
	})
	switch {
	case err != nil && !errors.Is(err, errEnough):
		return failed("as a stream: %s", said(err))
	case missing != "":
		return failed("record %s comes in the stream and on none of the %d pages", missing, pages)
	case count < len(seen):
		return failed("%d records on the pages, %d in the stream", len(seen), count)
	case errors.Is(err, errEnough) && x.complete:
		return failed("the pages end after %d records, and the stream goes on", count)
	}
	if !x.complete {
		return passed("the first %d records, %d pages, the same as a stream", count, pages)
	}
	return passed("%s, %s, the same as a stream", counted(count, "record"), counted(pages, "page"))
}

// columns looks whether the system's own record has every column that a field comes from: a wrong name is no error
// anywhere else, only a field that is always empty.
func (x *subject) columns(ctx context.Context) verdict {
	page, err := x.engine.List(ctx, x.name, query("limit", "1", "include", "remote_data"))
	switch {
	case err != nil:
		return failed("%s", said(err))
	case len(page.Data) == 0:
		return skipped("no records")
	}
	var r struct {
		Remote map[string]json.RawMessage `json:"remote_data"`
	}
	if err := json.Unmarshal(page.Data[0].JSON, &r); err != nil {
		return failed("record %s: %v", page.Data[0].ID, err)
	}
	e := x.options.Definition.Entities[x.name]
	var missing []string
	for _, fields := range []map[string]*definition.Field{e.Fields, e.CustomFields} {
		for name, f := range fields {
			if _, there := r.Remote[f.From]; f.From != "" && f.Type != entity.List && !there {
				missing = append(missing, fmt.Sprintf("%s (of %s)", f.From, name))
			}
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return failed("the records have no column %s", strings.Join(missing, ", "))
	}
	return passed("every column that a field names is there")
}

// mapping counts what the definition could not map.
func (x *subject) mapping(context.Context) verdict {
	if len(x.records) == 0 {
		return skipped("no records")
	}
	warned := map[string]int{}
	empty := map[string]bool{}
	for name := range x.capabilities.Fields {
		empty[name] = true
	}
	for _, r := range x.records {
		var warnings []struct{ Field, Code string }
		_ = json.Unmarshal(r["_warnings"], &warnings) // a record without them has none
		for _, w := range warnings {
			warned[w.Code+" in "+w.Field]++
		}
		for name, value := range r {
			if string(value) != "null" {
				delete(empty, name)
			}
		}
	}
	var said []string
	for _, what := range slices.Sorted(maps.Keys(warned)) {
		said = append(said, what+": "+counted(warned[what], "record"))
	}
	if len(warned) > 0 {
		return failed("%s", strings.Join(said, "; "))
	}
	if len(empty) > 0 {
		return passed("no warnings; empty in all records: %s", strings.Join(slices.Sorted(maps.Keys(empty)), ", "))
	}
	return passed("no warnings")
}

// incremental asks for what changed after the middle of the records.
func (x *subject) incremental(ctx context.Context) verdict {
	var times []string
	for _, r := range x.records {
		if at := r.text("updated_at"); at != "" {
			times = append(times, at)
		}
	}
	if len(times) < 2 {
		return skipped("fewer than two records say when they changed")
	}
	slices.SortFunc(times, earlier)
	since := times[len(times)/2]
	got := map[string]bool{}
	old := ""
	_, err := x.engine.Stream(ctx, x.name, query("modified_after", since), func(line []byte) error {
		r, err := decode(line)
		if err != nil {
			return err
		}
		if got[r.id()] = true; earlier(r.text("updated_at"), since) < 0 {
			old = r.id()
		}
		if len(got) > x.options.Records {
			return errEnough
		}
		return nil
	})
	switch {
	case err != nil && !errors.Is(err, errEnough):
		return failed("%s", said(err))
	case old != "":
		return failed("record %s comes, and changed before %s", old, since)
	}
	for _, r := range x.records {
		if err == nil && earlier(r.text("updated_at"), since) > 0 && !got[r.id()] {
			return failed("record %s does not come, and changed after %s", r.id(), since)
		}
	}
	return passed("%s changed since %s", counted(len(got), "record"), since)
}

// earlier compares times of the API; one that is none is the earliest.
func earlier(x, y string) int {
	a, _ := time.Parse(time.RFC3339, x) // the zero time is earlier than all
	b, _ := time.Parse(time.RFC3339, y)
	return a.Compare(b)
}

// filters asks by each filter for the value of a record that is there.
func (x *subject) filters(ctx context.Context) verdict {
	var tried []string
	for _, name := range x.capabilities.Filters {
		value, id := x.sample(name)
		if value == "" {
			continue
		}
		if problem := x.filter(ctx, name, value, id); problem != "" {
			return failed("%s: %s", name, problem)
		}
		tried = append(tried, name)
	}
	if len(tried) == 0 {
		return skipped("no filter has a value to try")
	}
	return passed("%s", strings.Join(tried, ", "))
}

// sample gives a value to filter by, and a record that has it.
func (x *subject) sample(name string) (value, id string) {
	if name == "modified_after" || name == "created_after" {
		return "", ""
	}
	for _, r := range x.records {
		if value := r.filterable(name); value != "" {
			return value, r.id()
		}
	}
	return "", ""
}

// filterable gives a member as a filter compares it: of a status that is its canonical value.
func (r record) filterable(name string) string {
	var status struct{ Value string }
	if json.Unmarshal(r[name], &status) == nil && status.Value != "" {
		return status.Value
	}
	return r.text(name)
}

// filter tells what is wrong with the answer to one filter.
func (x *subject) filter(ctx context.Context, name, value, id string) string {
	found := false
	count := 0
	_, err := x.engine.Stream(ctx, x.name, query(name, value), func(line []byte) error {
		r, err := decode(line)
		if err != nil {
			return err
		}
		if r.filterable(name) != value {
			return fmt.Errorf("record %s comes and does not have the value", r.id())
		}
		if count++; r.id() == id {
			found = true
		}
		if count > x.options.Records {
			return errEnough
		}
		return nil
	})
	switch _, ours := errors.AsType[*fault.Error](err); {
	case errors.Is(err, errEnough):
		return ""
	case ours:
		return said(err)
	case err != nil:
		return err.Error()
	case !found:
		return fmt.Sprintf("record %s has the value and does not come", id)
	}
	return ""
}

// cancelled lets a stream go after its first record.
func (x *subject) cancelled(ctx context.Context) verdict {
	if len(x.records) < 2 {
		return skipped("too few records")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var let time.Time
	_, err := x.engine.Stream(ctx, x.name, engine.Query{}, func([]byte) error {
		if let.IsZero() {
			let = time.Now()
			cancel()
		}
		return nil
	})
	took := time.Since(let)
	switch {
	case took > cancelTime:
		return failed("it went on for %s", took.Round(time.Millisecond))
	case err != nil && !errors.Is(err, context.Canceled):
		return failed("%s", said(err))
	}
	return passed("over %s after it was let go", took.Round(time.Millisecond))
}

// get reads a record alone: it must be as the list has it.
func (x *subject) get(ctx context.Context) verdict {
	if len(x.records) == 0 {
		return skipped("no records")
	}
	listed := x.records[len(x.records)/2]
	one, err := x.engine.Get(ctx, x.name, listed.id(), engine.Query{})
	if err != nil {
		return failed("record %s: %s", listed.id(), said(err))
	}
	alone, err := decode(one.JSON)
	if err != nil {
		return failed("record %s is no JSON object", listed.id())
	}
	var differ []string
	for name := range maps.Keys(listed) {
		if !bytes.Equal(alone[name], listed[name]) {
			differ = append(differ, name)
		}
	}
	if len(differ) > 0 {
		slices.Sort(differ)
		return failed("record %s differs from the list in %s", listed.id(), strings.Join(differ, ", "))
	}
	return passed("record %s is as in the list", listed.id())
}

// unknown reads a record that is not there.
func (x *subject) unknown(ctx context.Context) verdict {
	id := "2147483000"
	if len(x.records) > 0 {
		parts := strings.Split(x.records[0].id(), "~")
		for i, part := range parts {
			if strings.Trim(part, "0123456789") != "" {
				parts[i] = "no-such-record"
			} else {
				parts[i] = id
			}
		}
		id = strings.Join(parts, "~")
	}
	_, err := x.engine.Get(ctx, x.name, id, engine.Query{})
	return wants(err, fault.NotFound)
}

// counted writes a number with its noun.
func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
