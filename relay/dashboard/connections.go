package dashboard

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"gantry/tunnel/fault"
)

// listed is how many connections one page shows.
const listed = 50

// connectionsPage is the first page: what needs attention first.
type connectionsPage struct {
	Search, State, System, Site string

	Sorted sorting
	Counts connectionCounts
	States []stateCount
	Shown  []connection
	Pager  pager
	Sites  bool // there is one; asked only where nothing is connected
}

type stateCount struct {
	State string
	Count int
	Path  string
}

// Narrowed tells whether connections may be hidden.
func (p connectionsPage) Narrowed() bool { return p.Search+p.State+p.System+p.Site != "" }

// Current is how many there are in any state, of those that the other filters let through, without those that ended.
func (p connectionsPage) Current() (n int) {
	for state, count := range p.Counts.States {
		if state != "disconnected" {
			n += count
		}
	}
	return n
}

// With gives the address of the list in another state.
func (p connectionsPage) With(state string) string {
	query := filled("q", p.Search, "system", p.System, "site", p.Site, "state", state)
	if p.Sorted.order != p.Sorted.first {
		query.Set("order", p.Sorted.order)
	}
	return "/?" + query.Encode()
}

func (v *visit) connections() error {
	query := v.r.URL.Query()
	p := connectionsPage{
		Search: strings.TrimSpace(query.Get("q")), State: query.Get("state"), System: query.Get("system"), Site: query.Get("site"),
		Sorted: v.sorting("urgency"),
	}
	asked := filled("q", p.Search, "system", p.System, "site", p.Site, "cursor", query.Get("cursor"), "order", p.Sorted.order)
	asked.Set("state", cmp.Or(p.State, "current"))
	asked.Set("include", "counts")
	asked.Set("limit", strconv.Itoa(listed))
	var found struct {
		list[connection]
		Counts connectionCounts `json:"counts"`
	}
	if err := v.get("/connections?"+asked.Encode(), &found); err != nil {
		return err
	}
	p.Shown, p.Counts, p.Pager = found.Data, found.Counts, v.pager("cursor", after(found.Next))
	for state, n := range p.Counts.States {
		p.States = append(p.States, stateCount{state, n, p.With(state)})
	}
	slices.SortFunc(p.States, func(a, b stateCount) int { return cmp.Compare(urgency(a.State), urgency(b.State)) })
	if p.Counts.Total == 0 {
		var sites list[site]
		if err := v.get("/sites?limit=1", &sites); err != nil {
			return err
		}
		p.Sites = len(sites.Data) > 0
	}
	v.show(http.StatusOK, "connections", "Connections", p)
	return nil
}

// urgency orders states as the API does: what needs attention comes first.
func urgency(state string) int {
	order := []string{"reauth_required", "system_offline", "agent_offline", "degraded", "throttled", "pending", "active", "paused", "disconnected"}
	if i := slices.Index(order, state); i >= 0 {
		return i
	}
	return len(order)
}

// everything reads a list page by page.
func everything[T any](c caller, path string) ([]T, error) {
	var all []T
	for cursor := ""; ; {
		var page list[T]
		if err := c.get(path+"?limit=500"+cursor, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Data...)
		if page.Next == nil {
			return all, nil
		}
		cursor = "&cursor=" + url.QueryEscape(*page.Next)
	}
}

// connectionPage is all about one.
type connectionPage struct {
	Connection headed
	Status     status
	Events     []event
	Ended      bool
}

// Stream is the address at which the log goes on; "": it does not.
func (p connectionPage) Stream() string {
	if p.Ended {
		return ""
	}
	return p.Connection.Path() + "/events/stream"
}

// Stale tells whether nothing works now, so that what did is what was.
func (p connectionPage) Stale() bool { return tone(p.Status.State) == bad || p.Ended }

func (v *visit) connection() error {
	id := url.PathEscape(v.r.PathValue("id"))
	var p connectionPage
	var err error
	if p.Connection, err = v.head(""); err != nil {
		return err
	}
	if err := v.get("/connections/"+id+"/status", &p.Status); err != nil {
		return err
	}
	var events list[event]
	if err := v.get("/connections/"+id+"/events?last=50", &events); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	p.Events, p.Ended = newestFirst(events.Data, p.Connection), p.Connection.State == "disconnected"
	v.show(http.StatusOK, "connection", p.Connection.Name, p)
	return nil
}

// deeds are what a person can do with a connection from its page.
var deeds = map[string]string{"pause": "/pause", "resume": "/resume", "disconnect": "/disconnect", "token": "/token", "reset": "/circuits/reset"}

// change does one of them. What is for ever is confirmed by typing the connection's name.
func (v *visit) change() error {
	deed := v.r.PathValue("deed")
	path, known := deeds[deed]
	if !known {
		return fault.New(fault.NotFound, "There is no such thing to do.")
	}
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, 4<<10)
	id := url.PathEscape(v.r.PathValue("id"))
	if deed == "disconnect" {
		if sure, err := v.confirmed(); err != nil || !sure {
			return err
		}
	}
	var made newConnection
	if err := v.call(http.MethodPost, "/connections/"+id+path, nil, &made); err != nil {
		return err
	}
	if deed == "token" { // it is shown only now, so there is no page to go back to
		v.show(http.StatusOK, "token", made.Connection.Name, v.tokenPage(made, false))
		return nil
	}
	http.Redirect(v.w, v.r, "/connections/"+id, http.StatusSeeOther)
	return nil
}
