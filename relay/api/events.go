package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gantry/relay/auth"
	"gantry/relay/store"
)

// eventDocument is one event of a connection's log. Members that do not apply are left out.
type eventDocument struct {
	ID           string          `json:"id"`
	At           *time.Time      `json:"at"`
	Level        store.Level     `json:"level"`
	Kind         store.EventKind `json:"kind"`
	ConnectionID string          `json:"connection_id,omitempty"` // left out where it is the agent's event
	AgentID      string          `json:"agent_id,omitempty"`
	Entity       string          `json:"entity,omitempty"`
	Operation    string          `json:"operation,omitempty"`
	Code         string          `json:"code,omitempty"`       // of the failure
	RequestID    string          `json:"request_id,omitempty"` // finds the same call in the logs of relay and agent
	Message      string          `json:"message"`
	Data         json.RawMessage `json:"data,omitempty" openapi:"object"` // what the kind has beside: `from` and `to` of a state, `count` and `request_ids` of failures told together
}

func showEvent(e store.Event) eventDocument {
	return eventDocument{
		ID: e.ID, At: moment(e.At), Level: e.Level, Kind: e.Kind, ConnectionID: e.ConnectionID, AgentID: e.AgentID, Entity: e.Entity,
		Operation: e.Operation, Code: e.Code, RequestID: e.RequestID, Message: e.Message, Data: e.Data,
	}
}

// listEvents gives a connection's events, also those of one that was disconnected.
func (a *API) listEvents(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	c, err := a.store.Connection(ctx, p.OrganisationID, r.PathValue("id"))
	if err != nil {
		return err
	}
	return a.events(ctx, w, r, c)
}

// showEvents gives a connection's events to its own token.
func (a *API) showEvents(w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	return a.events(r.Context(), w, r, *p.Connection)
}

// events gives those after an id (`after`), which misses nothing that is kept for a reader who comes back with the last id
// that it has seen; or the newest (`last`); or, to whoever accepts a stream of events, both and what comes from now on.
func (a *API) events(ctx context.Context, w http.ResponseWriter, r *http.Request, c store.Connection) error {
	query, asked, err := page(r, "after", "last", "before", "level", "entity", "kind", "request_id")
	if err != nil {
		return err
	}
	last, err := beginning(query, &asked)
	if err != nil {
		return err
	}
	filter, err := eventFilter(query)
	if err != nil {
		return err
	}
	if accepts(r, eventStream) {
		if filter.Before != "" {
			return badParameter("before", "a stream leads on, not back: leave it out")
		}
		return a.follow(ctx, w, r, c, filter, asked.After, last)
	}
	var rows []store.Event
	if last > 0 {
		rows, err = a.store.LastEvents(ctx, c.OrganisationID, c.ID, filter, last)
		asked.Limit = largestPage + 1
	} else {
		rows, err = a.store.Events(ctx, c.OrganisationID, c.ID, filter, asked)
	}
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, paged(rows, asked, func(e store.Event) string { return e.ID }, showEvent))
}

// beginning finds where a list of events begins: behind an id, or with the last so many.
func beginning(query url.Values, asked *store.Page) (last int, err error) {
	after, newest := query.Get("after"), query.Get("last")
	if after != "" && (asked.After != "" || newest != "") || newest != "" && (asked.After != "" || query.Has("limit")) {
		return 0, badParameter("after", "one of after, cursor and last")
	}
	if after != "" {
		asked.After = after
	}
	if asked.After != "" && !isEvent(asked.After) {
		return 0, badParameter("after", "the id of an event")
	}
	if newest == "" {
		return 0, nil
	}
	if last, err = strconv.Atoi(newest); err != nil || last < 1 || last > largestPage {
		return 0, badParameter("last", "a number from 1 to %d", largestPage)
	}
	return last, nil
}

func isEvent(id string) bool { return strings.HasPrefix(id, string(store.EventID)+"_") && saneID(id) }

// kindName is the form of an event's kind, or of its first word.
var kindName = regexp.MustCompile(`^[a-z_]+(\.[a-z_]+)?$`)

func eventFilter(query url.Values) (store.EventFilter, error) {
	f := store.EventFilter{
		Level: store.Level(query.Get("level")), Entity: query.Get("entity"), Kind: store.EventKind(query.Get("kind")), RequestID: query.Get("request_id"),
		Before: query.Get("before"),
	}
	switch {
	case f.Level != "" && !slices.Contains(store.Levels(), f.Level):
		return f, badParameter("level", "info, warning or error")
	case f.Entity != "" && !entityName.MatchString(f.Entity):
		return f, badParameter("entity", "the name of an entity")
	case f.Kind != "" && !kindName.MatchString(string(f.Kind)):
		return f, badParameter("kind", "a kind of event, or its first word: `sync.failed`, `sync`")
	case f.Before != "" && (!query.Has("last") || !isEvent(f.Before)):
		return f, badParameter("before", "the id of an event, together with last")
	case f.RequestID != "" && !saneID(f.RequestID):
		return f, badParameter("request_id", "the id of a request")
	}
	return f, nil
}
