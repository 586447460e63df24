package house

import (
	"net/http"
	"net/url"
	"testing"
)

// TestConsole reads the plant's data from the pages, meets a refusal of the plant's policy, and looks at what may be done.
func TestConsole(t *testing.T) {
	t.Parallel()
	d := connected(t)
	b := newBrowser(t, d.plant)
	b.post("/sign-in", url.Values{"key": {d.admin.Token}}, http.StatusOK)
	here := "/connections/" + d.id
	console := func(query string) string { return b.get(here+"/console?"+query, http.StatusOK) }

	b.shows(console(""), "Nothing was read yet", "purchase-orders", `aria-current="page">Try it`)
	list := console("entity=purchase-orders&run=list&limit=5&f.status=approved")
	b.shows(list, "200 OK", " ms", "req_", "PO-4", "Next page", `curl -H &#34;Authorization: Bearer $GANTRY_TOKEN&#34;`,
		"/api/v1/entities/purchase-orders?limit=5&amp;status=approved", "entity=vendors&amp;id=", "&#34;has_more&#34;: true")
	b.shows(console("entity=vendors&run=get&id=7"), "200 OK", `<th scope="row">name</th>`, "/api/v1/entities/vendors/7")
	b.shows(console("entity=sites&run=list"), "200 OK") // not the organisation's own
	b.shows(console("entity=vendors&run=get&id=0"), "404 Not Found", "NOT_FOUND", "This record alone", "failed here", "What to do")
	b.shows(console("entity=vendors&run=list&source=copy"), "404 Not Found", "not synced", "PUT /syncs/")
	b.shows(console("entity=vendors&run=list&limit=1000&f.name=Nobody"), "No record is like that", "limit=10&")

	d.deny(t, "operation", "vendors:list")
	d.deny(t, "field", "vendors.tax_id")
	b.shows(console("entity=vendors&run=list"), "403 Forbidden", "POLICY_DENIED", "plant&#39;s own policy said no", "gantry-agent policy allow operation vendors:list")
	page := b.get(here+"/capabilities?entity=vendors", http.StatusOK)
	b.shows(page, "policy", "denied by the plant&#39;s policy", "<pre data-copy>gantry-agent policy allow operation vendors:list</pre>", "not offered by the system", "tax_id")
	b.shows(b.get(here+"/capabilities?entity=purchase-orders", http.StatusOK), "required", "lines.", "approve", "Rules of the system")

	d.agent.stop()
	d.awaitAgent("offline")
	b.shows(b.get(here+"/capabilities", http.StatusOK), "cannot be asked now", "AGENT_OFFLINE", "Everything at this site")
	b.shows(console("entity=vendors&run=list"), "cannot be asked now", "AGENT_OFFLINE")
}
