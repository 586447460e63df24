package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

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
		a.discover(),
		&cobra.Command{Use: "list", Short: "List the connections", Args: cli.Args(cobra.NoArgs),
			RunE: func(cmd *cobra.Command, _ []string) error { return a.connectionsList(cmd) }},
		&cobra.Command{Use: "reset ID|NAME", Short: "Let the next call of a connection be made", Args: cli.Args(cobra.ExactArgs(1)),
			Long: `Close the connection's circuits, and forget that its system asked for fewer calls or refused the login: the
next call is made at once, and so is a look at the system. The agent does so of its own accord when the time has come;
this is for somebody who has just mended the cause.`,
			RunE: func(cmd *cobra.Command, given []string) error { return a.connectionsReset(cmd, given[0]) }})
}

// connectionDocument is the --json form of `connections reset`.
type connectionDocument struct {
	Schema     int                `json:"schema"`
	Connection control.Connection `json:"connection"`
}

func (a *app) connectionsReset(cmd *cobra.Command, idOrName string) error {
	ctx, cancel := a.Bounded(cmd)
	defer cancel()
	c, err := a.client().ResetCircuits(ctx, idOrName)
	if err != nil {
		return err
	}
	a.Answer(connectionDocument{control.Schema, c}, fmt.Sprintf("The circuits of %s are closed: its next call is made.", c.Name))
	return nil
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
		rows[i] = []string{c.Name, c.System, c.State, c.ID, trouble(c), heldBack(c, time.Now())}
	}
	a.AnswerTable(connectionsDocument{control.Schema, running, append([]control.Connection{}, all...)}, "No connections.",
		[]string{"NAME", "SYSTEM", "STATE", "ID", "LAST ERROR", "HELD BACK"}, rows)
	return nil
}

// trouble is the code of what keeps a connection from its system; or else of an operation that does not work, with how
// many more there are.
func trouble(c control.Connection) string {
	if c.LastError != "" || len(c.Operations) == 0 {
		return c.LastError
	}
	first := c.Operations[0]
	text := fmt.Sprintf("%s (%s %s)", first.LastError, first.Entity, first.Operation)
	if more := len(c.Operations) - 1; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// heldBack says why no call reaches the system now, and for how long.
func heldBack(c control.Connection, now time.Time) string {
	why := map[string]string{"circuit": "circuit " + strings.ReplaceAll(c.Circuit, "_", " "), "throttled": "throttled by the system", "login": "login refused", "quiet_hours": "quiet hours"}[c.Held]
	if why == "" || !c.HeldUntil.After(now) {
		return why
	}
	return why + ", next try in " + span(c.HeldUntil.Sub(now))
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
