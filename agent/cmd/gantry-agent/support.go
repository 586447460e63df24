package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"gantry/agent"
	"gantry/agent/control"
	"gantry/agent/support"
	"gantry/configs/cli"
)

func (a *app) support() *cobra.Command {
	return cli.Group("support", "Let the cloud's support look at this agent, for a time",
		a.supportOn(),
		&cobra.Command{Use: "off", Short: "Take the consent back; what is under way ends", Args: cli.Args(cobra.NoArgs),
			RunE: func(cmd *cobra.Command, _ []string) error { return a.letSupportIn(cmd, 0) }},
		&cobra.Command{Use: "status", Short: "Show whether support may look, and what it did", Args: cli.Args(cobra.NoArgs),
			RunE: func(cmd *cobra.Command, _ []string) error { return a.supportStatus(cmd) }},
	)
}

func (a *app) supportOn() *cobra.Command {
	var span time.Duration
	cmd := &cobra.Command{
		Use: "on", Short: "Let support look at this agent; it ends by itself", Args: cli.Args(cobra.NoArgs),
		Long: `Let the cloud's support run its fixed, read-only set on this agent: the doctor, the support bundle
and the logs. It reads no records and changes nothing, each run is written down here (support status),
and the consent ends by itself, also over a restart.

The diagnosis of one connection needs no consent: it makes only calls that the policy allows anyway.`,
		Example: "  gantry-agent support on --for 4h",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if span <= 0 {
				return cli.Fail(cli.ExitUsage, "Say for how long, as: gantry-agent support on --for 4h", "--for must be positive")
			}
			return a.letSupportIn(cmd, span)
		},
	}
	cmd.Flags().DurationVar(&span, "for", support.DefaultTime, "for how long, at most 168h")
	return cmd
}

func (a *app) letSupportIn(cmd *cobra.Command, span time.Duration) error {
	ctx, cancel := a.Bounded(cmd)
	defer cancel()
	s, err := a.client().LetSupportIn(ctx, span)
	if errors.Is(err, control.ErrNotRunning) {
		err = a.atRest(ctx, func(rest *agent.Resting) (err error) {
			s, err = rest.LetSupportIn(ctx, span)
			return err
		})
	}
	if err != nil {
		return err
	}
	return a.tellSupport(s, false)
}

func (a *app) supportStatus(cmd *cobra.Command) error {
	ctx, cancel := a.Bounded(cmd)
	defer cancel()
	s, err := a.client().Support(ctx)
	if errors.Is(err, control.ErrNotRunning) {
		err = a.atRest(ctx, func(rest *agent.Resting) (err error) {
			s, err = rest.Support(ctx)
			return err
		})
	}
	if err != nil {
		return err
	}
	return a.tellSupport(s, true)
}

func (a *app) tellSupport(s control.Support, runs bool) error {
	if a.JSON {
		a.PrintJSON(s)
		return nil
	}
	a.Print("%s", supportSentence(s, time.Now()))
	if !runs || len(s.Runs) == 0 {
		return nil
	}
	var rows [][]string
	for _, r := range s.Runs {
		rows = append(rows, []string{r.At.Local().Format(time.DateTime), r.Action, r.Result, r.Actor, r.Connection})
	}
	a.Print("")
	a.Table([]string{"WHEN", "WHAT", "RESULT", "WHO", "CONNECTION"}, rows)
	return nil
}

func supportSentence(s control.Support, now time.Time) string {
	switch {
	case s.Open && s.Until.IsZero():
		return "Support may look at this agent at any time: the configuration says `support: " + s.Mode + "`."
	case s.Open:
		return "Support may look at this agent for " + span(s.Until.Sub(now)) + ", until " + s.Until.Local().Format(time.DateTime) + "."
	case s.Mode == string(support.Deny):
		return "Support may not look at this agent: the configuration says `support: deny`."
	}
	return "Support may not look at this agent now. To let it: gantry-agent support on --for 4h"
}

// atRest takes the agent's folder while no service runs.
func (a *app) atRest(ctx context.Context, do func(*agent.Resting) error) error {
	config, err := a.load()
	if err != nil {
		return err
	}
	if _, err := identity(ctx, config.StateDir); err != nil {
		return err
	}
	logger, closeLog, err := a.logger(config.Log)
	if err != nil {
		return err
	}
	options, err := a.options(config, logger)
	if err == nil {
		err = agent.Rest(ctx, config, options, do)
	}
	return errors.Join(err, closeLog())
}
