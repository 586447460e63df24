package dashboard

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// eventsShown is how many events one page shows.
const eventsShown = 50

// eventsPage is the log of a connection, the newest first, narrowed as support narrows it.
type eventsPage struct {
	Connection headed
	Level      string
	Entity     string
	Kind       string
	RequestID  string
	Before     string
	Events     []event
	Pager      pager
}

// Levels are the choices of the filter.
func (eventsPage) Levels() []string { return []string{"warning", "error"} }

// Kinds are the choices of the filter: what the first words of kinds say.
func (eventsPage) Kinds() []string { return []string{"call", "connection", "circuit", "sync", "agent"} }

// Narrowed tells whether events may be hidden by the filters.
func (p eventsPage) Narrowed() bool { return p.Level+p.Entity+p.Kind+p.RequestID+p.Before != "" }

func (v *visit) events() error {
	query := v.r.URL.Query()
	get := func(name string) string { return strings.TrimSpace(query.Get(name)) }
	p := eventsPage{Level: get("level"), Entity: get("entity"), Kind: get("kind"), RequestID: get("request_id"), Before: get("before")}
	var err error
	if p.Connection, err = v.head("events"); err != nil {
		return err
	}
	asked := filled("level", p.Level, "entity", p.Entity, "kind", p.Kind, "request_id", p.RequestID, "before", p.Before)
	asked.Set("last", strconv.Itoa(eventsShown+1)) // one more tells whether there are more
	var found list[event]
	if err := v.get("/connections/"+url.PathEscape(p.Connection.ID)+"/events?"+asked.Encode(), &found); err != nil {
		return err
	}
	next := ""
	if p.Events = newestFirst(found.Data, p.Connection); len(p.Events) > eventsShown {
		p.Events = p.Events[:eventsShown]
		next = p.Events[eventsShown-1].ID
	}
	p.Pager = v.pager("before", next)
	v.show(http.StatusOK, "events", p.Connection.Name+": events", p)
	return nil
}

// newestFirst turns a part of a connection's log round.
func newestFirst(log []event, about headed) []event {
	slices.Reverse(log)
	for n := range log {
		log[n].Path = about.Path()
	}
	return log
}

// Stream is the address at which the log goes on, as it is narrowed; "": the page shows what was.
func (p eventsPage) Stream() string {
	if p.Before != "" || p.Connection.State == "disconnected" {
		return ""
	}
	return p.Connection.Path() + "/events/stream?" + filled("level", p.Level, "entity", p.Entity, "kind", p.Kind, "request_id", p.RequestID).Encode()
}

// filled makes a query of those names (each followed by its value) that have a value.
func filled(pairs ...string) url.Values {
	query := url.Values{}
	for pair := range slices.Chunk(pairs, 2) {
		if pair[1] != "" {
			query.Set(pair[0], pair[1])
		}
	}
	return query
}
