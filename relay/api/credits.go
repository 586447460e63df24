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
	SystemName string `json:"system_name"`
	Credits    int    `json:"credits"`
}

func showCredits(c *store.Connection) connectionCredits {
	return connectionCredits{c.ID, c.Name, c.System, c.SystemName, c.Tier}
}

// pool gives an organisation's credits, and the connections that use them, by id. The store has those at hand: it need not
// add them up.
func (a *API) pool(ctx context.Context, organisation string) (credits store.Credits, users []*store.Connection, err error) {
	owner, err := a.store.Organisation(ctx, organisation)
	if err != nil {
		return credits, nil, err
	}
	all, err := a.store.AllConnections(ctx, organisation)
	credits.Total = owner.Credits
	for at := range all {
		if c := &all[at]; c.State != store.Disconnected {
			credits.Used += c.Tier
			users = append(users, c)
		}
	}
	return credits, users, err
}

// noCredits tells what a connection would cost, what is left, and who uses the rest.
func (a *API) noCredits(ctx context.Context, organisation string, system wire.System) error {
	credits, users, err := a.pool(ctx, organisation)
	if err != nil {
		return err
	}
	slices.SortStableFunc(users, func(x, y *store.Connection) int { return cmp.Compare(y.Tier, x.Tier) })
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
	credits, users, err := a.pool(ctx, p.OrganisationID)
	if err != nil {
		return err
	}
	behind, _ := slices.BinarySearchFunc(users, asked.After+"\x00", func(c *store.Connection, id string) int { return cmp.Compare(c.ID, id) })
	users = users[behind:min(len(users), behind+asked.Limit)]
	by := paged(users, asked, func(c *store.Connection) string { return c.ID }, showCredits)
	return reply(w, http.StatusOK, creditsDocument{credits.Total, credits.Used, credits.Available(), by.Data, by.NextCursor, by.HasMore})
}
