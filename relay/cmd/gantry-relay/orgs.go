package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"gantry/configs/cli"
	"gantry/relay/admin"
)

// organisationDocument is the --json form of one organisation.
type organisationDocument struct {
	Schema int `json:"schema"`
	admin.Organisation
}

func (a *app) orgs() *cobra.Command {
	return cli.Group("orgs", "Found and list organisations, and set their credits", a.orgsCreate(), a.orgsList(), a.orgsCredits())
}

func (a *app) orgsCreate() *cobra.Command {
	var wish admin.NewOrganisation
	cmd := &cobra.Command{
		Use: "create NAME", Short: "Found an organisation; prints its id", Args: cli.Args(cobra.ExactArgs(1)),
		Example: `  gantry-relay orgs create "Example Ltd" --credits 10`,
		RunE: func(cmd *cobra.Command, given []string) error {
			wish.Name = given[0]
			ctx, cancel := a.Bounded(cmd)
			defer cancel()
			return a.administer(ctx, true, func(ctx context.Context, ad admin.Administration) error {
				o, err := ad.CreateOrganisation(ctx, wish)
				if err != nil {
					return err
				}
				a.Answer(organisationDocument{schema, o}, o.ID)
				a.Say("%s has %s. Give it a key: gantry-relay keys create --org %s --role admin", o.Name, cli.Count(o.Credits.Total, "credit", "credits"), o.ID)
				return nil
			})
		},
	}
	cmd.Flags().IntVar(&wish.Credits, "credits", 0, "connection credits in its pool: a connection uses its system's tier")
	return cmd
}

func (a *app) orgsCredits() *cobra.Command {
	return &cobra.Command{
		Use: "credits ORG CREDITS", Short: "Set how many credits an organisation has", Args: cli.Args(cobra.ExactArgs(2)),
		ValidArgsFunction: cli.Complete(a.organisationWords),
		Long: "Set how many connection credits are in an organisation's pool. A connection uses its system's\ntier. A pool " +
			"that is smaller than what is used ends no connection; there can be no new one then.",
		Example: "  gantry-relay orgs credits org_… 25",
		RunE: func(cmd *cobra.Command, given []string) error {
			credits, err := strconv.Atoi(given[1])
			if err != nil {
				return cli.Fail(cli.ExitUsage, "Give the whole pool as a number, as 25.", "%q is no number of credits", given[1])
			}
			return a.ofOrganisation(cmd, given[0], func(ctx context.Context, ad admin.Administration, id string) error {
				o, err := ad.SetCredits(ctx, id, credits)
				if err != nil {
					return err
				}
				a.Answer(organisationDocument{schema, o}, fmt.Sprintf("%s has %s: %d used, %d left.", o.Name,
					cli.Count(o.Credits.Total, "credit", "credits"), o.Credits.Used, o.Credits.Available))
				return nil
			})
		},
	}
}

func (a *app) orgsList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the organisations", Args: cli.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := a.Bounded(cmd)
			defer cancel()
			return a.administer(ctx, false, func(ctx context.Context, ad admin.Administration) error {
				all, err := ad.Organisations(ctx)
				if err != nil {
					return err
				}
				rows := make([][]string, len(all))
				for i, o := range all {
					rows[i] = []string{o.ID, fmt.Sprintf("%d of %d used", o.Credits.Used, o.Credits.Total), o.Name}
				}
				a.AnswerTable(list[admin.Organisation]{schema, all}, "No organisations.", []string{"ID", "CREDITS", "NAME"}, rows)
				return nil
			})
		},
	}
}
