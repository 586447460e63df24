package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"gantry/agent/control"
	"gantry/agent/logs"
	"gantry/configs"
	"gantry/configs/cli"
	"gantry/installer"
)

// logsAsked are the flags of `logs`.
type logsAsked struct {
	follow  bool
	last    int
	since   time.Duration
	level   string
	request string
}

func (a *app) logs() *cobra.Command {
	var asked logsAsked
	cmd := &cobra.Command{
		Use: "logs", Short: "Show the log, and follow it", Args: cli.Args(cobra.NoArgs),
		Long: `Show the log, and follow it: the log's files, those that were full, and the journal of
the service manager, in order of time. A line that stands in two of them is shown once.
With --json every line is one JSON document.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.showLogs(cmd, asked) },
	}
	flags := cmd.Flags()
	flags.BoolVarP(&asked.follow, "follow", "f", false, "go on until Ctrl-C")
	flags.IntVarP(&asked.last, "lines", "n", 200, "show the newest `N` lines")
	flags.DurationVar(&asked.since, "since", 0, "only lines of the last `time`, as 1h or 90s")
	flags.StringVar(&asked.level, "level", "", "only lines of this `level` or worse: debug, info, warn, error")
	flags.StringVar(&asked.request, "request-id", "", "only lines of this call: the `id` of an error document")
	return cmd
}

// lineDocument is the --json form of `logs`: one for each line of the log, each on a line of its own.
type lineDocument struct {
	Schema    int       `json:"schema"`
	Time      time.Time `json:"time,omitzero"`
	Level     string    `json:"level"`
	RequestID string    `json:"request_id,omitempty"`
	Source    string    `json:"source"` // file or journal
	Text      string    `json:"text"`   // as it was written
}

// options makes what package logs is asked for.
func (l logsAsked) options(now time.Time) (logs.Options, error) {
	o := logs.Options{Follow: l.follow, Last: l.last, RequestID: l.request}
	if l.last < 1 || l.last > logs.MaxLast {
		return o, cli.Fail(cli.ExitUsage, "Give a number from 1 to 100000.", "--lines %d is not possible", l.last)
	}
	if l.since < 0 {
		return o, cli.Fail(cli.ExitUsage, "Give a time as 1h or 90s.", "--since must be positive")
	}
	if l.since > 0 {
		o.Since = now.Add(-l.since)
	}
	if l.level != "" {
		var level slog.Level
		if err := level.UnmarshalText([]byte(l.level)); err != nil {
			return o, cli.Fail(cli.ExitUsage, "Write one of debug, info, warn, error.", "--level %q is not known", l.level)
		}
		o.Level = level
	}
	return o, nil
}

func (a *app) showLogs(cmd *cobra.Command, asked logsAsked) error {
	o, err := asked.options(time.Now())
	if err != nil {
		return err
	}
	ctx, stop := cli.UntilSignal(cmd.Context(), nil)
	defer stop()
	shown, lines := 0, json.NewEncoder(a.Out)
	lines.SetEscapeHTML(false)
	looked, err := logs.Tail(ctx, a.logPlaces(), o, func(l logs.Line) error {
		shown++
		if a.JSON {
			return lines.Encode(lineDocument{control.Schema, l.Time, l.Level.String(), l.RequestID, string(l.Source), l.Text})
		}
		a.Print("%s", l.Text)
		return nil
	})
	if err != nil || ctx.Err() != nil {
		return err
	}
	for _, l := range looked {
		if l.Denied {
			a.Say("Not all could be read: %s: %s. An administrator may (Linux: sudo).", l.Where, l.Problem)
		}
	}
	if shown > 0 {
		return nil
	}
	for _, l := range looked {
		if l.Denied {
			return cli.Told(cli.ExitElevation)
		}
	}
	return cli.Fail(cli.ExitFailed, "Where it logs: `log` in "+a.file()+", or standard error while it runs in the foreground.", "%s", logs.Nothing(looked))
}

// logPlaces are where the agent of this configuration logs. A file that the configuration does not name is the service's.
func (a *app) logPlaces() logs.Places {
	config, err := a.load()
	if _, faulty := errors.AsType[*configs.Problems](err); err != nil && !faulty && !errors.Is(err, fs.ErrNotExist) {
		config = configs.DefaultAgent()
	}
	places := logs.Places{File: config.Log.File}
	if !a.isService() {
		return places
	}
	if places.File == "" {
		places.File = filepath.Join(configs.DefaultAgentLogs(), configs.AgentLogName)
	}
	places.Unit = installer.AgentSpec().Name
	return places
}
