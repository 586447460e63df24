package main

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"gantry/agent/control"
	"gantry/agent/policy/edit"
	"gantry/agent/state"
	"gantry/configs/cli"
	"gantry/installer"
	"gantry/tunnel"
	"gantry/tunnel/enrol"
	"gantry/tunnel/fault"
)

// classify gives the errors of this program their exit code and their advice, in one place; nil: the frame knows.
func classify(err error) *cli.Failure {
	if f, ok := errors.AsType[*edit.Invalid](err); ok {
		return &cli.Failure{Code: cli.ExitUsage, Err: errors.New(f.What), Fix: f.Fix}
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return &cli.Failure{Code: faultCode(f.Code), Err: errors.New(f.Detail), Fix: f.Advice}
	}
	if f := classifyTunnel(err); f != nil {
		return f
	}
	if f := classifyInstaller(err); f != nil {
		return f
	}
	switch {
	case errors.Is(err, control.ErrEnrolled):
		return &cli.Failure{Code: cli.ExitConflict, Err: err, Fix: "To replace it, with all its logins: gantry-agent enroll --force --token-file FILE"}
	case errors.Is(err, enrol.ErrNotToken), errors.Is(err, enrol.ErrCut), errors.Is(err, enrol.ErrMistyped):
		return &cli.Failure{Code: cli.ExitUsage, Err: err, Fix: "Copy the token again, from its `get_` to its end."}
	case errors.Is(err, control.ErrNotRunning):
		return &cli.Failure{Code: cli.ExitNotRunning, Err: control.ErrNotRunning, Fix: "Start it: gantry-agent start, or in the foreground: gantry-agent run"}
	case errors.Is(err, control.ErrNoAccess), errors.Is(err, fs.ErrPermission):
		return &cli.Failure{Code: cli.ExitElevation, Err: err, Fix: "Run the command as an administrator (Linux: with sudo)."}
	case errors.Is(err, state.ErrInUse):
		return &cli.Failure{Code: cli.ExitConflict, Err: err, Fix: "Stop the running agent first, or name another folder with --state-dir."}
	case errors.Is(err, state.ErrNotEnrolled):
		return &cli.Failure{Code: cli.ExitNotSetUp, Err: err, Fix: "Enrol it with a token of the relay: gantry-agent enroll --token-file FILE"}
	}
	return nil
}

// classifyTunnel tells an unreachable relay from one that refuses; nil for anything else.
func classifyTunnel(err error) *cli.Failure {
	if _, ok := errors.AsType[*tunnel.Refused](err); ok {
		return &cli.Failure{Code: cli.ExitRefused, Err: err, Fix: "Ask who runs the cloud side; after a revocation, enrol again."}
	}
	if d, ok := errors.AsType[*tunnel.DialError](err); ok {
		return &cli.Failure{Code: cli.ExitNetwork, Err: err, Fix: dialFix(d.Stage) + "\nEvery hop, and whom to ask: gantry-agent doctor; before it is enrolled: gantry-agent netcheck RELAY-URL"}
	}
	return nil
}

// classifyInstaller knows what keeps a service from being installed or managed; nil for anything else.
func classifyInstaller(err error) *cli.Failure {
	if e, ok := errors.AsType[*installer.StepError](err); ok {
		return stepFailure(e)
	}
	if c, ok := errors.AsType[*installer.Conflict](err); ok {
		return &cli.Failure{Code: cli.ExitConflict, Err: err, Fix: c.Fix}
	}
	switch {
	case errors.Is(err, installer.ErrNotInstalled):
		return &cli.Failure{Code: cli.ExitNotSetUp, Err: err, Fix: "Install it: gantry-agent install --token-file FILE"}
	case errors.Is(err, installer.ErrElevation):
		return &cli.Failure{Code: cli.ExitElevation, Err: err, Fix: "Run the command as an administrator (Linux: with sudo)."}
	case errors.Is(err, installer.ErrNoManager):
		return &cli.Failure{Code: cli.ExitFailed, Err: err, Fix: "Run it in the foreground: gantry-agent run"}
	}
	return nil
}

// stepFailure gives a failed installation the exit code and the advice of what made it fail.
func stepFailure(e *installer.StepError) *cli.Failure {
	f := &cli.Failure{Code: cli.ExitFailed, Err: e}
	if cause, ok := errors.AsType[*cli.Failure](e.Err); ok {
		f.Code, f.Fix = cause.Code, cause.Fix
	} else if cause := classify(e.Err); cause != nil {
		f.Code, f.Fix = cause.Code, cause.Fix
	} else if errors.Is(e.Err, context.DeadlineExceeded) {
		f.Code, f.Fix = cli.ExitTimeout, "Try again with a longer --wait."
	}
	rest := "Every step was taken back: the machine is as it was."
	if len(e.Left) > 0 {
		f.Err = errors.Join(append([]error{e}, e.Left...)...)
		rest = "Not every step could be taken back. Clear what is left: gantry-agent uninstall --purge"
	}
	f.Fix = strings.TrimSpace(f.Fix + "\n" + rest)
	return f
}

// dialFix says whom to ask, by the stage that failed.
func dialFix(stage tunnel.Stage) string {
	switch stage {
	case tunnel.StageDNS:
		return "Check the relay's host name, and this host's DNS."
	case tunnel.StageTCP:
		return "Ask the firewall's people to allow this host out to the relay's address and port."
	case tunnel.StageProxy:
		return "Check `proxy` in the configuration (or HTTPS_PROXY), its login, and that it allows CONNECT to the relay."
	case tunnel.StageTLS:
		return "If a proxy inspects TLS, name its certificate authority with `ca_file` in the configuration."
	case tunnel.StageWebSocket:
		return "Something on the way does not pass websockets on, or this is no relay: check proxy and address."
	case tunnel.StageInnerTLS:
		return "The relay is not the one that the token names: get a new token."
	}
	return "Check the relay's address, and try again."
}

// faultCode maps what the relay said.
func faultCode(code fault.Code) int {
	switch code {
	case fault.AuthenticationFailed, fault.TokenRevoked, fault.Forbidden:
		return cli.ExitRefused
	case fault.Conflict, fault.Duplicate:
		return cli.ExitConflict
	case fault.AgentOffline, fault.TunnelLost, fault.Overloaded:
		return cli.ExitNetwork
	case fault.SystemTimeout:
		return cli.ExitTimeout
	}
	return cli.ExitFailed
}
