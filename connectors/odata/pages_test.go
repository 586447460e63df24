package odata_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gantry/connectors"
)

// paged answers a list of version 4: three pages, which lead to each other under another host's name.
func (s *service) paged(last string) {
	s.routes["GET /svc/orders"] = func(w http.ResponseWriter, r *http.Request) {
		page := 0
		_, _ = fmt.Sscan(r.URL.Query().Get("$skiptoken"), &page)
		next := fmt.Sprintf(`,"@odata.nextLink":"https://inside.example:4430/svc/orders?$skiptoken=%d"`, page+1)
		if page == 2 {
			next = last
		}
		fmt.Fprintf(w, `{"value":[{"ID":"00000000-0000-4000-8000-00000000000%d","number":"%d"}]%s}`, page, page, next)
	}
}

const listV4 = `{"get":"orders","columns":{"number":"number"},"pages":{"by":"server"}}`

// TestLinks: a link is followed at the connection's own host, whatever it names; one that leads back ends the read.
func TestLinks(t *testing.T) {
	for last, want := range map[string]string{
		"": "", `,"@odata.nextLink":"orders?$skiptoken=1"`: "in a circle", `,"@odata.nextLink":"ftp://inside.example/x"`: "another server",
		`,"@odata.nextLink":"https://user:pw@inside.example/svc/orders"`: "another server",
	} {
		s := newService(t, "v4")
		s.paged(last)
		rows, err := collect(s.open(t, nil).Read(t.Context(), connectors.Read{Statement: step(t, "v4", listV4)}))
		if want == "" && (err != nil || len(rows) != 3) {
			t.Errorf("%d rows, %v", len(rows), err)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %d rows, %v; expected %q", last, len(rows), err, want)
		}
		for _, one := range s.requests("GET /svc/orders") {
			if one.header.Get("Prefer") != "odata.maxpagesize=200" {
				t.Errorf("%s asks for %q", one.line, one.header.Get("Prefer"))
			}
		}
	}
}

// TestSameForEver: a service that knows neither $filter nor $top gives its first page for ever.
func TestSameForEver(t *testing.T) {
	s := newService(t, "v2")
	s.answer("GET /svc/Orders", http.StatusOK, `{"d":[{"Order":"1"},{"Order":"2"}]}`)
	_, err := collect(s.open(t, nil).Read(t.Context(), connectors.Read{Statement: step(t, "v2", `{"get":"Orders","columns":{"id":"Order"}}`)}))
	if err == nil || !strings.Contains(err.Error(), "in a circle") {
		t.Errorf("got %v", err)
	}
}

// TestSkip: pages overlap by one record; a list that shifted is noticed.
func TestSkip(t *testing.T) {
	for name, shifts := range map[string]bool{"still": false, "shifts": true} {
		s := newService(t, "v2")
		s.routes["GET /svc/Orders"] = func(w http.ResponseWriter, r *http.Request) {
			skip, top, all := 0, 0, []string{"1", "2", "3", "4", "5"}
			_, _ = fmt.Sscan(r.URL.Query().Get("$skip"), &skip)
			_, _ = fmt.Sscan(r.URL.Query().Get("$top"), &top)
			if shifts && skip > 0 {
				all = all[1:]
			}
			var out []string
			for _, id := range all[min(skip, len(all)):min(skip+top, len(all))] {
				out = append(out, `{"Order":"`+id+`"}`)
			}
			fmt.Fprintf(w, `{"d":{"results":[%s]}}`, strings.Join(out, ","))
		}
		target := s.target(t, map[string]any{"pages": map[string]any{"by": "skip"}})
		target.Limits.PageSize = 2
		rows, err := collect(openTarget(t, target).Read(t.Context(), connectors.Read{Statement: step(t, "v2", `{"get":"Orders","columns":{"id":"Order"}}`)}))
		if shifts && (err == nil || !strings.Contains(err.Error(), "changed while it was read")) || !shifts && (err != nil || len(rows) != 5) {
			t.Errorf("%s: %v, %v", name, rows, err)
		}
	}
}

// TestRelated: related records of which the answer holds a page alone are read to their end.
func TestRelated(t *testing.T) {
	s := newService(t, "v4")
	s.answer("GET /svc/orders", http.StatusOK, `{"value":[{"ID":"00000000-0000-4000-8000-000000000001","lines":[{"line":2},{"line":1}],"lines@odata.nextLink":"orders(1)/lines?$skiptoken=a"}]}`)
	s.answer("GET /svc/orders(1)/lines", http.StatusOK, `{"value":[{"line":3}]}`)
	each := step(t, "v4", `{"get":"orders","each":"lines","columns":{"order":"^ID","line":"line"},"pages":{"by":"server"}}`)
	rows, err := collect(s.open(t, nil).Read(t.Context(), connectors.Read{Statement: each, OrderBy: []string{"order", "line"}}))
	if err != nil || len(rows) != 3 || rows[0]["line"] != int64(1) || rows[2]["line"] != int64(3) {
		t.Errorf("%v, %v", rows, err)
	}
	if line := s.requests("GET /svc/orders?")[0].line; line != "GET /svc/orders?$expand=lines($select=line)&$orderby=ID&$select=ID" {
		t.Errorf("asked %s", line)
	}
}

// TestNoList: what is no list is no empty list.
func TestNoList(t *testing.T) {
	for _, body := range []string{`{}`, `{"value":null}`, `[]`, ``, `{"value":[1]}`, `{"value":[],"error":{"code":"x","message":"y"}}`, `<html/>`} {
		s := newService(t, "v4")
		s.answer("GET /svc/orders", http.StatusOK, body)
		if rows, err := collect(s.open(t, nil).Read(t.Context(), connectors.Read{Statement: step(t, "v4", listV4)})); err == nil && body != `[]` {
			t.Errorf("%s: %v", body, rows)
		}
	}
}

// numbered answers the list of version 2 from its place on, as $skip and $top ask, in the order that it has. Of SAP, texts that are converted on their
// way out (ALPHA) are in the order of what is stored: 9 before 10.
func (s *service) numbered(records *[]string) {
	s.routes["GET /svc/Orders"] = func(w http.ResponseWriter, r *http.Request) {
		skip, top, all := 0, 0, *records
		_, _ = fmt.Sscan(r.URL.Query().Get("$skip"), &skip)
		_, _ = fmt.Sscan(r.URL.Query().Get("$top"), &top)
		page := all[min(skip, len(all)):min(skip+top, len(all))]
		fmt.Fprintf(w, `{"d":{"results":[%s]}}`, strings.Join(page, ","))
	}
}

// TestSkipPosition turns the pages of a reader who comes back for each, at a service whose order of texts is its own: no record is lost or comes
// twice, and where the position cannot be found for sure, the read fails.
func TestSkipPosition(t *testing.T) {
	orders := func(ids ...string) (out []string) {
		for _, id := range ids {
			day, number, _ := strings.Cut(id, "/")
			out = append(out, `{"Order":"`+number+`","Count":"`+day+`"}`)
		}
		return out
	}
	const gone, unordered = "is gone", "does not keep the order"
	for name, test := range map[string]struct {
		order  []string
		before []string // the records while the first page is read
		after  []string // from then on
		want   string   // all that the reader got, or why not
	}{
		"texts in the service's own order":     {[]string{"id"}, orders("1/8", "1/9", "1/10", "1/11"), nil, "8 9 10 11"},
		"the position is gone, of texts":       {[]string{"id"}, orders("1/8", "1/9", "1/10", "1/11"), orders("1/8", "1/10", "1/11"), gone},
		"the position is gone, at the end":     {[]string{"id"}, orders("1/8", "1/9"), orders("1/8"), gone},
		"equal numbers, texts behind them":     {[]string{"count", "id"}, orders("1/9", "2/9", "2/10", "10/1"), nil, "9 9 10 1"},
		"the position moved, nothing equals":   {[]string{"count", "id"}, orders("1/9", "2/9", "3/8", "10/1"), orders("1/9", "3/8", "10/1", "11/9"), "9 9 8 1 9"},
		"the position moved, something equals": {[]string{"count", "id"}, orders("1/9", "2/9", "2/10", "10/1"), orders("1/9", "2/10", "10/1", "11/9"), gone},
		"a number that came before":            {[]string{"count", "id"}, orders("1/9", "2/9", "3/8"), orders("0/7", "1/9", "2/9", "3/8"), "9 9 8"},
		"an order that is not kept":            {[]string{"count", "id"}, orders("2/9", "1/9", "3/8"), nil, unordered},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, "v2")
			records := test.before
			s.numbered(&records)
			conn := s.open(t, map[string]any{"pages": map[string]any{"by": "skip"}})
			list := step(t, "v2", `{"get":"Orders","columns":{"id":"Order","count":"Count"}}`)
			var got []string
			var after []any
			for {
				rows, err := collect(conn.Read(t.Context(), connectors.Read{Statement: list, OrderBy: test.order, After: after, Limit: 2}))
				if err != nil {
					if !strings.Contains(err.Error(), test.want) {
						t.Errorf("%v after %v; expected %s", err, got, test.want)
					}
					return
				}
				for _, row := range rows {
					got = append(got, row["id"].(string))
				}
				if len(rows) < 2 {
					break
				}
				after = nil
				for _, name := range test.order {
					after = append(after, rows[1][name])
				}
				if test.after != nil {
					records = test.after
				}
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("got %v, expected %s", got, test.want)
			}
		})
	}
}

// TestManyValues pages through a filter that takes more than one request, at a service that orders texts by their number. In an order that both sides
// know alike no record is lost; in one of texts all come in one page, and a second page is refused, since it would begin in the wrong place.
func TestManyValues(t *testing.T) {
	s := newService(t, "v2")
	wanted := regexp.MustCompile(`Order eq '(\d+)'`)
	beyond := regexp.MustCompile(`(?:Order|Count) gt '?(\d+)`)
	s.routes["GET /svc/Orders"] = func(w http.ResponseWriter, r *http.Request) {
		from, top := 0, 0
		filter := r.URL.Query().Get("$filter")
		if found := beyond.FindStringSubmatch(filter); found != nil {
			from, _ = strconv.Atoi(found[1])
		}
		_, _ = fmt.Sscan(r.URL.Query().Get("$top"), &top)
		var all []int
		for _, found := range wanted.FindAllStringSubmatch(filter, -1) {
			if n, _ := strconv.Atoi(found[1]); n > from {
				all = append(all, n)
			}
		}
		slices.Sort(all)
		var out []string
		for _, n := range all[:min(top, len(all))] {
			out = append(out, fmt.Sprintf(`{"Order":"%d","Count":"%d"}`, n, n))
		}
		fmt.Fprintf(w, `{"d":{"results":[%s]}}`, strings.Join(out, ","))
	}
	var values []any
	for i := range 60 {
		values = append(values, fmt.Sprint((i*7)%60+1))
	}
	conn := s.open(t, nil)
	read := func(order string, limit int) (int, error) {
		seen := map[any]bool{}
		var after []any
		for {
			rows, err := collect(conn.Read(t.Context(), connectors.Read{
				Statement: step(t, "v2", `{"get":"Orders","columns":{"id":"Order","count":"Count"}}`), OrderBy: []string{order}, After: after, Limit: limit,
				Filters: []connectors.Filter{{Column: "id", Op: connectors.Equal, Values: values}},
			}))
			for _, row := range rows {
				seen[row["id"]] = true
			}
			if err != nil || limit == 0 || len(rows) < limit {
				return len(seen), err
			}
			after = []any{rows[len(rows)-1][order]}
		}
	}
	for name, test := range map[string]struct {
		order string
		limit int
		want  string
	}{
		"by number, in pages": {"count", 7, ""}, "by text, at once": {"id", 0, ""}, "by text, in one page": {"id", 100, ""}, "by text, in pages": {"id", 7, "fewer values"},
	} {
		got, err := read(test.order, test.limit)
		if test.want == "" && (err != nil || got != 60) || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %d records, %v", name, got, err)
		}
	}
}
