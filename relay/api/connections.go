package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"gantry/relay/auth"
	"gantry/relay/status"
	"gantry/relay/store"
)

// connectionDocument is a connection as callers see it: never a secret.
type connectionDocument struct {
	ID             string          `json:"id"`
	Site           string          `json:"site"`
	SiteName       string          `json:"site_name"`
	Agent          string          `json:"agent"`
	System         string          `json:"system"`
	SystemName     string          `json:"system_name"`
	Name           string          `json:"name"`
	State          status.State    `json:"state"` // as of now: the one that its status document shows
	StateSince     *time.Time      `json:"state_since"`
	StateMessage   string          `json:"state_message"` // what it is and what to do, for people
	Credits        int             `json:"credits"`
	Settings       json.RawMessage `json:"settings" openapi:"object"`
	Metadata       json.RawMessage `json:"metadata" openapi:"object"`
	CreatedAt      *time.Time      `json:"created_at"`
	ActivatedAt    *time.Time      `json:"activated_at"`
	PausedAt       *time.Time      `json:"paused_at"`
	DisconnectedAt *time.Time      `json:"disconnected_at"`
}

func (a *API) show(c store.Connection) connectionDocument {
	now := a.status.Standing(c)
	return connectionDocument{
		ID: c.ID, Site: c.SiteID, SiteName: c.SiteName, Agent: c.AgentID, System: c.System, SystemName: c.SystemName, Name: c.Name,
		State: now.State, StateSince: moment(now.Since), StateMessage: now.Message, Credits: c.Tier,
		Settings: orEmpty(c.Settings), Metadata: orEmpty(c.Metadata),
		CreatedAt: moment(c.CreatedAt), ActivatedAt: moment(c.ActivatedAt), PausedAt: moment(c.PausedAt),
		DisconnectedAt: moment(c.DisconnectedAt),
	}
}

func orEmpty(object json.RawMessage) json.RawMessage {
	if len(object) == 0 {
		return json.RawMessage("{}")
	}
	return object
}

// connectionPage is a page of connections, with their numbers where they are asked for.
type connectionPage struct {
	list[connectionDocument]
	Counts *connectionCounts `json:"counts,omitempty"` // with `include=counts`
}

func (a *API) listConnections(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	query, limit, err := sized(r, "site", "system", "state", "q", "order", "include")
	if err != nil {
		return err
	}
	wanted, err := connectionsWanted(query, limit)
	if err != nil {
		return err
	}
	if wanted.surveys() {
		answer, err := a.survey(ctx, p.OrganisationID, wanted)
		if err != nil {
			return err
		}
		return reply(w, http.StatusOK, answer)
	}
	asked, err := wanted.page(query.Get("cursor"))
	if err != nil {
		return err
	}
	rows, err := a.inState(ctx, p.OrganisationID, wanted.filter, wanted.state, asked)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, connectionPage{list: paged(rows, asked, func(c store.Connection) string { return c.ID }, a.show)})
}

// inState finds the connections of a page that are in a state now. The store knows where a connection's life stands, and
// nothing beyond: of those that are alive, all are looked at.
func (a *API) inState(ctx context.Context, organisation string, filter store.ConnectionFilter, wanted status.State, asked store.Page) ([]store.Connection, error) {
	switch wanted {
	case "":
		return a.store.Connections(ctx, organisation, filter, asked)
	case status.Pending, status.Paused, status.Disconnected:
		filter.State = store.State(wanted)
	default:
		filter.State = store.Active
	}
	var found []store.Connection
	for next := (store.Page{After: asked.After}); ; {
		rows, err := a.store.Connections(ctx, organisation, filter, next)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if a.status.State(row) == wanted {
				found = append(found, row)
			}
		}
		if len(rows) < next.Size() || len(found) >= asked.Limit {
			return found[:min(len(found), asked.Limit)], nil
		}
		next.After = rows[len(rows)-1].ID
	}
}

func (a *API) getConnection(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	c, err := a.store.Connection(ctx, p.OrganisationID, r.PathValue("id"))
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, a.show(c))
}

// showConnection serves the connection to its own token. What the token was looked up with may be from before a pause.
func (a *API) showConnection(w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	c, err := a.store.Connection(r.Context(), p.OrganisationID, p.Connection.ID)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, a.show(c))
}
