package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"gantry/agent"
	"gantry/agent/control"
	"gantry/agent/state"
	"gantry/configs/cli"
)

func (a *app) connections() *cobra.Command {
	return cli.Group("connections", "Show and check the logins that the agent holds",
		&cobra.Command{Use: "check [ID|NAME]", Short: "Look at one connection, or at all, hop by hop", Args: cli.Args(cobra.MaximumNArgs(1)),
			Long: `Look at one connection, or at all: definition, policy, host name, connection, encryption, login, and one
cheap read of each entity. It goes the way of the connection's calls, logs in once, and changes nothing.
The exit code is 1 where a check failed.`,
			RunE: func(cmd *cobra.Command, given []string) error {
				return a.connectionsCheck(cmd, strings.Join(given, ""))
			}},
		&cobra.Command{Use: "list", Short: "List the connections", Args: cli.Args(cobra.NoArgs),
			RunE: func(cmd *cobra.Command, _ []string) error { return a.connectionsList(cmd) }})
}

// connectionsDocument is the --json form of `connections list`.
type connectionsDocument struct {
	Schema      int                  `json:"schema"`
	Running     bool                 `json:"running"` // otherwise the list is what the disk holds
	Connections []control.Connection `json:"connections"`
}

func (a *app) connectionsList(cmd *cobra.Command) error {
	ctx, cancel := a.Bounded(cmd)
	defer cancel()
	all, err := a.client().Connections(ctx)
	running := err == nil
	if errors.Is(err, control.ErrNotRunning) {
		all, err = a.stored(ctx)
	}
	if err != nil {
		return err
	}
	rows := make([][]string, len(all))
	for i, c := range all {
		rows[i] = []string{c.Name, c.System, c.State, c.ID, c.LastError}
	}
	a.AnswerTable(connectionsDocument{control.Schema, running, append([]control.Connection{}, all...)}, "No connections.",
		[]string{"NAME", "SYSTEM", "STATE", "ID", "LAST ERROR"}, rows)
	return nil
}

func (a *app) connectionsCheck(cmd *cobra.Command, idOrName string) error {
	ctx, cancel := a.Bounded(cmd)
	defer cancel()
	report, err := a.client().CheckConnections(ctx, idOrName)
	if errors.Is(err, control.ErrNotRunning) {
		err = a.atRest(ctx, func(rest *agent.Resting) (err error) {
			report, err = rest.CheckConnections(ctx, idOrName)
			return err
		})
	}
	if err != nil {
		return err
	}
	if len(report.Results) == 0 && !a.JSON {
		a.Print("No connections.")
		return nil
	}
	a.tell(report)
	return cli.Told(reportCode(report, false))
}

// stored lists what the agent's folder holds.
func (a *app) stored(ctx context.Context) ([]control.Connection, error) {
	config, err := a.load()
	if err != nil {
		return nil, err
	}
	if _, err := identity(ctx, config.StateDir); err != nil {
		return nil, err
	}
	db, err := state.Open(ctx, config.StateDir)
	if err != nil {
		return nil, err
	}
	rows, err := db.Connections(ctx)
	all := make([]control.Connection, len(rows))
	for i, row := range rows {
		all[i] = control.Connection{ID: row.ID, Name: row.Name, System: row.System, State: "stopped", OpenedAt: row.OpenedAt}
	}
	return all, errors.Join(err, db.Close())
}
