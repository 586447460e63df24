package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"gantry/connectors/wire"
	"gantry/relay/auth"
	"gantry/relay/store"
	"gantry/tunnel/fault"
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

// noCredits tells what a connection would cost, what is left, and who uses the rest.
func (a *API) noCredits(ctx context.Context, organisation string, system wire.System) error {
	credits, err := a.store.Credits(ctx, organisation)
	if err != nil {
		return err
	}
	users := slices.Clone(credits.ByConnection)
	slices.SortStableFunc(users, func(x, y store.ConnectionCredits) int { return cmp.Compare(y.Credits, x.Credits) })
	var used strings.Builder
	for i, c := range users[:min(len(users), maxUsers)] {
		used.WriteString([]string{" They are used by ", ", "}[min(i, 1)])
		fmt.Fprintf(&used, "%s (%s): %d", clip(c.Name), c.ConnectionID, c.Credits)
	}
	if more := len(users) - maxUsers; more > 0 {
		fmt.Fprintf(&used, " and %d more", more)
	}
	if used.Len() > 0 {
		used.WriteString(".")
	}
	return fault.New(fault.NoCredits, "A connection to %s costs %d credits; %d of the organisation's %d are left.%s",
		system.Product, system.Tier, credits.Available(), credits.Total, &used).Ended(fault.NotSent).
		Advise("Disconnect a connection that is no longer needed (GET /credits lists what each uses), or ask whoever runs the relay for more credits.")
}

// maxUsers is how many connections NO_CREDITS names.
const maxUsers = 5

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
