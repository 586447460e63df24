package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"gantry/relay/auth"
	"gantry/relay/store"
)

// connectionDocument is a connection as callers see it: never a secret.
type connectionDocument struct {
	ID             string          `json:"id"`
	Site           string          `json:"site"`
	Agent          string          `json:"agent"`
	System         string          `json:"system"`
	Name           string          `json:"name"`
	State          string          `json:"state"` // pending, active, paused, agent_offline or disconnected
	Credits        int             `json:"credits"`
	Settings       json.RawMessage `json:"settings"`
	Metadata       json.RawMessage `json:"metadata"`
	CreatedAt      *time.Time      `json:"created_at"`
	ActivatedAt    *time.Time      `json:"activated_at"`
	PausedAt       *time.Time      `json:"paused_at"`
	DisconnectedAt *time.Time      `json:"disconnected_at"`
}

// agentOffline is the state of an active connection whose agent is not proved to be there.
const agentOffline = "agent_offline"

func (a *API) show(c store.Connection) connectionDocument {
	state := string(c.State)
	if c.State == store.Active && !a.hub.Presence(c.AgentID).Connected {
		state = agentOffline
	}
	return connectionDocument{
		ID: c.ID, Site: c.SiteID, Agent: c.AgentID, System: c.System, Name: c.Name, State: state, Credits: c.Tier,
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

// listConnections filters by the state that is shown. A page can hold fewer than `limit`; `has_more` tells the end.
func (a *API) listConnections(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	query, asked, err := page(r, "site", "state")
	if err != nil {
		return err
	}
	filter := store.ConnectionFilter{SiteID: query.Get("site"), State: store.State(query.Get("state"))}
	wanted := string(filter.State)
	switch wanted {
	case agentOffline:
		filter.State = store.Active
	case "", string(store.Pending), string(store.Active), string(store.Paused), string(store.Disconnected):
	default:
		return badParameter("state", "pending, active, paused, agent_offline or disconnected")
	}
	rows, err := a.store.Connections(ctx, p.OrganisationID, filter, asked)
	if err != nil {
		return err
	}
	envelope := paged(rows, asked, func(c store.Connection) string { return c.ID }, a.show)
	kept := envelope.Data[:0]
	for _, c := range envelope.Data {
		if wanted == "" || c.State == wanted {
			kept = append(kept, c)
		}
	}
	envelope.Data = kept
	return reply(w, http.StatusOK, envelope)
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
