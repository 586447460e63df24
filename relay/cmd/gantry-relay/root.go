package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"gantry/configs"
)

// app is what all commands share: the streams and the global flags.
type app struct {
	out, talk io.Writer

	configFile     string // empty: the default place
	dataDir        string // empty: the configuration's
	json           bool
	quiet, verbose bool
	timeout        time.Duration
}

// schema is the version of the --json documents. It grows when a member changes its meaning.
const schema = 1

const longHelp = `gantry-relay serves the API to cloud applications, and the tunnel that agents in the plants dial.

  gantry-relay serve                                     on 127.0.0.1:8480, its data in ./gantry-data
  gantry-relay orgs create "Example Ltd" --credits 10    found an organisation; works while the relay serves
  gantry-relay keys create --org org_… --role admin      give it a key

Exit codes: 0 ok, 1 failed, 2 usage, 4 needs another account, 5 not running, 8 timed out, 9 conflict,
78 invalid configuration.`

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use: "gantry-relay", Short: "The relay in the cloud", Long: longHelp,
		Args: a.unknown, SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return a.prepare(cmd) },
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fail(exitUsage, "See: "+cmd.CommandPath()+" --help", "%w", err)
	})
	flags := root.PersistentFlags()
	flags.StringVar(&a.configFile, "config", "", "configuration `file` (default "+configs.DefaultRelayFile+", where there is one)")
	flags.StringVar(&a.dataDir, "data-dir", "", "data `folder` (default: the configuration's data_dir)")
	flags.BoolVar(&a.json, "json", false, "answer with one JSON document")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "say nothing but the answer and errors")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "say more")
	flags.DurationVar(&a.timeout, "timeout", 30*time.Second, "give up after this `time`; serve does not")
	root.AddCommand(a.serve(), a.orgs(), a.keys(), a.db(), a.config(), a.version())
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	return root
}

// prepare makes the paths absolute at once.
func (a *app) prepare(cmd *cobra.Command) error {
	for _, path := range []*string{&a.configFile, &a.dataDir} {
		if err := absolute(path); err != nil {
			return err
		}
	}
	if a.timeout <= 0 {
		return fail(exitUsage, "See: "+cmd.CommandPath()+" --help", "--timeout must be positive")
	}
	return nil
}

func absolute(path *string) error {
	if *path == "" {
		return nil
	}
	whole, err := filepath.Abs(*path)
	if err != nil {
		return fail(exitUsage, "Give the whole path.", "find %s: %w", *path, err)
	}
	*path = whole
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
			names = append(names, sub.Name())
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

// load reads the configuration; --data-dir wins over it.
func (a *app) load() (configs.Relay, error) {
	config, err := configs.LoadRelay(a.configFile)
	if errors.Is(err, fs.ErrNotExist) {
		return config, fail(exitConfig, "Check the path given with --config.", "there is no configuration file %s", a.configFile)
	}
	if err != nil {
		return config, err
	}
	if a.dataDir != "" {
		config.DataDir = a.dataDir
	}
	return config, absolute(&config.DataDir)
}

// say talks to the person, unless --quiet.
func (a *app) say(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.talk, format+"\n", args...)
	}
}

// answer prints the document with --json, and otherwise the lines.
func (a *app) answer(document any, lines ...string) {
	if a.json {
		a.printJSON(document)
		return
	}
	for _, line := range lines {
		fmt.Fprintln(a.out, line)
	}
}

func (a *app) printJSON(document any) {
	encoder := json.NewEncoder(a.out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(document) // a closed standard output has nobody behind it
}

// list is the --json document of a list.
type list[T any] struct {
	Schema int `json:"schema"`
	Data   []T `json:"data"`
}
