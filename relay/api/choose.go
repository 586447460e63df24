package api

import (
	"context"
	"time"

	"gantry/tunnel/fault"
)

// chooseAgent picks the agent of a site that will hold a connection: the one that the caller names, or of those that are
// connected the one with the fewest connections, and among equals the one that is connected longest.
func (a *API) chooseAgent(ctx context.Context, organisation, site, named string) (string, error) {
	rows, err := a.store.Agents(ctx, organisation, site)
	if err != nil {
		return "", err
	}
	var best candidate
	for _, row := range rows {
		if named != "" && named != row.ID {
			continue
		}
		presence := a.hub.Presence(row.ID)
		if named == "" && !presence.Connected {
			continue
		}
		held, err := a.store.AgentConnections(ctx, row.ID)
		if err != nil {
			return "", err
		}
		if c := (candidate{row.ID, len(held), presence.Since}); c.better(best) {
			best = c
		}
	}
	switch {
	case best.id != "":
		return best.id, nil
	case named != "":
		return "", fault.New(fault.NotFound, "The site has no such agent.").Reaches(fault.ScopeSite).Member("agent", "INVALID", "no agent of the site")
	case len(rows) == 0:
		return "", fault.New(fault.AgentOffline, "The site has no agent yet.").Ended(fault.NotSent).
			Advise("Enrol an agent with the site's enrolment token: POST /sites/{id}/enrolment-tokens makes one.")
	}
	return "", fault.New(fault.AgentOffline, "No agent of the site is connected.").Ended(fault.NotSent)
}

// candidate is an agent that could hold a connection.
type candidate struct {
	id    string
	held  int
	since time.Time
}

func (c candidate) better(than candidate) bool {
	if than.id == "" || c.held != than.held {
		return than.id == "" || c.held < than.held
	}
	return c.since.Before(than.since)
}
