package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"gantry/configs"
	"gantry/configs/logfile"
	"gantry/relay"
	"gantry/relay/admin"
)

func (a *app) serve() *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Serve the API and the agents' tunnel", Args: args(cobra.NoArgs),
		Long: `Serve the API and the agents' tunnel. The first Ctrl-C (or SIGTERM) tells the agents and lets the calls under
way finish; the second ends it at once. An invalid configuration exits 78.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runRelay(cmd.Context()) },
	}
}

func (a *app) runRelay(ctx context.Context) error {
	config, err := a.load()
	if err != nil {
		return err
	}
	logger, closeLog, err := a.logger(config.Log)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(ctx, stop)() // from the first signal on, one has its usual effect
	return errors.Join(serve(ctx, config, logger), closeLog())
}

// serve runs the relay, and its administration beside it, until ctx ends or one of them fails.
func serve(ctx context.Context, config configs.Relay, logger *slog.Logger) error {
	service, err := relay.New(config, relay.Options{Logger: logger})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	listener, err := admin.Listen(config.DataDir)
	if err != nil {
		stop()
		return errors.Join(err, service.Run(ctx)) // which closes what New opened
	}
	administered := make(chan error, 1)
	go func() {
		defer stop()
		administered <- admin.Serve(ctx, listener, admin.Direct{Store: service.Store()}, logger)
	}()
	err = service.Run(ctx)
	stop()
	return errors.Join(err, <-administered)
}

// logger opens the log as the configuration says; -v and -q win over its level.
func (a *app) logger(config configs.Log) (*slog.Logger, func() error, error) {
	return logfile.Logger(config, logfile.Place(config, configs.RelayLogName), a.level(config), a.talk)
}

func (a *app) level(config configs.Log) slog.Level {
	switch {
	case a.verbose:
		return slog.LevelDebug
	case a.quiet:
		return slog.LevelError
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(config.Level)); err != nil { // the configuration was validated
		return slog.LevelInfo
	}
	return level
}
