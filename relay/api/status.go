package api

import (
	"context"
	"net/http"
	"strings"

	"gantry/connectors/wire"
	"gantry/relay/auth"
	"gantry/relay/hub"
	"gantry/relay/store"
)

func (a *API) getStatus(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	c, err := a.store.Connection(ctx, p.OrganisationID, r.PathValue("id"))
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, a.status.Status(c))
}

// showStatus serves the status to the connection's own token.
func (a *API) showStatus(w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	c, err := a.store.Connection(r.Context(), p.OrganisationID, p.Connection.ID) // the principal's may be older than a pause
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, a.status.Status(c))
}

// resetCircuits has the agent let calls pass again.
func (a *API) resetCircuits(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	if err := noBody(r); err != nil {
		return err
	}
	row, err := a.store.Connection(ctx, p.OrganisationID, r.PathValue("id"))
	if err != nil {
		return err
	}
	about(w, ofConnection(row))
	switch {
	case row.State == store.Pending:
		return store.ErrNotFound
	case !row.Live():
		return a.stateOf(ctx, p, row.ID, store.ErrState)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, a.limits.CallTimeout, errTimeout)
	defer cancel()
	c := &call{connection: row, method: http.MethodPost, path: strings.Replace(wire.PathResetCircuits, "{c}", row.ID, 1), operation: "reset circuits"}
	response, err := a.send(ctx, hub.Calls, c, a.limits.CallTimeout-budgetMargin)
	if err != nil {
		return err
	}
	defer closeBody(response)
	if response.StatusCode != http.StatusNoContent {
		return a.complete(strange(c, "status %d", response.StatusCode), c)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
