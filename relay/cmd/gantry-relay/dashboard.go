package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"gantry/configs/cli"
	"gantry/relay/admin"
	"gantry/relay/store"
)

// linkDocument is the --json form of a sign-in link.
type linkDocument struct {
	Schema int `json:"schema"`
	admin.SignInLink
}

func (a *app) dashboard() *cobra.Command {
	var org string
	group := cli.Group("dashboard", "Let a person into the pages that the relay serves", a.dashboardLink(&org))
	group.PersistentFlags().StringVar(&org, "org", "", "`id` of the organisation; not needed where there is only one")
	cli.CompleteFlag(group, "org", a.organisationWords)
	return group
}

func (a *app) dashboardLink(org *string) *cobra.Command {
	var role string
	var life time.Duration
	cmd := &cobra.Command{
		Use: "link", Short: "Make a link that signs in whoever follows it first", Args: cli.Args(cobra.NoArgs),
		Long: `Make a link that signs in whoever follows it first.

Give it to one person, by a way that only they can read. It is good for one
sign-in, which makes a key of its own that ends after twelve hours; revoke that
key to end the visit earlier. The code stands behind the # of the address, which
browsers send to nobody; a relay that restarts forgets it.`,
		Example: "  gantry-relay dashboard link --role support --for 1h",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.remotely(cmd, *org, func(ctx context.Context, r remote) error {
				link, err := r.client.SignInLink(ctx, r.organisation, admin.NewSignInLink{Role: store.Role(role), Life: life})
				if err != nil {
					return err
				}
				a.Say("It signs in once, as %s, until %s.", link.Role, link.ExpiresAt.Local().Format(time.DateTime))
				a.Answer(linkDocument{schema, link}, link.Link)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&role, "role", string(store.Admin), "what the visitor may do: admin, support (reads, diagnoses) or read")
	cli.CompleteFlag(cmd, "role", cli.Words(string(store.Admin), string(store.Support), string(store.Read)))
	cmd.Flags().DurationVar(&life, "for", 15*time.Minute, "how long the link waits for whoever follows it; at most 24h")
	return cmd
}
