package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"gantry/agent/control"
	"gantry/configs"
)

// app is what all commands share: the streams and the global flags.
type app struct {
	in        io.Reader
	out, talk io.Writer

	configFile     string // empty: the default place
	stateDir       string // empty: the configuration's
	json, noColor  bool
	quiet, verbose bool
	yes            bool
	timeout        time.Duration
}

const longHelp = `gantry-agent connects the systems of this plant to a cloud application. It dials out to one relay,
listens on no network port, and does nothing that the policy in its configuration does not allow.

  gantry-agent enroll --token-file token.txt     make this machine known to the relay, once
  gantry-agent policy allow target db:5432       say what it may reach
  gantry-agent run                               start it in the foreground
  gantry-agent status                            see how it is

Exit codes: 0 ok, 1 failed, 2 usage, 3 not enrolled, 4 needs an administrator, 5 not running,
6 relay unreachable, 7 refused by the relay, 8 timed out, 9 conflict, 78 invalid configuration.`

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:               "gantry-agent",
		Short:             "The agent in the plant",
		Long:              longHelp,
		Args:              a.unknown,
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return a.prepare(cmd) },
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fail(exitUsage, "See: "+cmd.CommandPath()+" --help", "%w", err)
	})
	flags := root.PersistentFlags()
	flags.StringVar(&a.configFile, "config", "", "configuration `file` (default "+configs.DefaultAgentFile()+")")
	flags.StringVar(&a.stateDir, "state-dir", "", "state `folder` (default: the configuration's state_dir)")
	flags.BoolVar(&a.json, "json", false, "answer with one JSON document")
	flags.BoolVar(&a.noColor, "no-color", false, "no colours, as with NO_COLOR")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "say nothing but the answer and errors")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "say more")
	flags.DurationVar(&a.timeout, "timeout", 30*time.Second, "give up after this `time`")
	flags.BoolVar(&a.yes, "yes", false, "do not ask back")
	root.AddCommand(a.run(), a.enroll(), a.unenroll(), a.status(), a.connections(), a.writes(), a.connectors(), a.policy(), a.config(), a.version())
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	return root
}

// prepare makes the paths absolute at once: a service may start elsewhere.
func (a *app) prepare(cmd *cobra.Command) error {
	for _, path := range []*string{&a.configFile, &a.stateDir} {
		if *path == "" {
			continue
		}
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return fail(exitUsage, "Give the whole path.", "find %s: %w", *path, err)
		}
		*path = absolute
	}
	if a.timeout <= 0 {
		return fail(exitUsage, "See: "+cmd.CommandPath()+" --help", "--timeout must be positive")
	}
	return nil
}

// unknown answers for a word that is no command, with the near one.
func (a *app) unknown(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, append(sub.Aliases, sub.Name())...)
		}
	}
	fix := "See: " + cmd.CommandPath() + " --help"
	if near := configs.Nearest(args[0], names); near != "" {
		fix = "Did you mean: " + cmd.CommandPath() + " " + near
	}
	return fail(exitUsage, fix, "%q is no command of %s", args[0], cmd.CommandPath())
}

// group is a command that only has others below it.
func (a *app) group(use, short string, subs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: a.unknown, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(subs...)
	return cmd
}

// args wraps cobra's checks of arguments, so that a wrong number of them exits with the usage code.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, given []string) error {
		if err := check(cmd, given); err != nil {
			return fail(exitUsage, "Usage: "+cmd.UseLine(), "%w", err)
		}
		return nil
	}
}

// bounded gives a context that ends with --timeout.
func (a *app) bounded(cmd *cobra.Command) (context.Context, context.CancelFunc) {
	return context.WithTimeout(cmd.Context(), a.timeout)
}

// file is the configuration file that holds.
func (a *app) file() string {
	if a.configFile != "" {
		return a.configFile
	}
	return configs.DefaultAgentFile()
}

// load reads the configuration; --state-dir wins over it.
func (a *app) load() (configs.Agent, error) {
	config, err := configs.LoadAgent(a.configFile)
	if errors.Is(err, fs.ErrNotExist) {
		return config, fail(exitConfig, "Check the path given with --config.", "there is no configuration file %s", a.configFile)
	}
	if a.stateDir != "" {
		config.StateDir = a.stateDir
	}
	return config, err
}

// client asks the running agent. A faulty configuration does not keep from asking: its defaults tell the place.
func (a *app) client() *control.Client {
	config, _ := a.load()
	return control.NewClient(config.StateDir)
}

// say talks to the person, unless --quiet.
func (a *app) say(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.talk, format+"\n", args...)
	}
}

// print writes a line of the answer.
func (a *app) print(format string, args ...any) { fmt.Fprintf(a.out, format+"\n", args...) }
