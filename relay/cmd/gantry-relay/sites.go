package main

import (
	"context"
	"fmt"
	"gantry/configs/cli"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

// siteDocument is the --json form of `sites show`.
type siteDocument struct {
	Schema int `json:"schema"`
	site
}

// tokenDocument is the --json form of `sites create` and `sites token`.
type tokenDocument struct {
	Schema         int       `json:"schema"`
	Site           string    `json:"site"`
	EnrolmentToken string    `json:"enrolment_token"`
	ExpiresAt      time.Time `json:"expires_at"`
}

// endedDocument is the --json form of what ended something.
type endedDocument struct {
	Schema int    `json:"schema"`
	ID     string `json:"id"`
	Ended  bool   `json:"ended"`
}

func (a *app) sites() *cobra.Command {
	var org string
	group := cli.Group("sites", "Make and show the plants' networks, and tokens for their agents",
		a.sitesList(&org), a.sitesCreate(&org), a.sitesShow(&org), a.sitesDelete(&org), a.sitesToken(&org))
	a.ofOrg(group, &org)
	return group
}

// ofOrg adds --org to a group.
func (a *app) ofOrg(group *cobra.Command, org *string) {
	group.PersistentFlags().StringVar(org, "org", "", "`id` of the organisation; not needed where there is only one")
}

func (a *app) sitesList(org *string) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the sites", Args: cli.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.remotely(cmd, *org, func(ctx context.Context, r remote) error {
				all, err := every[site](ctx, r, "/sites", nil)
				if err != nil {
					return err
				}
				rows := make([][]string, len(all))
				for i, s := range all {
					rows[i] = []string{s.Name, fmt.Sprintf("%d of %d connected", connected(s.Agents), len(s.Agents)), s.ID}
				}
				a.AnswerTable(list[site]{schema, all}, "No sites.", []string{"NAME", "AGENTS", "ID"}, rows)
				return nil
			})
		},
	}
}

func connected(agents []agent) (n int) {
	for _, one := range agents {
		if one.State == "connected" {
			n++
		}
	}
	return n
}

func (a *app) sitesCreate(org *string) *cobra.Command {
	return &cobra.Command{
		Use: "create NAME", Short: "Make a site; prints the token for its first agent", Args: cli.Args(cobra.ExactArgs(1)),
		Example: `  gantry-relay sites create "Plant North" > token.txt`,
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.remotely(cmd, *org, func(ctx context.Context, r remote) error {
				made, err := call[struct {
					ID string `json:"id"`
					tokenDocument
				}](ctx, r, http.MethodPost, "/sites", map[string]string{"name": given[0]})
				if err != nil {
					return err
				}
				a.tellToken(made.ID, made.tokenDocument)
				return nil
			})
		},
	}
}

func (a *app) sitesToken(org *string) *cobra.Command {
	var life time.Duration
	cmd := &cobra.Command{
		Use: "token SITE", Short: "Make one more one-time token for an agent of a site", Args: cli.Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.remotely(cmd, *org, func(ctx context.Context, r remote) error {
				s, err := r.site(ctx, given[0])
				if err != nil {
					return err
				}
				made, err := call[tokenDocument](ctx, r, http.MethodPost, s.path()+"/enrolment-tokens", map[string]int{"ttl": int(life.Seconds())})
				if err != nil {
					return err
				}
				a.tellToken(s.ID, made)
				return nil
			})
		},
	}
	cmd.Flags().DurationVar(&life, "for", time.Hour, "how long it may be used, at most 168h")
	return cmd
}

func (a *app) tellToken(id string, t tokenDocument) {
	t.Schema, t.Site = schema, id
	a.Answer(t, t.EnrolmentToken)
	a.Say("It enrols one agent at %s until %s, and is shown only now:\n  gantry-agent install --token-file token.txt", id, t.ExpiresAt.Local().Format(time.DateTime))
}

func (a *app) sitesShow(org *string) *cobra.Command {
	return &cobra.Command{
		Use: "show SITE", Short: "Show a site with its agents, by its id or its name", Args: cli.Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.remotely(cmd, *org, func(ctx context.Context, r remote) error {
				s, err := r.site(ctx, given[0])
				if err != nil {
					return err
				}
				if a.JSON {
					a.PrintJSON(siteDocument{schema, s})
					return nil
				}
				a.Print("%s: %s, since %s", s.ID, s.Name, s.CreatedAt.Local().Format(time.DateOnly))
				if len(s.Agents) == 0 {
					a.Print("No agents. For one: gantry-relay sites token %s", s.ID)
					return nil
				}
				a.Print("")
				a.agentTable(s.Agents)
				return nil
			})
		},
	}
}

func (a *app) sitesDelete(org *string) *cobra.Command {
	return &cobra.Command{
		Use: "delete SITE", Short: "End a site with its agents and connections, for ever", Args: cli.Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.end(cmd, *org, func(ctx context.Context, r remote) (doomed, error) {
				s, err := r.site(ctx, given[0])
				return doomed{
					id: s.ID, path: s.path(), ended: s.ID + " is deleted.",
					warning: fmt.Sprintf("The agents of %s are shut out and its connections end, for ever.", s.Name),
				}, err
			})
		},
	}
}
