package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"gantry/configs/cli"
	"gantry/relay/admin"
)

// maxDocument bounds what is read of one answer of the API, in bytes.
const maxDocument = 16 << 20

// remote calls the API of the relay that serves, for one organisation, through the admin socket.
type remote struct {
	client       *admin.Client
	organisation string
}

// onRemote runs a command that needs the relay to serve: agents are connected to that one.
func (a *app) onRemote(ctx context.Context, org string, do func(remote) error) error {
	config, err := a.existing()
	if err != nil {
		return err
	}
	client := admin.NewClient(config.DataDir)
	id, err := organisation(ctx, client, org)
	if err != nil {
		return err
	}
	return do(remote{client, id})
}

// remotely is onRemote within --timeout.
func (a *app) remotely(cmd *cobra.Command, org string, do func(context.Context, remote) error) error {
	ctx, cancel := a.Bounded(cmd)
	defer cancel()
	return a.onRemote(ctx, org, func(r remote) error { return do(ctx, r) })
}

// call makes one call and decodes its answer.
func call[T any](ctx context.Context, r remote, method, path string, wish any) (T, error) {
	var answer T
	response, err := r.client.API(ctx, r.organisation, method, path, wish)
	if err != nil {
		return answer, err
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	if response.StatusCode == http.StatusNoContent {
		return answer, nil
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxDocument)).Decode(&answer); err != nil {
		return answer, fmt.Errorf("read relay's answer: %w", err)
	}
	return answer, nil
}

// every reads a whole list, page by page.
func every[T any](ctx context.Context, r remote, path string, query url.Values) ([]T, error) {
	all, asked := []T{}, url.Values{"limit": {"500"}}
	for name := range query {
		asked.Set(name, query.Get(name))
	}
	for {
		page, err := call[struct {
			Data []T     `json:"data"`
			Next *string `json:"next_cursor"`
		}](ctx, r, http.MethodGet, path+"?"+asked.Encode(), nil)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Data...)
		if page.Next == nil {
			return all, nil
		}
		asked.Set("cursor", *page.Next)
	}
}

// site is a plant's network as the API shows it.
type site struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
	Agents    []agent   `json:"agents"`
}

// agent is an agent as the API shows it.
type agent struct {
	ID                   string    `json:"id"`
	Site                 string    `json:"site,omitempty"`
	Hostname             string    `json:"hostname"`
	Version              string    `json:"version"`
	OS                   string    `json:"os"`
	State                string    `json:"state"` // connected or offline
	ConnectedSince       time.Time `json:"connected_since,omitzero"`
	LastSeenAt           time.Time `json:"last_seen_at,omitzero"`
	RoundTripMS          float64   `json:"round_trip_ms,omitempty"`
	CertificateExpiresAt time.Time `json:"certificate_expires_at,omitzero"`
}

// site finds one by its id, or by its name where that is of one alone.
func (r remote) site(ctx context.Context, named string) (site, error) {
	all, err := every[site](ctx, r, "/sites", nil)
	if err != nil {
		return site{}, err
	}
	var found []site
	for _, one := range all {
		if one.ID == named {
			return one, nil
		}
		if one.Name == named {
			found = append(found, one)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return site{}, cli.Fail(cli.ExitFailed, "See: gantry-relay sites list", "there is no site %q", named)
	}
	return site{}, cli.Fail(cli.ExitUsage, "Name one by its id; see: gantry-relay sites list", "%s have the name %q", cli.Count(len(found), "site", "sites"), named)
}

// path is where the API has a site.
func (s site) path() string { return "/sites/" + url.PathEscape(s.ID) }

// agents lists those of all sites.
func (r remote) agents(ctx context.Context) ([]agent, error) {
	sites, err := every[site](ctx, r, "/sites", nil)
	all := []agent{}
	for _, s := range sites {
		for _, one := range s.Agents {
			one.Site = s.ID
			all = append(all, one)
		}
	}
	return all, err
}

// agent finds one by its id, or by its host's name where that is of one alone.
func (r remote) agent(ctx context.Context, named string) (agent, error) {
	all, err := r.agents(ctx)
	if err != nil {
		return agent{}, err
	}
	var found []agent
	for _, one := range all {
		if one.ID == named {
			return one, nil
		}
		if one.Hostname == named {
			found = append(found, one)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return agent{}, cli.Fail(cli.ExitFailed, "See: gantry-relay agents list", "there is no agent %q", named)
	}
	return agent{}, cli.Fail(cli.ExitUsage, "Name one by its id; see: gantry-relay agents list", "%s run on %s", cli.Count(len(found), "agent", "agents"), named)
}

// path is where the API has an agent.
func (a agent) path() string {
	return "/sites/" + url.PathEscape(a.Site) + "/agents/" + url.PathEscape(a.ID)
}

// doomed is what a command ends, for ever.
type doomed struct {
	id, path string
	warning  string // what will happen
	ended    string // what has happened
}

// end finds something, asks back, and ends it. The time in which a person thinks does not count.
func (a *app) end(cmd *cobra.Command, org string, find func(context.Context, remote) (doomed, error)) error {
	var d doomed
	err := a.remotely(cmd, org, func(ctx context.Context, r remote) (err error) {
		d, err = find(ctx, r)
		return err
	})
	if err != nil {
		return err
	}
	if err := a.Confirm("%s", d.warning); err != nil {
		return err
	}
	return a.remotely(cmd, org, func(ctx context.Context, r remote) error {
		if _, err := call[struct{}](ctx, r, http.MethodDelete, d.path, nil); err != nil {
			return err
		}
		a.Answer(endedDocument{schema, d.id, true}, d.ended)
		return nil
	})
}
