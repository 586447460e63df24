package api

import (
	"context"
	"net/http"

	"gantry/relay/auth"
)

// creditsDocument is the state of an organisation's pool.
type creditsDocument struct {
	Total        int                 `json:"total"`
	Used         int                 `json:"used"`
	Available    int                 `json:"available"`
	ByConnection []connectionCredits `json:"by_connection"`
}

type connectionCredits struct {
	Connection string `json:"connection"`
	Name       string `json:"name"`
	System     string `json:"system"`
	Credits    int    `json:"credits"`
}

func (a *API) getCredits(ctx context.Context, w http.ResponseWriter, _ *http.Request, p *auth.Principal) error {
	credits, err := a.store.Credits(ctx, p.OrganisationID)
	if err != nil {
		return err
	}
	shown := creditsDocument{credits.Total, credits.Used, credits.Available(), make([]connectionCredits, len(credits.ByConnection))}
	for i, c := range credits.ByConnection {
		shown.ByConnection[i] = connectionCredits{c.ConnectionID, c.Name, c.System, c.Credits}
	}
	return reply(w, http.StatusOK, shown)
}
