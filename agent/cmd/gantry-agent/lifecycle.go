package main

import (
	"context"

	"github.com/spf13/cobra"

	"gantry/agent/control"
	"gantry/configs/cli"
	"gantry/installer"
)

func (a *app) start() *cobra.Command {
	return a.manage("start", "Start the service", "Started.", installer.Service.Start)
}

func (a *app) stop() *cobra.Command {
	return a.manage("stop", "Stop the service after the calls under way", "Stopped.", installer.Service.Stop)
}

func (a *app) restart() *cobra.Command {
	return a.manage("restart", "Stop the service after the calls under way, and start it", "Restarted.", installer.Service.Restart)
}

// manage makes a command of something that the service manager does.
func (a *app) manage(name, short, done string, do func(installer.Service, context.Context) error) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short, Args: cli.Args(cobra.NoArgs),
		Long: short + ". Exit codes: 0 done, 3 not installed, 4 needs an administrator.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			service, err := installer.NewService(installer.AgentSpec())
			if err != nil {
				return err
			}
			if err := do(service, cmd.Context()); err != nil {
				return err
			}
			s, err := service.State(cmd.Context())
			if err != nil {
				return err
			}
			a.Answer(serviceDocument{control.Schema, s}, done)
			return nil
		},
	}
}
