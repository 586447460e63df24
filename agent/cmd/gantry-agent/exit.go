package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"gantry/agent"
	"gantry/agent/control"
	"gantry/agent/policy/edit"
	"gantry/agent/state"
	"gantry/configs"
	"gantry/tunnel"
	"gantry/tunnel/enrol"
	"gantry/tunnel/fault"
)

// The exit codes. They are part of the contract: scripts and fleet tools act on them.
const (
	exitOK         = 0
	exitFailed     = 1  // or a check failed
	exitUsage      = 2  // the command line makes no sense
	exitNotSetUp   = 3  // not installed, or not enrolled
	exitElevation  = 4  // needs another account
	exitNotRunning = 5  // the service does not run
	exitNetwork    = 6  // the relay cannot be reached
	exitRefused    = 7  // the relay refuses the agent or the token
	exitTimeout    = 8  // --timeout is over
	exitConflict   = 9  // it is there already
	exitConfig     = 78 // the configuration is invalid (EX_CONFIG)
)

// failure is an error that knows its exit code and what to do next.
type failure struct {
	code int
	err  error
	fix  string // a sentence or a command
}

func (f *failure) Error() string { return f.err.Error() }

func (f *failure) Unwrap() error { return f.err }

// fail makes a failure.
func fail(code int, fix, format string, args ...any) error {
	return &failure{code, fmt.Errorf(format, args...), fix}
}

// quietly is a failure that was printed as an answer already.
func quietly(code int) error {
	if code == exitOK {
		return nil
	}
	return &failure{code: code}
}

// classify gives every error its exit code and its advice, in one place.
func classify(err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	if f, ok := errors.AsType[*configs.Problems](err); ok {
		return &failure{exitConfig, f, "Correct the file, then run: gantry-agent config check"}
	}
	if f, ok := errors.AsType[*edit.Invalid](err); ok {
		return &failure{exitUsage, errors.New(f.What), f.Fix}
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return &failure{faultCode(f.Code), errors.New(f.Detail), f.Advice}
	}
	if f := classifyTunnel(err); f != nil {
		return f
	}
	switch {
	case errors.Is(err, agent.ErrEnrolled):
		return &failure{exitConflict, err, "To replace it, with all its logins: gantry-agent enroll --force --token-file FILE"}
	case errors.Is(err, enrol.ErrNotToken), errors.Is(err, enrol.ErrCut), errors.Is(err, enrol.ErrMistyped):
		return &failure{exitUsage, err, "Copy the token again, from its `get_` to its end."}
	case errors.Is(err, control.ErrNotRunning):
		return &failure{exitNotRunning, err, "Start it: gantry-agent run, or through the service manager."}
	case errors.Is(err, control.ErrNoAccess), errors.Is(err, fs.ErrPermission):
		return &failure{exitElevation, err, "Run the command as an administrator (Linux: with sudo)."}
	case errors.Is(err, state.ErrInUse):
		return &failure{exitConflict, err, "Stop the running agent first, or name another folder with --state-dir."}
	case errors.Is(err, state.ErrNotEnrolled):
		return &failure{exitNotSetUp, err, "Enrol it with a token of the relay: gantry-agent enroll --token-file FILE"}
	case errors.Is(err, context.DeadlineExceeded):
		return &failure{exitTimeout, err, "Try again with a longer --timeout."}
	}
	return &failure{code: exitFailed, err: err}
}

// classifyTunnel tells an unreachable relay from one that refuses; nil for anything else.
func classifyTunnel(err error) *failure {
	if _, ok := errors.AsType[*tunnel.Refused](err); ok {
		return &failure{exitRefused, err, "Ask who runs the cloud side; after a revocation, enrol again."}
	}
	if d, ok := errors.AsType[*tunnel.DialError](err); ok {
		return &failure{exitNetwork, err, dialFix(d.Stage)}
	}
	return nil
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
		return exitRefused
	case fault.Conflict, fault.Duplicate:
		return exitConflict
	case fault.AgentOffline, fault.TunnelLost, fault.Overloaded:
		return exitNetwork
	case fault.SystemTimeout:
		return exitTimeout
	}
	return exitFailed
}

// finish prints how a command ended, and gives its exit code.
func (a *app) finish(err error) int {
	if err == nil {
		return exitOK
	}
	f := classify(err)
	if f.err == nil {
		return f.code
	}
	if a.json {
		a.printJSON(failed{Schema: control.Schema, Error: failedError{f.code, f.Error(), f.fix}})
		return f.code
	}
	text := f.Error()
	if strings.Contains(text, "\n") {
		fmt.Fprintln(a.talk, "gantry-agent:\n"+text)
	} else {
		fmt.Fprintln(a.talk, "gantry-agent: "+text)
	}
	if f.fix != "" {
		fmt.Fprintln(a.talk, "  "+f.fix)
	}
	return f.code
}

// failed is the --json document of a command that failed.
type failed struct {
	Schema int         `json:"schema"`
	Error  failedError `json:"error"`
}

type failedError struct {
	Exit    int    `json:"exit"`
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"`
}

func (a *app) printJSON(document any) {
	encoder := json.NewEncoder(a.out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(document) // a closed standard output has nobody behind it
}
