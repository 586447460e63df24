package house

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestDashboardSyncs begins a sync, waits for its first run, runs it by hand, switches it off and on, and reads its runs.
func TestDashboardSyncs(t *testing.T) {
	t.Parallel()
	d := connected(t)
	b := newBrowser(t, d.plant)
	b.post("/sign-in", url.Values{"key": {d.admin.Token}}, http.StatusOK)
	here := "/connections/" + d.id + "/syncs"
	b.shows(b.get(here, http.StatusOK), "Nothing is synced yet", "<option>vendors</option>")
	b.shows(b.post(here, url.Values{"entity": {"vendors"}, "every": {"15m"}, "since": {"yesterday"}}, http.StatusBadRequest), "2026-01-31")
	b.shows(b.post(here, url.Values{"entity": {"vendors"}, "every": {"15m"}, "since": {"2001-02-03"}}, http.StatusOK), "every 15m, since 2001-02-03", "Runs of vendors")

	settled := func(words ...string) (page string) {
		eventually(t, time.Minute, "the page shows the run", func() error {
			page = b.get(here, http.StatusOK)
			for _, word := range words {
				if !strings.Contains(page, word) || strings.Contains(page, "data-watch") {
					return errors.New("it is under way")
				}
			}
			return nil
		})
		return page
	}
	b.shows(settled("ended well"), "idle", "full", "source=copy")
	b.post(here+"/vendors/run", nil, http.StatusOK)
	b.shows(settled("by hand"), "ended well")
	b.shows(b.post(here+"/vendors/disable", nil, http.StatusOK), "/vendors/enable", "every 15m, since 2001-02-03")
	b.shows(b.post(here+"/vendors/enable", nil, http.StatusOK), "/vendors/disable")
	b.post(here+"/vendors/full", nil, http.StatusOK)
	b.post(here+"/vendors/eat", nil, http.StatusNotFound)
	b.shows(b.get("/connections/"+d.id+"/console?entity=vendors&run=list&source=copy", http.StatusOK), "200 OK", "/api/v1/records/vendors")

	d.deny(t, "operation", "vendors:list")
	b.post(here+"/vendors/full", nil, http.StatusOK)
	failing := settled("failing", "POLICY_DENIED")
	b.shows(failing, "gantry-agent policy allow operation vendors:list", "/events?request_id=req_")
}
