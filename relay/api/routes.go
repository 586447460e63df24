package api

import (
	"context"
	"net/http"

	"gantry/relay/auth"
)

// routes lists every path of the API. The more specific pattern wins: an entity is what is left.
func (a *API) routes() *http.ServeMux {
	m := http.NewServeMux()
	own := func(pattern, operation string, permission auth.Permission, serve ownAnswer) {
		m.Handle(pattern, a.own(operation, permission, serve))
	}
	audited := func(pattern, operation string, permission auth.Permission, serve ownAnswer) {
		m.Handle(pattern, a.audited(operation, permission, serve))
	}
	own("GET /api/v1/systems", "systems.list", auth.View, a.listSystems)
	own("GET /api/v1/systems/{system}", "systems.get", auth.View, a.getSystem)
	audited("POST /api/v1/sites", "sites.create", auth.Manage, a.createSite)
	own("GET /api/v1/sites", "sites.list", auth.View, a.listSites)
	own("GET /api/v1/sites/{id}", "sites.get", auth.View, a.getSite)
	audited("DELETE /api/v1/sites/{id}", "sites.delete", auth.Manage, a.deleteSite)
	audited("POST /api/v1/sites/{id}/enrolment-tokens", "enrolment_tokens.create", auth.Manage, a.createEnrolmentToken)
	audited("DELETE /api/v1/sites/{id}/agents/{agent}", "agents.delete", auth.Manage, a.deleteAgent)
	audited("POST /api/v1/connections", "connections.create", auth.Manage, a.createConnection)
	own("GET /api/v1/connections", "connections.list", auth.View, a.listConnections)
	own("GET /api/v1/connections/{id}", "connections.get", auth.View, a.getConnection)
	audited("POST /api/v1/connections/{id}/token", "connections.token", auth.Manage, a.replaceToken)
	audited("POST /api/v1/connections/{id}/disconnect", "connections.disconnect", auth.Manage, a.disconnect)
	audited("POST /api/v1/connections/{id}/diagnose", "connections.diagnose", auth.Diagnose, a.diagnoseConnection)
	audited("POST /api/v1/sites/{id}/agents/{agent}/diagnose", "agents.diagnose", auth.Diagnose, a.diagnoseAgent)
	audited("POST /api/v1/sites/{id}/agents/{agent}/bundle", "agents.bundle", auth.Diagnose, a.bundle)
	audited("GET /api/v1/sites/{id}/agents/{agent}/logs", "agents.logs", auth.Diagnose, a.logs)
	own("GET /api/v1/credits", "credits.get", auth.View, a.getCredits)
	own("GET /api/v1/keys", "keys.list", auth.Manage, a.listKeys)
	audited("POST /api/v1/keys", "keys.create", auth.Manage, a.createKey)
	audited("DELETE /api/v1/keys/{id}", "keys.delete", auth.Manage, a.deleteKey)

	own("GET /api/v1/audit", "audit.list", auth.Manage, a.listAudit)

	data := func(pattern, operation string, serve dataAnswer) {
		m.Handle(pattern, a.data(operation, serve))
	}
	data("GET /api/v1/connection", "connection.get", a.showConnection)
	data("GET /api/v1/connection/capabilities", "connection.capabilities", a.capabilities)
	for _, base := range []string{"/api/v1/", "/api/v1/entities/"} {
		data("GET "+base+"{entity}", opList, a.entity(opList))
		data("POST "+base+"{entity}", opCreate, a.entity(opCreate))
		data("GET "+base+"{entity}/{id}", opGet, a.entity(opGet))
		data("PATCH "+base+"{entity}/{id}", opUpdate, a.entity(opUpdate))
		data("DELETE "+base+"{entity}/{id}", opDelete, a.entity(opDelete))
		data("POST "+base+"{entity}/{id}/actions/{action}", opAction, a.entity(opAction))
	}
	return m
}

// ownAnswer serves the organisation's own things.
type ownAnswer func(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error

// dataAnswer serves one connection's data.
type dataAnswer func(w http.ResponseWriter, r *http.Request, p *auth.Principal) error

// handler adapts an answer to http.Handler: the failure goes to the visit, which ServeHTTP finishes.
func handler(operation string, serve answer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := w.(*visit)
		v.operation = operation
		v.err = serve(v, r)
	})
}
