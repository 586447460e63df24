package main

import (
	"errors"

	"github.com/spf13/cobra"

	"gantry/agent/control"
	"gantry/configs/cli"
	"gantry/installer"
)

func (a *app) uninstall() *cobra.Command {
	var purge bool
	cmd := &cobra.Command{
		Use: "uninstall", Short: "Remove the service and the program, whatever is left of them", Args: cli.Args(cobra.NoArgs),
		Long: `Remove the service and the program, whatever is left of them. Configuration, keys and logins stay for another
installation; --purge removes them as well, and the service's account. The cloud side is not told.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runUninstall(cmd, purge) },
	}
	cmd.Flags().BoolVar(&purge, "purge", false, "also remove configuration, keys, logins, logs and the account")
	return cmd
}

func (a *app) runUninstall(cmd *cobra.Command, purge bool) error {
	ctx := cmd.Context()
	service, err := installer.NewService(installer.AgentSpec())
	if err != nil && !errors.Is(err, installer.ErrNoManager) {
		return err
	}
	state, err := service.State(ctx)
	if err != nil {
		return err
	}
	if state.Packaged {
		return cli.Fail(cli.ExitConflict, installer.PackageRemoval, "the service belongs to a package")
	}
	i := installer.Installation{Spec: installer.AgentSpec(), Service: service}
	if err := i.Elevated(); err != nil {
		return err
	}
	if purge {
		if err := a.Confirm("This erases the agent's configuration, its keys and every login."); err != nil {
			return err
		}
	}
	record := &steps{app: a}
	if err := i.Removal(purge).Clear(ctx, record.tell); err != nil {
		return cli.Fail(cli.ExitFailed, "Mend that, and run it again.", "something is left: %w", err)
	}
	a.Answer(uninstalledDocument{control.Schema, true, purge, record.all}, map[bool]string{true: "Uninstalled; nothing is left.", false: "Uninstalled; configuration and state are kept."}[purge])
	a.Say("The cloud side still lists the agent, as offline, until it is removed there.")
	return nil
}
