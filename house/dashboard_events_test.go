package house

import (
	"bufio"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestDashboardEvents narrows a connection's log as support does, and pages back through it.
func TestDashboardEvents(t *testing.T) {
	t.Parallel()
	d := connected(t)
	b := newBrowser(t, d.plant)
	b.post("/sign-in", url.Values{"key": {d.admin.Token}}, http.StatusOK)
	here := "/connections/" + d.id
	for range 51 { // one event each, and one entry of the audit
		d.must(http.MethodPost, here+"/pause", nil, 200, nil)
		d.must(http.MethodPost, here+"/resume", nil, 200, nil)
	}
	var failed struct {
		RequestID string `json:"request_id"`
	}
	d.expect(d.client, http.MethodGet, "/work-orders?colour=blue", nil, 400, &failed)
	page := b.get(here+"/events", http.StatusOK)
	b.shows(page, "connection.resumed", ">Older<", `aria-current="page">Events`)
	for pages := 1; !strings.Contains(page, "where the log begins"); pages++ {
		_, older, more := strings.Cut(page, `href="`+here+`/events?before=`)
		older, _, _ = strings.Cut(older, `"`)
		if page = b.get(here+"/events?before="+older, http.StatusOK); !more || pages > 10 {
			t.Fatalf("no page is the last:\n%s", page)
		}
	}
	b.shows(page, "connection.created", ">Newest<")
	b.shows(b.get(here+"/events?kind=agent", http.StatusOK), "No event is like that")
	_, before, more := strings.Cut(b.get("/audit", http.StatusOK), `href="/audit?before=`)
	if before, _, _ = strings.Cut(before, `"`); !more {
		t.Fatal("the audit's first page leads to no older one")
	}
	b.shows(b.get("/audit?before="+before, http.StatusOK), "sites.create", ">Newest<", here)
	narrowed := b.open(http.MethodGet, here+"/events/stream?kind=connection.resumed", "text/event-stream", nil)
	if first := rows(t, bufio.NewScanner(narrowed.Body)); !strings.Contains(first.data, "connection.resumed") || !strings.Contains(first.data, here) {
		t.Errorf("the narrowed log begins with %+v", first)
	}
	eventually(t, time.Minute, "the failed call is in the log", func() error {
		if page := b.get(here+"/events?request_id="+failed.RequestID, http.StatusOK); !strings.Contains(page, "parameters that cannot be used") {
			return errors.New("it is not")
		}
		return nil
	})
	b.shows(b.get(here+"/events?request_id=req_0&level=error", http.StatusOK), "gantry-agent logs --request-id req_0")
	b.shows(b.get(here+"/events?level=nonsense", http.StatusBadRequest), "INVALID_REQUEST")
}
