package api

import (
	"context"
	"net/http"
	"strings"

	"gantry/relay/auth"
	"gantry/relay/openapi"
	"gantry/relay/store"
)

// routes are the operations of the API, each with what it promises: the OpenAPI document is made of them.
type routes struct {
	api *API
	all []route
}

type route struct {
	openapi.Operation
	handler http.Handler
}

// routesOf lists every operation, in the order of the documentation.
func routesOf(a *API) []route {
	r := &routes{api: a}
	r.ofSystems()
	r.ofSites()
	r.ofAgents()
	r.ofConnections()
	r.ofConnectionLife()
	r.ofOverlays()
	r.ofWebhooks()
	r.ofOrganisation()
	r.ofConnection()
	r.ofPassthrough()
	r.ofSyncs()
	r.ofEntities()
	r.ofDocumentation()
	return r.all
}

// patterns makes a mux of the routes. The more specific pattern wins: an entity is what is left.
func patterns(all []route) *http.ServeMux {
	m := http.NewServeMux()
	for _, r := range all {
		m.Handle(r.Method+" "+openapi.Base+r.Path, r.handler)
	}
	return m
}

// own adds an operation on the organisation's own things.
func (r *routes) own(pattern, id string, permission auth.Permission, serve ownAnswer, d openapi.Description) {
	r.add(pattern, id, organisation(permission), r.api.own(id, permission, serve), d)
}

// audited adds one that changes something or runs at a site.
func (r *routes) audited(pattern, id string, permission auth.Permission, serve ownAnswer, d openapi.Description) {
	r.add(pattern, id, organisation(permission), r.api.audited(id, permission, serve), d)
}

// data adds one on a connection's data.
func (r *routes) data(pattern, id string, serve dataAnswer, d openapi.Description) {
	permission := auth.ReadData
	if !strings.HasPrefix(pattern, http.MethodGet) {
		permission = auth.WriteData
	}
	caller := openapi.Caller{Kind: openapi.Connection, Roles: rolesWith(permission)}
	r.add(pattern, id, caller, r.api.data(id, serve), d)
}

// open adds one that needs no token.
func (r *routes) open(pattern, id string, serve answer, d openapi.Description) {
	r.add(pattern, id, openapi.Caller{}, handler(id, serve), d)
}

func (r *routes) add(pattern, id string, caller openapi.Caller, h http.Handler, d openapi.Description) {
	method, path, _ := strings.Cut(pattern, " ")
	r.all = append(r.all, route{openapi.Operation{Method: method, Path: path, ID: id, Caller: caller, Description: d}, h})
}

func organisation(permission auth.Permission) openapi.Caller {
	return openapi.Caller{Kind: openapi.Organisation, Roles: rolesWith(permission)}
}

// rolesWith lists the roles of keys that have a permission.
func rolesWith(permission auth.Permission) (roles []string) {
	for _, role := range store.Roles() {
		if (&auth.Principal{Role: role}).Allows(permission) {
			roles = append(roles, string(role))
		}
	}
	return roles
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
