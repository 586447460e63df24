package main

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"gantry/agent"
	"gantry/agent/control"
	"gantry/agent/journal"
	"gantry/configs/cli"
)

func (a *app) writes() *cobra.Command {
	return cli.Group("writes", "Show and resolve the writes of unknown outcome",
		&cobra.Command{Use: "list", Short: "List the writes that may or may not have happened", Args: cli.Args(cobra.NoArgs),
			RunE: func(cmd *cobra.Command, _ []string) error { return a.writesList(cmd) }},
		a.writesSettle())
}

// writesDocument is the --json form of `writes list`.
type writesDocument struct {
	Schema int             `json:"schema"`
	Writes []control.Write `json:"writes"`
}

func (a *app) writesList(cmd *cobra.Command) error {
	ctx, cancel := a.Bounded(cmd)
	defer cancel()
	all, err := a.client().Writes(ctx)
	if errors.Is(err, control.ErrNotRunning) {
		all, err = a.storedWrites(ctx)
	}
	if err != nil {
		return err
	}
	rows := make([][]string, len(all))
	for i, w := range all {
		rows[i] = []string{w.ID, w.Since.UTC().Format(time.RFC3339), what(w), cmp.Or(w.Key, "-"), w.Connection}
	}
	a.AnswerTable(writesDocument{control.Schema, append([]control.Write{}, all...)}, "No writes of unknown outcome.",
		[]string{"ID", "SINCE", "WRITE", "KEY", "CONNECTION"}, rows)
	return nil
}

// what says a write in words: approve purchase-orders 7.
func what(w control.Write) string {
	text := w.Operation + " " + w.Entity
	if w.RecordID != "" {
		text += " " + w.RecordID
	}
	return text
}

func (a *app) storedWrites(ctx context.Context) ([]control.Write, error) {
	config, err := a.load()
	if err != nil {
		return nil, err
	}
	if _, err := identity(ctx, config.StateDir); err != nil {
		return nil, err
	}
	return agent.StoredWrites(ctx, config.StateDir)
}

func (a *app) writesSettle() *cobra.Command {
	var done, notDone bool
	cmd := &cobra.Command{
		Use: "settle ID (--done | --not-done)", Short: "Say what became of one of them", Args: cli.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: cli.Complete(a.writeWords),
		Long: `Look into the system, then say what became of the write. After --done its key never runs again; after
--not-done a caller may send it again, with the same key. The agent's log keeps what you said.`,
		RunE: func(cmd *cobra.Command, given []string) error {
			if done == notDone {
				return cli.Fail(cli.ExitUsage, "Look into the system, then give --done or --not-done.", "one of --done and --not-done is needed")
			}
			return a.settle(cmd, given[0], done)
		},
	}
	cmd.Flags().BoolVar(&done, "done", false, "it happened")
	cmd.Flags().BoolVar(&notDone, "not-done", false, "it did not happen")
	return cmd
}

func (a *app) settle(cmd *cobra.Command, id string, happened bool) error {
	ctx, cancel := a.Bounded(cmd)
	defer cancel()
	w, err := a.client().ResolveWrite(ctx, id, happened)
	if errors.Is(err, control.ErrNotRunning) {
		w, err = a.settleStored(ctx, id, happened)
	}
	if errors.Is(err, journal.ErrNoWrite) {
		return cli.Fail(cli.ExitFailed, "See: gantry-agent writes list", "%w", err)
	}
	if err != nil {
		return err
	}
	if a.JSON {
		a.PrintJSON(settledDocument{control.Schema, happened, w})
		return nil
	}
	a.Print("%s: %s %s.", w.ID, what(w), map[bool]string{true: "is done; its key never runs again", false: "did not happen; its key may run again"}[happened])
	return nil
}

func (a *app) settleStored(ctx context.Context, id string, happened bool) (control.Write, error) {
	config, err := a.load()
	if err != nil {
		return control.Write{}, err
	}
	if _, err := identity(ctx, config.StateDir); err != nil {
		return control.Write{}, err
	}
	logger, closeLog, err := a.logger(config.Log)
	if err != nil {
		return control.Write{}, err
	}
	w, err := agent.ResolveStoredWrite(ctx, config.StateDir, id, happened, logger)
	return w, errors.Join(err, closeLog())
}
