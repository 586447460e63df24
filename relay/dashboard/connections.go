package dashboard

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"gantry/tunnel/fault"
)

// maxListed is how many connections one page shows; a search narrows them.
const maxListed = 200

// connectionsPage is the first page: what needs attention first.
type connectionsPage struct {
	Search, State string
	States        []stateCount
	Shown         []connection
	Total         int
	Sites         int
}

type stateCount struct {
	State string
	Count int
}

func (v *visit) connections() error {
	places, err := v.places()
	if err != nil {
		return err
	}
	all, err := everything[connection](v.caller, "/connections")
	if err != nil {
		return err
	}
	query := v.r.URL.Query()
	p := connectionsPage{Search: strings.TrimSpace(query.Get("q")), State: query.Get("state"), Total: len(all), Sites: len(places)}
	counts := map[string]int{}
	for _, c := range all {
		counts[c.State]++
		c.Place = cmp.Or(places[c.Site], c.Site)
		if p.wants(c) {
			p.Shown = append(p.Shown, c)
		}
	}
	slices.SortStableFunc(p.Shown, func(a, b connection) int {
		return cmp.Or(cmp.Compare(urgency(a.State), urgency(b.State)), cmp.Compare(a.Name, b.Name))
	})
	p.Shown = p.Shown[:min(len(p.Shown), maxListed)]
	for state, n := range counts {
		p.States = append(p.States, stateCount{state, n})
	}
	slices.SortFunc(p.States, func(a, b stateCount) int { return cmp.Compare(urgency(a.State), urgency(b.State)) })
	v.show(http.StatusOK, "connections", "Connections", p)
	return nil
}

// wants tells whether the search and the state let a connection through. Those that ended are shown when they are asked for.
func (p connectionsPage) wants(c connection) bool {
	if p.State != "" && c.State != p.State || p.State == "" && c.State == "disconnected" {
		return false
	}
	text := strings.ToLower(c.Name + " " + c.System + " " + c.Place + " " + c.ID)
	return strings.Contains(text, strings.ToLower(p.Search))
}

// urgency orders states: what needs attention comes first.
func urgency(state string) int {
	order := []string{"reauth_required", "system_offline", "agent_offline", "degraded", "throttled", "pending", "active", "paused", "disconnected"}
	if i := slices.Index(order, state); i >= 0 {
		return i
	}
	return len(order)
}

// places gives the sites' names by id.
func (v *visit) places() (map[string]string, error) {
	all, err := everything[site](v.caller, "/sites")
	names := map[string]string{}
	for _, s := range all {
		names[s.ID] = s.Name
	}
	return names, err
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
	Token      string // that was just made; "": none
	Ended      bool
}

func (v *visit) connection() error { return v.showConnection("") }

// showConnection shows the page, with a token that was just made.
func (v *visit) showConnection(token string) error {
	id := url.PathEscape(v.r.PathValue("id"))
	p := connectionPage{Token: token}
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
	slices.Reverse(events.Data) // the newest first
	p.Events, p.Ended = events.Data, p.Connection.State == "disconnected"
	p.Connection.Place = v.place(p.Connection.Site)
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
		var c connection
		if err := v.get("/connections/"+id, &c); err != nil {
			return err
		}
		if v.r.PostFormValue("name") != c.Name {
			return fault.New(fault.InvalidRequest, "The name that was typed is not the connection's: nothing was disconnected.").
				Advise("Type %q to confirm.", c.Name)
		}
	}
	var made struct{ Token string }
	if err := v.call(http.MethodPost, "/connections/"+id+path, nil, &made); err != nil {
		return err
	}
	if deed == "token" { // it is shown only now, so there is no page to go back to
		return v.showConnection(made.Token)
	}
	http.Redirect(v.w, v.r, "/connections/"+id, http.StatusSeeOther)
	return nil
}
