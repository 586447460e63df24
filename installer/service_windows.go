package installer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kardianos/service"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"
	"golang.org/x/sys/windows/svc/mgr"
)

// localSystem is the account where the service's own may not log on.
const localSystem = "LocalSystem"

// patience bounds how long the service may take to change its state.
const patience = 60 * time.Second

// scm is the service in Windows' service control manager. kardianos/service makes its definition; what that knows
// nothing of (recovery, delayed start, the way to the end of a stop) goes through golang.org/x/sys/windows/svc/mgr.
type scm struct{ spec Spec }

// NewService gives the service of this machine's manager.
func NewService(spec Spec) (Service, error) { return &scm{spec}, nil }

// Install implements Service. The account is the service's own, which Windows makes and forgets with the service.
func (s *scm) Install(ctx context.Context) error {
	state, err := s.State(ctx)
	if err != nil {
		return err
	}
	if state.Packaged {
		return errors.New("the service belongs to the MSI: repair that, with msiexec /f")
	}
	if !state.Installed {
		if err := s.define(); err != nil {
			return err
		}
	}
	return s.mend()
}

func (s *scm) define() error {
	for _, account := range []string{s.spec.Layout.Account, localSystem} {
		manager, err := service.New(nil, &service.Config{
			Name: s.spec.Name, DisplayName: s.spec.Title, Description: s.spec.Description,
			Executable: s.spec.Layout.Binary, Arguments: s.spec.Arguments, UserName: account,
		})
		if err != nil {
			return fmt.Errorf("find the service manager: %w", err)
		}
		err = manager.Install()
		if !errors.Is(err, windows.ERROR_INVALID_SERVICE_ACCOUNT) {
			return explain(err)
		}
	}
	return explain(windows.ERROR_INVALID_SERVICE_ACCOUNT)
}

// mend gives a service that is defined, by whomever, what it should have: the program that it starts, when it starts,
// what Windows does when it ends, and its source in the event log. The MSI, which can define a service but not all of
// this, calls it as well.
func (s *scm) mend() error {
	if err := eventSource(s.spec.Name); err != nil {
		return err
	}
	return s.with(windows.SERVICE_ALL_ACCESS, func(h *mgr.Service) error {
		command, err := windows.UTF16PtrFromString(windows.ComposeCommandLine(append([]string{s.spec.Layout.Binary}, s.spec.Arguments...)))
		if err != nil {
			return err
		}
		const keep = windows.SERVICE_NO_CHANGE
		if err := windows.ChangeServiceConfig(h.Handle, keep, mgr.StartAutomatic, mgr.ErrorNormal, command, nil, nil, nil, nil, nil, nil); err != nil {
			return fmt.Errorf("change the service's definition: %w", err)
		}
		return errors.Join(delayed(h.Handle), unhurried(h.Handle), recovery(h))
	})
}

// delayed has the service start after those that the machine itself needs.
func delayed(h windows.Handle) error {
	info := windows.SERVICE_DELAYED_AUTO_START_INFO{IsDelayedAutoStartUp: 1}
	err := windows.ChangeServiceConfig2(h, windows.SERVICE_CONFIG_DELAYED_AUTO_START_INFO, (*byte)(pointer(&info)))
	return settable("delayed start", err)
}

// unhurried has a machine that shuts down wait for the calls under way: the agent lets them run for half a minute.
func unhurried(h windows.Handle) error {
	milliseconds := uint32(45_000)
	err := windows.ChangeServiceConfig2(h, windows.SERVICE_CONFIG_PRESHUTDOWN_INFO, (*byte)(pointer(&milliseconds)))
	return settable("time to shut down", err)
}

// recovery has Windows start the service again whenever it ends without having been asked to: soon, then less soon.
func recovery(h *mgr.Service) error {
	const day = 24 * 60 * 60
	actions := []mgr.RecoveryAction{
		{Type: mgr.ServiceRestart, Delay: 2 * time.Second},
		{Type: mgr.ServiceRestart, Delay: 10 * time.Second},
		{Type: mgr.ServiceRestart, Delay: time.Minute},
	}
	return errors.Join(
		settable("recovery", h.SetRecoveryActions(actions, day)),
		settable("recovery after an exit", h.SetRecoveryActionsOnNonCrashFailures(true)))
}

// settable forgives a system that does not know a setting, as Wine.
func settable(what string, err error) error {
	if err == nil || errors.Is(err, windows.ERROR_INVALID_LEVEL) {
		return nil
	}
	return fmt.Errorf("set the service's %s: %w", what, err)
}

// eventSource registers the service's name in the event log, with the messages of Windows' own EventCreate.
func eventSource(name string) error {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, eventSources+name, registry.QUERY_VALUE)
	if err == nil {
		return key.Close() // the last installation, or the MSI, did it
	}
	if err := eventlog.InstallAsEventCreate(name, eventlog.Error|eventlog.Warning|eventlog.Info); err != nil {
		return fmt.Errorf("register with the event log: %w", err)
	}
	return nil
}

const eventSources = `SYSTEM\CurrentControlSet\Services\EventLog\Application\`

// Uninstall implements Service. A service that does not stop in time is ended.
func (s *scm) Uninstall(ctx context.Context) error {
	state, err := s.State(ctx)
	if err != nil {
		return err
	}
	if state.Packaged {
		return errors.New("the service belongs to the MSI: remove that, in the settings or with msiexec /x")
	}
	if state.Installed {
		if err := s.Stop(ctx); err != nil {
			if err := errors.Join(err, kill(state.PID)); state.PID == 0 || ctx.Err() != nil {
				return err
			}
		}
		if err := s.with(windows.DELETE, func(h *mgr.Service) error { return h.Delete() }); err != nil {
			return err
		}
		if err := s.forgotten(ctx); err != nil {
			return err
		}
	}
	if err := eventlog.Remove(s.spec.Name); err != nil && !errors.Is(err, registry.ErrNotExist) {
		return fmt.Errorf("remove from the event log: %w", err)
	}
	return nil
}

func kill(pid int) error {
	h, err := windows.OpenProcess(windows.PROCESS_TERMINATE, false, uint32(pid))
	if err != nil {
		return fmt.Errorf("end process %d: %w", pid, err)
	}
	return errors.Join(windows.TerminateProcess(h, 1), windows.CloseHandle(h))
}

// forgotten waits until the manager has let go of a service that was deleted.
func (s *scm) forgotten(ctx context.Context) error {
	return wait(ctx, "the manager still knows the service: close the window that shows services", func() (bool, error) {
		state, err := s.State(ctx)
		return !state.Installed, err
	})
}

// Start implements Service.
func (s *scm) Start(ctx context.Context) error {
	err := s.start(ctx)
	if !errors.Is(err, windows.ERROR_SERVICE_LOGON_FAILED) {
		return err
	}
	// A policy of the domain denies services' own accounts the logon.
	if err := s.runAs(localSystem); err != nil {
		return err
	}
	return s.start(ctx)
}

func (s *scm) start(ctx context.Context) error {
	err := s.with(windows.SERVICE_START, func(h *mgr.Service) error { return h.Start() })
	if err != nil && !errors.Is(err, windows.ERROR_SERVICE_ALREADY_RUNNING) {
		return err
	}
	return wait(ctx, "the service does not start", func() (bool, error) {
		state, err := s.State(ctx)
		if err == nil && state.Phase == phases[svc.Stopped] {
			err = fmt.Errorf("the service ended at once (%s): the event log says why", state.LastExit)
		}
		return state.Running, err
	})
}

// runAs changes the account.
func (s *scm) runAs(account string) error {
	return s.with(windows.SERVICE_ALL_ACCESS, func(h *mgr.Service) error {
		name, err := windows.UTF16PtrFromString(account)
		if err != nil {
			return err
		}
		const keep = windows.SERVICE_NO_CHANGE
		return windows.ChangeServiceConfig(h.Handle, keep, keep, keep, nil, nil, nil, nil, name, nil, nil)
	})
}

// Stop implements Service.
func (s *scm) Stop(ctx context.Context) error {
	return wait(ctx, "the service does not stop", func() (bool, error) {
		state, err := s.State(ctx)
		switch {
		case err != nil:
			return false, err
		case !state.Installed:
			return false, ErrNotInstalled
		case state.Phase == phases[svc.Stopped]:
			return true, nil
		case state.Phase == phases[svc.StopPending], state.Phase == phases[svc.StartPending]:
			return false, nil
		}
		err = s.with(windows.SERVICE_STOP, func(h *mgr.Service) error { _, err := h.Control(svc.Stop); return err })
		if errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE) || errors.Is(err, windows.ERROR_SERVICE_CANNOT_ACCEPT_CTRL) {
			err = nil // it went into another state meanwhile
		}
		return false, err
	})
}

// Restart implements Service.
func (s *scm) Restart(ctx context.Context) error {
	if err := s.Stop(ctx); err != nil {
		return err
	}
	return s.Start(ctx)
}

// with opens the service with no more rights than are needed.
func (s *scm) with(access uint32, do func(*mgr.Service) error) error {
	manager, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT)
	if err != nil {
		return explain(err)
	}
	defer windows.CloseServiceHandle(manager) //nolint:errcheck // nothing is left to be done with it
	name, err := windows.UTF16PtrFromString(s.spec.Name)
	if err != nil {
		return err
	}
	handle, err := windows.OpenService(manager, name, access)
	if err != nil {
		return explain(err)
	}
	defer windows.CloseServiceHandle(handle) //nolint:errcheck // nothing is left to be done with it
	return explain(do(&mgr.Service{Name: s.spec.Name, Handle: handle}))
}

// explain makes the errors of this package of Windows' own.
func explain(err error) error {
	switch {
	case errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST):
		return ErrNotInstalled
	case errors.Is(err, windows.ERROR_ACCESS_DENIED):
		return ErrElevation
	case errors.Is(err, windows.ERROR_SERVICE_MARKED_FOR_DELETE):
		return fmt.Errorf("%w: close the window that shows services, or restart the machine", err)
	}
	return err
}

// wait asks until it is so, within patience.
func wait(ctx context.Context, overdue string, is func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errors.New(overdue))
	defer cancel()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		if done, err := is(); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
	}
}
