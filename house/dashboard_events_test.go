package house

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestDashboardEvents narrows a connection's log as support does, and pages back through it.
func TestDashboardEvents(t *testing.T) {
	d := connected(t)
	b := newBrowser(t, d.plant)
	b.post("/sign-in", url.Values{"key": {d.admin.Token}}, http.StatusOK)
	here := "/connections/" + d.id
	for range 26 { // one event each
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
	eventually(t, time.Minute, "the failed call is in the log", func() error {
		if page := b.get(here+"/events?request_id="+failed.RequestID, http.StatusOK); !strings.Contains(page, "parameters that cannot be used") {
			return errors.New("it is not")
		}
		return nil
	})
	b.shows(b.get(here+"/events?request_id=req_0&level=error", http.StatusOK), "gantry-agent logs --request-id req_0")
	b.shows(b.get(here+"/events?level=nonsense", http.StatusBadRequest), "INVALID_REQUEST")
}
