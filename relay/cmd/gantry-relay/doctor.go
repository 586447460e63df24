package main

import (
	"github.com/spf13/cobra"

	"gantry/configs/cli"
	"gantry/relay/admin"
	"gantry/relay/doctor"
	"gantry/tunnel/check"
)

func (a *app) doctor() *cobra.Command {
	var strict bool
	cmd := &cobra.Command{
		Use: "doctor", Aliases: []string{"check"}, Short: "Find out what is wrong with the relay's machine", Args: cli.Args(cobra.NoArgs),
		Long: `Find out what is wrong with the relay's machine: configuration, data folder, database, disk, clock, address,
HTTPS certificate. It changes nothing, and works while a relay serves and while none does.

Exit codes: 0 nothing is broken, 1 a check failed, 12 warnings only (with --strict).
Every finding has an id; ` + "`gantry-relay help ID`" + ` explains it.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := a.load()
			server := doctor.Server{Config: config, Problem: err, Status: admin.NewClient(config.DataDir).Status}
			report := check.Run(cmd.Context(), server.Checks(), check.Options{Program: "gantry-relay", Version: version, Limit: a.Timeout})
			return a.tellReport(report, strict)
		},
	}
	cmd.Flags().BoolVar(&strict, "strict", false, "exit 12 when there are warnings")
	return cmd
}
