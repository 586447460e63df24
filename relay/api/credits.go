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

// creditsDocument is the state of an organisation's pool, with a page of who uses it.
type creditsDocument struct {
	Total        int                 `json:"total"`
	Used         int                 `json:"used"`
	Available    int                 `json:"available"`
	ByConnection []connectionCredits `json:"by_connection"`
	NextCursor   *string             `json:"next_cursor"`
	HasMore      bool                `json:"has_more"`
}

type connectionCredits struct {
	Connection string `json:"connection"`
	Name       string `json:"name"`
	System     string `json:"system"`
	Credits    int    `json:"credits"`
}

func showCredits(c store.Connection) connectionCredits {
	return connectionCredits{c.ID, c.Name, c.System, c.Tier}
}

// users are the connections that use credits, by id.
func (a *API) users(ctx context.Context, organisation string) ([]store.Connection, error) {
	all, err := a.store.AllConnections(ctx, organisation) // it is shared
	return slices.DeleteFunc(slices.Clone(all), func(c store.Connection) bool { return c.State == store.Disconnected }), err
}

// noCredits tells what a connection would cost, what is left, and who uses the rest.
func (a *API) noCredits(ctx context.Context, organisation string, system wire.System) error {
	credits, err := a.store.Credits(ctx, organisation)
	if err != nil {
		return err
	}
	users, err := a.users(ctx, organisation)
	if err != nil {
		return err
	}
	slices.SortStableFunc(users, func(x, y store.Connection) int { return cmp.Compare(y.Tier, x.Tier) })
	var used strings.Builder
	for i, c := range users[:min(len(users), maxUsers)] {
		used.WriteString([]string{" They are used by ", ", "}[min(i, 1)])
		fmt.Fprintf(&used, "%s (%s): %d", clip(c.Name), c.ID, c.Tier)
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

func (a *API) getCredits(ctx context.Context, w http.ResponseWriter, r *http.Request, p *auth.Principal) error {
	_, asked, err := page(r)
	if err != nil {
		return err
	}
	credits, err := a.store.Credits(ctx, p.OrganisationID)
	if err != nil {
		return err
	}
	users, err := a.users(ctx, p.OrganisationID)
	if err != nil {
		return err
	}
	if at := slices.IndexFunc(users, func(c store.Connection) bool { return c.ID > asked.After }); at >= 0 {
		users = users[at:min(len(users), at+asked.Limit)]
	} else {
		users = nil
	}
	by := paged(users, asked, func(c store.Connection) string { return c.ID }, showCredits)
	return reply(w, http.StatusOK, creditsDocument{credits.Total, credits.Used, credits.Available(), by.Data, by.NextCursor, by.HasMore})
}
