package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"gantry/relay/auth"
	"gantry/relay/store"
	"gantry/tunnel/fault"
)

// connectionDocument is a connection as callers see it: never a secret.
type connectionDocument struct {
	ID             string          `json:"id"`
	Site           string          `json:"site"`
	Agent          string          `json:"agent"`
	System         string          `json:"system"`
	Name           string          `json:"name"`
	State          string          `json:"state"` // pending, active, agent_offline or disconnected
	Credits        int             `json:"credits"`
	Settings       json.RawMessage `json:"settings"`
	Metadata       json.RawMessage `json:"metadata"`
	CreatedAt      *time.Time      `json:"created_at"`
	ActivatedAt    *time.Time      `json:"activated_at"`
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
		CreatedAt: moment(c.CreatedAt), ActivatedAt: moment(c.ActivatedAt), DisconnectedAt: moment(c.DisconnectedAt),
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
	case "", string(store.Pending), string(store.Active), string(store.Disconnected):
	default:
		return badParameter("state", "pending, active, agent_offline or disconnected")
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

// showConnection serves the connection to its own token.
func (a *API) showConnection(w http.ResponseWriter, _ *http.Request, p *auth.Principal) error {
	return reply(w, http.StatusOK, a.show(*p.Connection))
}

// connectionToken carries a connection with its token, which is shown this once.
type connectionToken struct {
	Connection connectionDocument `json:"connection"`
	Token      string             `json:"token"`
}

func (a *API) replaceToken(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	if err := noBody(r); err != nil {
		return err
	}
	text, hash := auth.NewToken(auth.ConnectionToken)
	c, err := a.store.ReplaceToken(ctx, p.OrganisationID, r.PathValue("id"), hash)
	if err != nil {
		return a.stateOf(ctx, p, r.PathValue("id"), err)
	}
	about(w, ofConnection(c))
	return reply(w, http.StatusOK, connectionToken{a.show(c), text})
}

// stateOf says of a connection that is not active what it is.
func (a *API) stateOf(ctx context.Context, p *auth.Principal, id string, err error) error {
	c, look := a.store.Connection(ctx, p.OrganisationID, id)
	if look == nil && c.State == store.Disconnected {
		e := fault.New(fault.ConnectionDisconnected, "The connection was disconnected.").Because(err)
		e.ConnectionID = id
		return e
	}
	return err
}

// forgetTime is how long a disconnect waits for the agent's word that the login is erased.
const forgetTime = 10 * time.Second

// disconnect ends a connection: its token and its streams at once, by the store's guard; its secrets at the site now, or
// when the agent comes back.
func (a *API) disconnect(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	if err := noBody(r); err != nil {
		return err
	}
	c, err := a.store.Disconnect(ctx, p.OrganisationID, r.PathValue("id"))
	if err != nil {
		return err
	}
	about(w, ofConnection(c))
	a.forget(ctx, c)
	return reply(w, http.StatusOK, a.show(c))
}

// forget has the agent erase a connection, also when the caller is gone. A failure is made good by the next reconciliation.
func (a *API) forget(ctx context.Context, c store.Connection) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), forgetTime)
	defer cancel()
	if err := a.hub.Forget(ctx, c.AgentID, c.ID); err != nil {
		a.logger.WarnContext(ctx, "login not erased yet", "connection_id", c.ID, "agent_id", c.AgentID, "error", err)
	}
}
