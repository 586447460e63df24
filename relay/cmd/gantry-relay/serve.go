package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/spf13/cobra"

	"gantry/configs"
	"gantry/configs/cli"
	"gantry/installer/notify"
	"gantry/relay"
	"gantry/relay/admin"
)

func (a *app) serve() *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Serve the API and the agents' tunnel", Args: cli.Args(cobra.NoArgs),
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
	logger, closeLog, err := a.Logger(config.Log, configs.RelayLogName)
	if err != nil {
		return err
	}
	ctx, stop := cli.UntilSignal(ctx, nil)
	defer stop()
	return errors.Join(serve(ctx, config, logger), closeLog())
}

// serve runs the relay, and its administration beside it, until ctx ends or one of them fails.
func serve(ctx context.Context, config configs.Relay, logger *slog.Logger) error {
	service, err := relay.New(config, relay.Options{Logger: logger, Version: version})
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
		administered <- admin.Serve(ctx, listener, admin.Service{
			Administration: admin.Direct{Store: service.Store()}, Status: service.Status, SignInLink: service.SignInLink, API: service.Operator(),
		}, logger)
	}()
	told := make(chan struct{})
	go func() {
		defer close(told)
		tellManager(ctx, service)
	}()
	err = service.Run(ctx)
	stop()
	<-told
	return errors.Join(err, <-administered)
}

// tellManager tells the service manager, where one listens, that the relay is ready, how it is, and that it stops.
func tellManager(ctx context.Context, service *relay.Relay) {
	manager := notify.FromEnvironment()
	select {
	case <-service.Ready():
		manager.Watch(ctx, notify.WatchdogFromEnvironment(), service.Sentence)
	case <-ctx.Done():
	}
	_ = manager.Stopping() // a manager that is gone misses nothing
}
