package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"gantry/agent"
	"gantry/configs"
	"gantry/configs/cli"
	"gantry/installer/notify"
)

// tryAgain is the pause before a service that could not start looks whether it can now.
const tryAgain = 10 * time.Second

func (a *app) service() *cobra.Command {
	return &cobra.Command{
		Use: "service", Short: "What the service manager starts", Args: cli.Args(cobra.NoArgs), Hidden: true,
		Long: `What the service manager starts. Unlike run it never ends on what a person has to mend: without an
enrolment it waits for one, with a faulty configuration it stays up and refuses every call, and when its state cannot
be opened it tries again; the status says why.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.managed(cmd.Context(), a.live)
		},
	}
}

// life is the service over all its attempts, as the service manager sees it.
type life struct {
	manager notify.Socket
	agent   atomic.Pointer[agent.Agent]
	trouble atomic.Pointer[string] // why there is no agent
}

var errStarting = errors.New("the agent starts")

// sentence says how the service is. The loop of live is alive as long as either is there.
func (l *life) sentence(ctx context.Context) (string, error) {
	if a := l.agent.Load(); a != nil {
		return a.Sentence(ctx)
	}
	if t := l.trouble.Load(); t != nil {
		return *t, nil
	}
	return "", errStarting
}

// live runs one agent after another until ctx ends.
func (a *app) live(ctx context.Context) error {
	l := &life{manager: notify.FromEnvironment()}
	var watch sync.WaitGroup
	defer watch.Wait()
	watching, end := context.WithCancel(context.WithoutCancel(ctx)) // an agent that drains is alive
	defer end()
	watch.Go(func() { l.manager.Watch(watching, notify.WatchdogFromEnvironment(), l.sentence) })
	defer context.AfterFunc(ctx, func() { _ = l.manager.Stopping() })()
	for ctx.Err() == nil {
		err := a.attempt(ctx, l)
		switch {
		case ctx.Err() != nil:
			return err
		case errors.Is(err, agent.ErrMended):
		case err != nil:
			text := fmt.Sprintf("Cannot start: %v", err)
			if before := l.trouble.Swap(&text); before == nil || *before != text {
				a.troubled(fmt.Sprintf("The agent cannot start: %v. It tries again every %s.", err, tryAgain))
			}
			pause(ctx)
		}
	}
	return nil
}

// pause waits until there is a point in trying again: some time, or a reload.
func pause(ctx context.Context) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	select {
	case <-ctx.Done():
	case <-hangups:
	case <-time.After(tryAgain):
	}
}

// attempt makes an agent of the configuration as it is now, or of what is sound in it, and runs it.
func (a *app) attempt(ctx context.Context, l *life) error {
	config, problem := a.salvage()
	logger, closeLog, err := a.logger(config.Log)
	if err != nil {
		problem = errors.Join(problem, err)
		config.Log = configs.DefaultLog()
		if logger, closeLog, err = a.logger(config.Log); err != nil {
			return err
		}
	}
	options, err := a.options(config, logger)
	if err != nil {
		problem = errors.Join(problem, err)
		config.Definitions = ""
		if options, err = a.options(config, logger); err != nil {
			return errors.Join(err, closeLog())
		}
	}
	options.AwaitEnrolment, options.RuntimeDir = true, os.Getenv("RUNTIME_DIRECTORY")
	if problem != nil {
		options.Problem, config.Policy = problem.Error(), configs.Policy{}
		logger.Error("configuration is faulty, every call is refused until it is mended", "error", problem)
	}
	service, err := agent.New(config, options)
	if err != nil {
		return errors.Join(err, closeLog())
	}
	l.agent.Store(service)
	defer l.agent.Store(nil)
	return errors.Join(withReloads(ctx, service, l.manager, logger), closeLog())
}

// salvage reads the configuration, and gives what can be used of a faulty one beside what is wrong with it.
func (a *app) salvage() (configs.Agent, error) {
	config, err := a.load()
	if err == nil {
		return config, nil
	}
	problems, ok := errors.AsType[*configs.Problems](err)
	if !ok {
		problems, config = &configs.Problems{}, configs.DefaultAgent()
	}
	config = configs.Salvage(config, problems)
	if a.Folder != "" {
		config.StateDir = a.Folder
	}
	return config, err
}

// unheard notes that the service manager could not be told.
func unheard(logger *slog.Logger, err error) {
	if err != nil {
		logger.Warn("service manager not told", "error", err)
	}
}
