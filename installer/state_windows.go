package installer

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"
)

// phases are the manager's words for the states of a service.
var phases = map[svc.State]string{
	svc.Stopped: "STOPPED", svc.StartPending: "START_PENDING", svc.StopPending: "STOP_PENDING", svc.Running: "RUNNING",
	svc.ContinuePending: "CONTINUE_PENDING", svc.PausePending: "PAUSE_PENDING", svc.Paused: "PAUSED",
}

// packageKey is where the MSI notes that the service is its own: the value Package, its product code.
const packageKey = `SOFTWARE\Gantry\Agent`

// State implements Service. It needs no administrator.
func (s *scm) State(context.Context) (State, error) {
	state := State{Manager: "windows", Unit: `HKLM\SYSTEM\CurrentControlSet\Services\` + s.spec.Name, Packaged: packaged()}
	err := s.with(windows.SERVICE_QUERY_STATUS|windows.SERVICE_QUERY_CONFIG, func(h *mgr.Service) error {
		status, err := h.Query()
		if err != nil {
			return fmt.Errorf("ask for the service's status: %w", err)
		}
		config, err := definition(h.Handle)
		if err != nil {
			return fmt.Errorf("ask for the service's definition: %w", err)
		}
		state.Installed = true
		state.Enabled = config.StartType == mgr.StartAutomatic
		state.Phase, state.Running = phases[status.State], status.State == svc.Running
		state.PID, state.Since = int(status.ProcessId), begun(status.ProcessId)
		state.Account = windows.UTF16PtrToString(config.ServiceStartName)
		state.Binary = program(windows.UTF16PtrToString(config.BinaryPathName))
		state.LastExit = exit(status)
		return nil
	})
	if errors.Is(err, ErrNotInstalled) {
		return State{Manager: "windows"}, nil
	}
	return state, err
}

// definition is mgr's Config without what only a later call gives, which Wine does not know.
func definition(h windows.Handle) (*windows.QUERY_SERVICE_CONFIG, error) {
	buffer := make([]byte, 8<<10) // what Windows allows at most
	config := (*windows.QUERY_SERVICE_CONFIG)(pointer(&buffer[0]))
	var needed uint32
	return config, windows.QueryServiceConfig(h, config, uint32(len(buffer)), &needed)
}

func packaged() bool {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, packageKey, registry.QUERY_VALUE|registry.WOW64_64KEY)
	if err != nil {
		return false
	}
	defer key.Close() //nolint:errcheck // it was only read
	_, _, err = key.GetStringValue("Package")
	return err == nil
}

// program finds the program in a command line.
func program(command string) string {
	words, err := windows.DecomposeCommandLine(command)
	if err != nil || len(words) == 0 {
		return command
	}
	return words[0]
}

// exit says how the service last ended, where that was not well.
func exit(status svc.Status) string {
	switch code := windows.Errno(status.Win32ExitCode); {
	case status.State != svc.Stopped, code == windows.ERROR_SUCCESS, code == windows.ERROR_SERVICE_NEVER_STARTED:
		return ""
	case code == windows.ERROR_SERVICE_SPECIFIC_ERROR:
		return fmt.Sprintf("exit code %d", status.ServiceSpecificExitCode)
	default:
		return fmt.Sprintf("error %d: %s", uint32(code), code.Error())
	}
}

// begun is when a process started; the zero time for one that this account may not ask.
func begun(pid uint32) time.Time {
	if pid == 0 {
		return time.Time{}
	}
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, pid)
	if err != nil {
		return time.Time{}
	}
	defer windows.CloseHandle(h) //nolint:errcheck // nothing is left to be done with it
	var creation, exit, kernel, user windows.Filetime
	if windows.GetProcessTimes(h, &creation, &exit, &kernel, &user) != nil {
		return time.Time{}
	}
	return time.Unix(0, creation.Nanoseconds()).UTC().Truncate(time.Millisecond)
}

func pointer[T any](p *T) unsafe.Pointer { return unsafe.Pointer(p) }
