package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"gantry/connectors/wire"
	"gantry/relay/auth"
	"gantry/tunnel/fault"
)

// systemDocument is one product that can be connected.
type systemDocument struct {
	Name string `json:"name"`
	wire.System
}

func showSystem(s wire.System) systemDocument { return systemDocument{s.Product, s} }

func (a *API) listSystems(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	query, err := parameters(r, "site")
	if err != nil {
		return err
	}
	systems, err := a.systemsOf(ctx, p.OrganisationID, query.Get("site"))
	if err != nil {
		return err
	}
	envelope := list[systemDocument]{Data: make([]systemDocument, len(systems))}
	for i, s := range systems {
		envelope.Data[i] = showSystem(s)
	}
	return reply(w, http.StatusOK, envelope)
}

func (a *API) getSystem(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	query, err := parameters(r, "site")
	if err != nil {
		return err
	}
	system, err := a.system(ctx, p.OrganisationID, query.Get("site"), r.PathValue("system"))
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, showSystem(system))
}

// system finds one system that a site can connect; without a site, one that the relay knows.
func (a *API) system(ctx context.Context, organisation, site, id string) (wire.System, error) {
	systems, err := a.systemsOf(ctx, organisation, site)
	if err != nil {
		return wire.System{}, err
	}
	at := slices.IndexFunc(systems, func(s wire.System) bool { return s.ID == id })
	if at < 0 {
		return wire.System{}, fault.New(fault.NotFound, "There is no such system.").Reaches(fault.ScopeOperation).
			Advise("See GET /systems for what can be connected.")
	}
	return systems[at], nil
}

// systemsOf lists what a site's agents published, the latest word first; the relay's own catalogue holds where they
// published nothing.
func (a *API) systemsOf(ctx context.Context, organisation, site string) ([]wire.System, error) {
	if site == "" {
		return a.systems, nil
	}
	if _, err := a.store.Site(ctx, organisation, site); err != nil {
		return nil, err
	}
	published, err := a.store.Catalogues(ctx, organisation, site)
	if err != nil {
		return nil, err
	}
	if len(published) == 0 {
		return a.systems, nil
	}
	var systems []wire.System
	for _, row := range published {
		var catalogue wire.Catalogue
		if err := json.Unmarshal(row.Data, &catalogue); err != nil {
			return nil, fmt.Errorf("read catalogue of agent %s: %w", row.AgentID, err)
		}
		for _, s := range catalogue.Systems {
			if !slices.ContainsFunc(systems, func(have wire.System) bool { return have.ID == s.ID }) {
				systems = append(systems, s)
			}
		}
	}
	return systems, nil
}
