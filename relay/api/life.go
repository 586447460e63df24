package api

import (
	"context"
	"net/http"
	"time"

	"gantry/relay/auth"
	"gantry/relay/store"
	"gantry/tunnel/fault"
)

// forgetTime is how long an answer waits for the agent's word that a login is erased, or rests.
const forgetTime = 10 * time.Second

// note tells the store who changes a connection's life.
func note(ctx context.Context, p *auth.Principal) store.Note {
	return store.Note{By: store.Actor{ID: p.TokenID, Name: p.Name, Role: p.Role}, RequestID: requestIDOf(ctx)}
}

// pause has a connection keep everything and make no call: what runs ends by the store's guard, what comes is refused, and
// the agent closes its login and leaves the system alone. A write that the agent has begun ends as it would have.
func (a *API) pause(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	return a.changeLife(ctx, w, r, p, func(id string) (store.Connection, error) {
		return a.store.PauseConnection(ctx, p.OrganisationID, id, note(ctx, p))
	})
}

// resume ends a pause.
func (a *API) resume(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	return a.changeLife(ctx, w, r, p, func(id string) (store.Connection, error) {
		return a.store.ResumeConnection(ctx, p.OrganisationID, id, note(ctx, p))
	})
}

// changeLife makes a change of which the agent is told.
func (a *API) changeLife(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal, change func(id string) (store.Connection, error)) error {
	if err := noBody(r); err != nil {
		return err
	}
	c, err := change(r.PathValue("id"))
	if err != nil {
		return a.stateOf(ctx, p, r.PathValue("id"), err)
	}
	about(w, ofConnection(c))
	told, cancel := context.WithTimeout(context.WithoutCancel(ctx), forgetTime)
	defer cancel()
	a.hub.Tell(told, c.AgentID)
	return reply(w, http.StatusOK, a.show(c))
}

// connectionToken carries a connection with its token, which is shown this once.
type connectionToken struct {
	Connection connectionDocument `json:"connection"`
	Token      string             `json:"token"`
}

// replaceToken makes a new token; the one before is dead at once, and its streams end.
func (a *API) replaceToken(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	if err := noBody(r); err != nil {
		return err
	}
	text, hash := auth.NewToken(auth.ConnectionToken)
	c, err := a.store.ReplaceToken(ctx, p.OrganisationID, r.PathValue("id"), hash, note(ctx, p))
	if err != nil {
		return a.stateOf(ctx, p, r.PathValue("id"), err)
	}
	about(w, ofConnection(c))
	return reply(w, http.StatusOK, connectionToken{a.show(c), text})
}

// stateOf says of a connection whose state does not allow something what it is.
func (a *API) stateOf(ctx context.Context, p *auth.Principal, id string, err error) error {
	c, look := a.store.Connection(ctx, p.OrganisationID, id)
	if look == nil && c.State == store.Disconnected {
		e := fault.New(fault.ConnectionDisconnected, "The connection was disconnected at %s.", c.DisconnectedAt.UTC().Format(time.RFC3339)).Because(err)
		e.ConnectionID = id
		return e
	}
	return err
}

// disconnect ends a connection: its token and its streams at once, by the store's guard; its secrets at the site now, or
// when the agent comes back.
func (a *API) disconnect(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	if err := noBody(r); err != nil {
		return err
	}
	c, err := a.store.Disconnect(ctx, p.OrganisationID, r.PathValue("id"), note(ctx, p))
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
