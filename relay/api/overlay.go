package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"gantry/connectors/wire"
	"gantry/relay/auth"
)

// discovered serves what a connection's system has beyond its definition, as its agent finds it.
func (a *API) discovered(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	query := url.Values{}
	for name, values := range r.URL.Query() {
		if name != "entity" || len(values) != 1 || values[0] == "" {
			return badParameter(name, "entity, once")
		}
		query = url.Values{"entity": values}
	}
	return a.ofAgent(ctx, w, r, p, &call{method: http.MethodGet, path: wire.PathDiscovered, query: query, operation: "discover"})
}

// getOverlay serves the overlay that the agent keeps.
func (a *API) getOverlay(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	return a.ofAgent(ctx, w, r, p, &call{method: http.MethodGet, path: wire.PathOverlay, operation: "read overlay"})
}

// putOverlay hands an overlay through to the agent, which checks it: the relay keeps none.
func (a *API) putOverlay(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	body, err := a.readBody(w, r)
	if err != nil {
		return err
	}
	return a.ofAgent(ctx, w, r, p, &call{method: http.MethodPut, path: wire.PathOverlay, body: body, reads: true, operation: "change overlay"})
}

// deleteOverlay has the agent take the overlay away.
func (a *API) deleteOverlay(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	if err := noBody(r); err != nil {
		return err
	}
	return a.ofAgent(ctx, w, r, p, &call{method: http.MethodDelete, path: wire.PathOverlay, reads: true, operation: "delete overlay"})
}

// ofAgent makes a call on the connection that the path names, while it makes calls, and passes the agent's answer on.
func (a *API) ofAgent(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal, c *call) error {
	held, row, release, err := a.auth.Hold(ctx, p.OrganisationID, r.PathValue("id"))
	if err != nil {
		return err
	}
	defer release()
	about(w, ofConnection(row))
	c.connection, c.path = row, strings.Replace(c.path, "{c}", url.PathEscape(row.ID), 1)
	return a.unary(w, r.WithContext(held), c)
}
