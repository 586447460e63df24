package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"gantry/agent"
	"gantry/configs"
	"gantry/configs/cli"
	"gantry/configs/logfile"
	"gantry/connectors/definition"
	"gantry/installer/notify"
)

func (a *app) run() *cobra.Command {
	return &cobra.Command{
		Use: "run", Short: "Run the agent in the foreground", Args: cli.Args(cobra.NoArgs),
		Long: `Run the agent in the foreground. The first Ctrl-C (or SIGTERM) lets the calls under way finish; the second
ends it at once. SIGHUP reads the policy again. An invalid configuration exits 78.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.serve(cmd.Context()) },
	}
}

// serve runs the agent until a signal.
func (a *app) serve(ctx context.Context) error {
	config, err := a.load()
	if err != nil {
		return err
	}
	logger, closeLog, err := a.logger(config.Log)
	if err != nil {
		return err
	}
	options, err := a.options(config, logger)
	if err != nil {
		return errors.Join(err, closeLog())
	}
	service, err := agent.New(config, options)
	if err != nil {
		return errors.Join(err, closeLog())
	}
	ctx, stop := cli.UntilSignal(ctx, func() { logger.Info("agent drains, a second signal ends it at once") })
	defer stop()
	return errors.Join(withReloads(ctx, service, notify.Socket{}, logger), closeLog())
}

// withReloads runs the agent, and reads the configuration again on each SIGHUP meanwhile.
func withReloads(ctx context.Context, service *agent.Agent, manager notify.Socket, logger *slog.Logger) error {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	ended := make(chan error, 1)
	go func() { ended <- service.Run(ctx) }()
	for {
		select {
		case err := <-ended:
			return err
		case <-hangups:
			unheard(logger, manager.Reloading())
			if _, err := service.Reload(ctx); err != nil {
				logger.Error("configuration not reloaded, the one before stays in force", "error", err)
			}
			unheard(logger, manager.Ready())
		}
	}
}

// options are what the agent needs beside its configuration.
func (a *app) options(config configs.Agent, logger *slog.Logger) (agent.Options, error) {
	set, err := definitions(config)
	if err != nil {
		return agent.Options{}, err
	}
	return agent.Options{
		Version: version, ConfigFile: a.file(), Drivers: drivers(), Definitions: set, Logger: logger, LogFile: logfile.Place(config.Log, configs.AgentLogName),
		LoadDefinitions: func() (*definition.Set, error) { return definitions(config) },
	}, nil
}

// logger opens the log as the configuration says.
func (a *app) logger(config configs.Log) (*slog.Logger, func() error, error) {
	logger, closeLog, err := a.Logger(config, configs.AgentLogName)
	if err != nil || a.events == nil {
		return logger, closeLog, err
	}
	return slog.New(slog.NewMultiHandler(logger.Handler(), a.events)), closeLog, nil
}
