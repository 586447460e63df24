package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"gantry/configs/cli"
	"gantry/relay/admin"
	"gantry/relay/store"
)

// keyDocument is the --json form of one key.
type keyDocument struct {
	Schema int `json:"schema"`
	admin.Key
}

func (a *app) keys() *cobra.Command {
	var org string
	group := cli.Group("keys", "Give out, list and revoke organisation keys", a.keysCreate(&org), a.keysList(&org), a.keysRevoke(&org))
	group.PersistentFlags().StringVar(&org, "org", "", "`id` of the organisation; not needed where there is only one")
	cli.CompleteFlag(group, "org", a.organisationWords)
	return group
}

// ofOrganisation runs a command on the keys of an organisation.
func (a *app) ofOrganisation(cmd *cobra.Command, named string, do func(context.Context, admin.Administration, string) error) error {
	ctx, cancel := a.Bounded(cmd)
	defer cancel()
	return a.administer(ctx, false, func(ctx context.Context, ad admin.Administration) error {
		id, err := organisation(ctx, ad, named)
		if err != nil {
			return err
		}
		return do(ctx, ad, id)
	})
}

func (a *app) keysCreate(org *string) *cobra.Command {
	var name, role string
	var life time.Duration
	cmd := &cobra.Command{
		Use: "create", Short: "Make a key; prints its token, once", Args: cli.Args(cobra.NoArgs),
		Example: "  gantry-relay keys create --org org_… --role admin --name deploy > key.txt",
		RunE: func(cmd *cobra.Command, _ []string) error {
			wish := admin.NewKey{Name: name, Role: store.Role(role)}
			if life != 0 {
				wish.ExpiresAt = time.Now().Add(life).UTC()
			}
			return a.ofOrganisation(cmd, *org, func(ctx context.Context, ad admin.Administration, id string) error {
				key, err := ad.CreateKey(ctx, id, wish)
				if err != nil {
					return err
				}
				a.Answer(keyDocument{schema, key}, key.Token)
				a.Say("%s is a key of %s with the role %s. Its token is shown only now.", key.ID, id, key.Role)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&name, "name", "command line", "what the key is for")
	cmd.Flags().StringVar(&role, "role", string(store.Admin), "admin, support (reads, diagnoses) or read")
	cli.CompleteFlag(cmd, "role", cli.Words(string(store.Admin), string(store.Support), string(store.Read)))
	cmd.Flags().DurationVar(&life, "expires-in", 0, "how long the key holds, as 720h; 0: until it is revoked")
	return cmd
}

func (a *app) keysList(org *string) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the keys of an organisation", Args: cli.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.ofOrganisation(cmd, *org, func(ctx context.Context, ad admin.Administration, id string) error {
				all, err := ad.Keys(ctx, id)
				if err != nil {
					return err
				}
				rows := make([][]string, len(all))
				for i, key := range all {
					rows[i] = []string{key.ID, string(key.Role), keyState(key), key.Name}
				}
				a.AnswerTable(list[admin.Key]{schema, all}, "No keys.", []string{"ID", "ROLE", "STATE", "NAME"}, rows)
				return nil
			})
		},
	}
}

// keyState says in a word or two whether a key is good.
func keyState(key admin.Key) string {
	switch {
	case !key.RevokedAt.IsZero():
		return "revoked"
	case key.ExpiresAt.IsZero():
		return "good"
	case key.ExpiresAt.Before(time.Now()):
		return "expired"
	}
	return "good until " + key.ExpiresAt.Format(time.DateOnly)
}

func (a *app) keysRevoke(org *string) *cobra.Command {
	return &cobra.Command{
		Use: "revoke KEY", Short: "End a key for ever, at once", Args: cli.Args(cobra.ExactArgs(1)), ValidArgsFunction: cli.Complete(a.keyWords(org)),
		Example: "  gantry-relay keys revoke key_… --org org_…",
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.ofOrganisation(cmd, *org, func(ctx context.Context, ad admin.Administration, id string) error {
				key, err := ad.RevokeKey(ctx, id, given[0])
				if err != nil {
					return err
				}
				a.Answer(keyDocument{schema, key}, key.ID+" is revoked.")
				return nil
			})
		},
	}
}
