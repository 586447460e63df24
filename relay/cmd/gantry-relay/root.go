package main

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/spf13/cobra"

	"gantry/configs"
	"gantry/configs/cli"
	"gantry/tunnel/check"
)

// app is one run of the program: the frame that both command lines share, and what this one adds.
type app struct {
	*cli.Frame
}

// schema is the version of the --json documents.
const schema = cli.Schema

const longHelp = `gantry-relay serves the API to cloud applications, and the tunnel that agents in
the plants dial.

  gantry-relay serve                                   on 127.0.0.1:8480
  gantry-relay orgs create "Example Ltd" --credits 10  found an organisation
  gantry-relay keys create --org org_… --role admin    give it a key

Without a configuration its data is in ./gantry-data. Organisations and keys
are made while it serves, too.`

func newApp(in io.Reader, out, talk io.Writer) *app {
	return &app{Frame: cli.New(cli.Program{
		Name: "gantry-relay", Short: "The relay in the cloud", Long: longHelp, Version: version,
		Config: "default " + configs.DefaultRelayFile + ", where there is one", Folder: "data-dir", Classify: classify,
	}, in, out, talk)}
}

// commands are all commands of the program.
func (a *app) commands() *cobra.Command {
	root := a.Root(a.serve(), a.status(), a.doctor(), a.orgs(), a.keys(), a.sites(), a.agents(), a.connections(), a.webhooks(), a.audit(), a.dashboard(), a.db(), a.config(), a.Version())
	root.SetHelpCommand(a.Help(cli.Glossary{Explain: check.Help, Words: check.Names()}))
	return root
}

// load reads the configuration; --data-dir wins over it.
func (a *app) load() (configs.Relay, error) {
	config, err := configs.LoadRelay(a.ConfigFile)
	if errors.Is(err, fs.ErrNotExist) {
		return config, cli.Fail(cli.ExitConfig, "Check the path given with --config.", "there is no configuration file %s", a.ConfigFile)
	}
	if err != nil {
		return config, err
	}
	if a.Folder != "" {
		config.DataDir = a.Folder
	}
	config.DataDir, err = filepath.Abs(config.DataDir)
	return config, err
}

// list is the --json document of a list.
type list[T any] struct {
	Schema int `json:"schema"`
	Data   []T `json:"data"`
}
