package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gantry/agent"
	"gantry/agent/control"
	"gantry/agent/doctor"
	"gantry/agent/state"
	"gantry/configs"
	"gantry/configs/cli"
	"gantry/installer"
	"gantry/tunnel/check"
	"gantry/tunnel/pki"
)

// thisCommand is what this process is to a person who asks where its proxy is set.
const thisCommand = "this command"

func (a *app) doctor() *cobra.Command {
	var deep, strict bool
	cmd := &cobra.Command{
		Use: "doctor", Aliases: []string{"diagnose", "check"}, Short: "Find out what is broken, and whom to ask", Args: cli.Args(cobra.NoArgs),
		Long: `Find out what is broken, and whom to ask: the machine, the configuration, the network
on the way to the relay, and what the relay says. It changes nothing, and works with
the service running, stopped or not installed; an administrator sees more. Where the
service runs, it goes the way to the relay itself, since its account, environment and
proxy are those that count.

Exit codes: 0 nothing is broken, 1 a check failed, 12 warnings only (with --strict).
Every finding has an id; ` + "`gantry-agent help ID`" + ` explains it.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report := a.examine(cmd, deep)
			a.tell(report)
			return cli.Told(reportCode(report, strict))
		},
	}
	cmd.Flags().BoolVar(&deep, "deep", false, "also measure the throughput, and whether a quiet session holds (two minutes)")
	cmd.Flags().BoolVar(&strict, "strict", false, "exit 12 when there are warnings")
	return cmd
}

// reportCode gives the exit code of a report.
func reportCode(r check.Report, strict bool) int {
	switch {
	case r.Status == check.Failed:
		return cli.ExitFailed
	case r.Status == check.Warned && strict:
		return cli.ExitWarnings
	}
	return cli.ExitOK
}

// examine runs all checks: the running agent those of its way, this process the others.
func (a *app) examine(cmd *cobra.Command, deep bool) check.Report {
	config, _ := a.load() // what is wrong with it, a check says; its defaults tell the place
	o := check.Options{Program: "gantry-agent", Version: version, Progress: a.progress(), Limit: a.given(cmd)}
	machine := a.machine()
	client := control.NewClient(config.StateDir)
	asking, cancel := context.WithTimeout(cmd.Context(), 3*time.Second)
	_, err := client.Status(asking)
	cancel()
	if err == nil {
		return a.examineBoth(cmd.Context(), machine, client, deep, o)
	}
	road := a.ownRoad(cmd.Context(), config, err)
	road.Deep = deep
	if o.Limit == 0 {
		o.Limit = road.Limit()
	}
	connections := make(chan check.Report, 1)
	go func() { connections <- a.connectionsAtRest(cmd.Context(), err, o.Limit) }()
	checks := append(machine.Checks(), road.Checks()...)
	return check.Run(cmd.Context(), checks, o).Join(<-connections)
}

// connectionsAtRest looks at the connections of an agent that does not run; err is why it was not asked.
func (a *app) connectionsAtRest(ctx context.Context, err error, limit time.Duration) (report check.Report) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if errors.Is(err, control.ErrNotRunning) {
		err = a.atRest(ctx, func(rest *agent.Resting) (err error) {
			report, err = rest.CheckConnections(ctx, "")
			return err
		})
	}
	if err == nil || errors.Is(err, state.ErrNotEnrolled) {
		return report
	}
	why := "they cannot be looked at from here: " + err.Error()
	return check.Run(ctx, []check.Check{{Name: "connections.all", Title: "Connections", Run: func(context.Context) check.Outcome {
		return check.Skip(why)
	}}}, check.Options{})
}

// ownRoad is the way as this process goes it; err is why the running agent does not.
func (a *app) ownRoad(ctx context.Context, config configs.Agent, err error) doctor.Road {
	logger := slog.New(slog.DiscardHandler)
	if errors.Is(err, control.ErrNoAccess) {
		a.Say("Only an administrator sees everything: run it with sudo, or as administrator.")
		if s, err := a.running(ctx); err == nil && s.Relay.URL != "" {
			road, err := agent.RoadTo(config, s.Relay.URL, pki.Pin{}, thisCommand, logger)
			if err == nil {
				road.NoIdentity = "only an administrator may show the agent's identity"
				road.Sessions = func(ctx context.Context) ([]control.Session, error) {
					s, err := a.running(ctx)
					return s.Sessions, err
				}
				return road
			}
		}
	}
	return agent.StoredRoad(ctx, config, agent.Options{Version: version, Logger: logger}, thisCommand)
}

// running asks the agent how it is; of the machine's service everybody may ask that.
func (a *app) running(ctx context.Context) (control.Status, error) {
	s, err := a.client().Status(ctx)
	if errors.Is(err, control.ErrNoAccess) && a.isService() {
		return control.NewStatusClient(installer.AgentLayout().Channels()).Status(ctx)
	}
	return s, err
}

// examineBoth looks at the machine while the running agent goes its way.
func (a *app) examineBoth(ctx context.Context, machine doctor.Machine, client *control.Client, deep bool, o check.Options) check.Report {
	limit := doctor.Road{Deep: deep}.Limit() + 2*time.Second
	if o.Limit > 0 {
		limit = o.Limit
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	way := make(chan check.Report, 1)
	go func() {
		report, err := client.Diagnose(ctx, deep)
		if err != nil {
			report = check.Run(ctx, []check.Check{{Name: "host.way", Title: "Running agent", Run: func(context.Context) check.Outcome {
				return check.Fail("HOST-SILENT", "it was asked to look at its way: "+err.Error())
			}}}, check.Options{})
		}
		way <- report
	}()
	report := check.Run(ctx, machine.Checks(), o)
	return report.Join(<-way)
}

// machine is what this process can find out about the machine.
func (a *app) machine() doctor.Machine {
	executable, err := os.Executable()
	if err != nil {
		executable = os.Args[0]
	}
	return doctor.Machine{
		Version: version, Executable: executable, ConfigFile: a.file(), ConfigSet: a.ConfigFile != "", StateDir: a.Folder,
		MachineID: agent.MachineID(), Service: a.serviceState, Running: a.running,
	}
}

// serviceState asks the service manager. An agent that is run on files of its own is not the machine's service.
func (a *app) serviceState(ctx context.Context) (doctor.Service, error) {
	if !a.isService() {
		return doctor.Service{}, errors.New("this is not the service's agent")
	}
	s, err := a.installed(ctx)
	if err != nil {
		return doctor.Service{}, fmt.Errorf("the service manager does not tell: %w", err)
	}
	if s == nil {
		return doctor.Service{}, errors.New("no service manager runs that is known here")
	}
	return doctor.Service{
		Manager: s.Manager, Installed: s.Installed, Packaged: s.Packaged, Enabled: s.Enabled, Running: s.Running, Phase: s.Phase,
		Since: s.Since, Restarts: s.Restarts, Account: s.Account, Binary: s.Binary, Unit: s.Unit, LastExit: s.LastExit,
	}, nil
}

// given is the time that the person gave; 0: none.
func (a *app) given(cmd *cobra.Command) time.Duration {
	if cmd.Flags().Changed("timeout") {
		return a.Timeout
	}
	return 0
}

// progress tells a person who waits at a terminal how far it is; nil where nobody does.
func (a *app) progress() func(done, all int, r check.Result) {
	if a.Quiet || a.JSON || !cli.Terminal(a.Talk) {
		return nil
	}
	return func(done, all int, r check.Result) {
		fmt.Fprintf(a.Talk, "\r%-60.60s", fmt.Sprintf("  %d of %d: %s", done, all, r.Title))
		if done == all {
			fmt.Fprintf(a.Talk, "\r%60s\r", "")
		}
	}
}

// tell prints a report.
func (a *app) tell(r check.Report) {
	if a.JSON {
		a.PrintJSON(r)
		return
	}
	var b strings.Builder
	_ = check.WriteText(&b, r, check.Style{Paint: a.paintStatus, Verbose: a.Verbose}) // a Builder takes everything
	a.Print("%s", strings.TrimSuffix(b.String(), "\n"))
}

func (a *app) paintStatus(s check.Status, text string) string {
	colours := map[check.Status]cli.Colour{check.Passed: cli.Green, check.Warned: cli.Yellow, check.Failed: cli.Red, check.Skipped: cli.Faint}
	return a.Paint(colours[s], text)
}

// help explains commands, findings and error codes.
func (a *app) help() *cobra.Command {
	return a.Help(cli.Glossary{Explain: check.Help, Words: check.Names()})
}
