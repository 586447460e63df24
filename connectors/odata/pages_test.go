package odata_test

import (
	"fmt"
	"net/http"
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
