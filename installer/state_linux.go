package installer

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// properties are those of systemd that a State is made of.
const properties = "LoadState,ActiveState,SubState,StateChangeTimestampMonotonic,MainPID,NRestarts,User,FragmentPath,UnitFileState," +
	"Result,ExecMainCode,ExecMainStatus,ExecStart,StatusText"

// State implements Service. It needs no administrator.
func (s *systemd) State(ctx context.Context) (State, error) {
	text, err := output(ctx, "systemctl", "show", "--no-pager", "--property="+properties, s.unit())
	if err != nil {
		return State{}, err
	}
	state := parseState(text, monotonic())
	state.Packaged = state.Installed && state.Unit != "" && !strings.HasPrefix(state.Unit, "/etc/") && !strings.HasPrefix(state.Unit, "/run/")
	return state, nil
}

// parseState reads what `systemctl show` prints. boot is the time that systemd counts from.
func parseState(text string, boot time.Time) State {
	p := map[string]string{}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		p[key] = value
	}
	s := State{
		Manager: "systemd", Installed: p["LoadState"] != "not-found" && p["LoadState"] != "", Enabled: strings.HasPrefix(p["UnitFileState"], "enabled"),
		Phase: p["ActiveState"], PID: number(p["MainPID"]), Restarts: number(p["NRestarts"]), Account: p["User"], Unit: p["FragmentPath"],
		Binary: startedProgram(p["ExecStart"]), LastExit: lastExit(p), Sentence: p["StatusText"],
	}
	s.Running = s.Phase == "active" || s.Phase == "reloading"
	if since := number(p["StateChangeTimestampMonotonic"]); since > 0 {
		s.Since = boot.Add(time.Duration(since) * time.Microsecond).Truncate(time.Millisecond)
	}
	if s.Installed && s.Account == "" {
		s.Account = "root"
	}
	return s
}

// number reads a number that systemd wrote; what is none, as the empty PID of a dead service, is 0.
func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}

// startedProgram finds the path in systemd's `{ path=/usr/bin/gantry-agent ; argv[]=… }`.
func startedProgram(text string) string {
	_, rest, _ := strings.Cut(text, "path=")
	path, _, _ := strings.Cut(rest, " ;")
	return path
}

// lastExit says how the service last ended, where that was not well.
func lastExit(p map[string]string) string {
	if p["Result"] == "" || p["Result"] == "success" {
		return ""
	}
	switch p["ExecMainCode"] {
	case "1":
		return p["Result"] + ", exit code " + p["ExecMainStatus"]
	case "2", "3":
		return fmt.Sprintf("%s, signal %s", p["Result"], p["ExecMainStatus"])
	}
	return p["Result"]
}

// monotonic is the time at which the clock that systemd counts by stood at zero.
func monotonic() time.Time {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil { // every Linux has it
		return time.Time{}
	}
	return time.Now().Add(-time.Duration(now.Nano()))
}
