package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"

	"gantry/configs/cli"
	"gantry/installer"
)

// drainTime is how long the service may take to stop, longer than the agent gives the calls under way.
const drainTime = 45 * time.Second

// managed runs live under the service control manager, which must hear from a service within seconds of its start:
// nothing is read before. On a console, where there is no manager, live runs until Ctrl-C.
func (a *app) managed(ctx context.Context, live func(context.Context) error) error {
	spec := installer.AgentSpec()
	s := &managedService{ctx: ctx, live: live, prepare: func() { a.prepareService(spec) }}
	err := svc.Run(spec.Name, s)
	if errors.Is(err, windows.ERROR_FAILED_SERVICE_CONTROLLER_CONNECT) {
		ctx, stop := cli.UntilSignal(ctx, nil)
		defer stop()
		return live(ctx)
	}
	if err = errors.Join(err, s.err); err != nil {
		a.troubled(fmt.Sprintf("The service ended: %v", err))
	}
	return err
}

// prepareService gives the service what systemd gives one on Linux: folders for the log and for the channels. Nobody
// sees its standard error: a crash goes to a file, and what the program has to say to the event log.
func (a *app) prepareService(spec installer.Spec) {
	for key, folder := range map[string]string{"LOGS_DIRECTORY": spec.Layout.Logs, "RUNTIME_DIRECTORY": spec.Layout.Channels()} {
		if os.Getenv(key) == "" {
			_ = os.Setenv(key, folder) // it fails for impossible names alone
		}
	}
	a.Talk, a.events = io.Discard, newEvents(spec.Name)
	f, err := appendTo("crash.txt")
	if err == nil {
		err = errors.Join(debug.SetCrashOutput(f, debug.CrashOptions{}), f.Close()) // it keeps a handle of its own
	}
	if err != nil {
		slog.New(a.events).Warn("a crash will leave no trace", "error", err)
	}
}

// appendTo opens a file beside the log.
func appendTo(name string) (*os.File, error) {
	return os.OpenFile(filepath.Join(os.Getenv("LOGS_DIRECTORY"), name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
}

// troubled tells why the service cannot work: the event log, and a file for a person who does not look there.
func (a *app) troubled(text string) {
	if a.events == nil { // on a console
		a.Say("%s", text)
		return
	}
	slog.New(a.events).Error(text)
	f, err := appendTo("trouble.txt")
	if err != nil { // the event log has it
		return
	}
	_, err = fmt.Fprintf(f, "%s %s\r\n", time.Now().UTC().Format(time.RFC3339), text)
	if err = errors.Join(err, f.Close()); err != nil {
		slog.New(a.events).Warn("trouble.txt not written", "error", err)
	}
}

// managedService is the program as the service control manager runs it.
type managedService struct {
	ctx     context.Context
	prepare func()
	live    func(context.Context) error
	err     error
}

// Execute implements svc.Handler: it answers the manager until the service has ended.
func (s *managedService) Execute(_ []string, requests <-chan svc.ChangeRequest, answers chan<- svc.Status) (bool, uint32) {
	ctx, stop := context.WithCancel(s.ctx)
	defer stop()
	answers <- svc.Status{State: svc.StartPending, WaitHint: 10_000}
	s.prepare()
	ended := make(chan error, 1)
	go func() { ended <- s.live(ctx) }()
	answers <- svc.Status{State: svc.Running, Accepts: svc.AcceptStop | svc.AcceptPreShutdown}
	for {
		select {
		case err := <-ended:
			return s.end(err)
		case r := <-requests:
			switch r.Cmd {
			case svc.Interrogate:
				answers <- r.CurrentStatus
			case svc.Stop, svc.PreShutdown, svc.Shutdown:
				stop()
				return s.end(drain(ended, requests, answers))
			}
		}
	}
}

// drain tells the manager every second that the stop goes on.
func drain(ended <-chan error, requests <-chan svc.ChangeRequest, answers chan<- svc.Status) error {
	status := svc.Status{State: svc.StopPending, WaitHint: 5000}
	answers <- status
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	overdue := time.After(drainTime)
	for {
		select {
		case err := <-ended:
			return err
		case <-requests: // the answer to everything is the next checkpoint
		case <-overdue:
			return fmt.Errorf("the calls under way did not end within %s", drainTime)
		case <-tick.C:
			status.CheckPoint++
			answers <- status
		}
	}
}

// end gives the exit code: one that is not 0 makes the manager start the service again.
func (s *managedService) end(err error) (specific bool, code uint32) {
	if s.err = err; err == nil {
		return false, 0
	}
	return true, 1
}
