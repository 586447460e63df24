package main

import (
	"github.com/spf13/cobra"

	"gantry/agent/control"
	"gantry/configs/cli"
)

func (a *app) reload() *cobra.Command {
	return &cobra.Command{
		Use: "reload", Short: "Make the running agent read its configuration again", Args: cli.Args(cobra.NoArgs),
		Long: `Make the running agent read its configuration again. The policy takes effect at once; what waits for a restart is
said. A faulty configuration changes nothing and exits 78.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := a.Bounded(cmd)
			defer cancel()
			reloaded, err := a.client().Reload(ctx)
			if err != nil {
				return err
			}
			if a.JSON {
				a.PrintJSON(reloadedDocument{control.Schema, reloaded})
				return nil
			}
			a.Print("%s", map[bool]string{true: "The new policy is in force.", false: "Read; the policy is the same."}[reloaded.Applied])
			if len(reloaded.Restart) > 0 {
				a.Print("Changed, and waiting for gantry-agent restart: %s", cli.List(reloaded.Restart, ""))
			}
			return nil
		},
	}
}
