package main

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"

	"github.com/spf13/cobra"

	"gantry/agent/control"
	"gantry/configs"
	"gantry/configs/cli"
)

// app is one run of the program: the frame that both command lines share, and what this one adds.
type app struct {
	*cli.Frame
	events slog.Handler // the service manager's own log, for warnings and errors; nil: standard error is that
}

const longHelp = `gantry-agent connects the systems of this plant to a cloud application. It dials
out to one relay, listens on no network port, and does nothing that the policy in
its configuration does not allow.

  gantry-agent install --token-file token.txt    make it a service, connected
  gantry-agent policy allow target db:5432       say what it may reach
  gantry-agent status                            see how it is
  gantry-agent uninstall                         remove it`

func newApp(in io.Reader, out, talk io.Writer) *app {
	return &app{Frame: cli.New(cli.Program{
		Name: "gantry-agent", Short: "The agent in the plant", Long: longHelp, Version: version,
		Config: "default " + configs.DefaultAgentFile(), Folder: "state-dir", Classify: classify,
	}, in, out, talk)}
}

// commands are all commands of the program.
func (a *app) commands() *cobra.Command {
	root := a.Root(a.install(), a.uninstall(), a.start(), a.stop(), a.restart(), a.reload(), a.run(), a.service(), a.enroll(), a.unenroll(), a.status(), a.doctor(), a.netcheck(), a.bundle(), a.logs(), a.connections(), a.support(), a.writes(), a.connectors(), a.policy(), a.config(), a.Version())
	root.SetHelpCommand(a.help())
	root.AddCommand(a.platform()...)
	return root
}

// file is the configuration file that holds.
func (a *app) file() string {
	if a.ConfigFile != "" {
		return a.ConfigFile
	}
	return configs.DefaultAgentFile()
}

// load reads the configuration; --state-dir wins over it.
func (a *app) load() (configs.Agent, error) {
	config, err := configs.LoadAgent(a.ConfigFile)
	if errors.Is(err, fs.ErrNotExist) {
		return config, cli.Fail(cli.ExitConfig, "Check the path given with --config.", "there is no configuration file %s", a.ConfigFile)
	}
	if a.Folder != "" {
		config.StateDir = a.Folder
	}
	return config, err
}

// client asks the running agent. A faulty configuration does not keep from asking: its defaults tell the place.
func (a *app) client() *control.Client {
	config, _ := a.load()
	return control.NewClient(config.StateDir)
}
