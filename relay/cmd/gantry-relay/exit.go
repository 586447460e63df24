package main

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"

	"gantry/configs/cli"
	"gantry/relay/admin"
	"gantry/relay/store/sqlite"
	"gantry/tunnel/fault"
)

// classify gives the errors of this program their exit code and their advice, in one place; nil: the frame knows.
func classify(err error) *cli.Failure {
	switch {
	case errors.Is(err, admin.ErrNotRunning):
		return &cli.Failure{Code: cli.ExitNotRunning, Err: admin.ErrNotRunning, Fix: "Start it: gantry-relay serve"}
	case errors.Is(err, admin.ErrNoAccess), errors.Is(err, fs.ErrPermission):
		return &cli.Failure{Code: cli.ExitElevation, Err: err, Fix: "Run the command as the account that the relay runs as."}
	case errors.Is(err, sqlite.ErrInUse):
		return &cli.Failure{Code: cli.ExitConflict, Err: err, Fix: "Stop the other relay first, or name another folder with --data-dir."}
	case errors.Is(err, fs.ErrExist):
		return &cli.Failure{Code: cli.ExitConflict, Err: err, Fix: "Name a file that does not exist yet."}
	case errors.Is(err, syscall.EADDRINUSE):
		return &cli.Failure{Code: cli.ExitConflict, Err: err, Fix: "Another program has the address: stop it, or change `listen` or `metrics_listen` in the configuration."}
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return &cli.Failure{Code: faultCode(f.Code), Err: errors.New(said(f)), Fix: advice(f)}
	}
	return nil
}

// said is what is wrong, member by member.
func said(f *fault.Error) string {
	text := f.Detail
	for i, field := range f.Fields {
		separator := ", "
		if i == 0 {
			text, separator = strings.TrimSuffix(text, "."), " ("
		}
		text += separator + field.Name + ": " + field.Message
	}
	if len(f.Fields) > 0 {
		text += ")"
	}
	return text
}

// advice is the fault's, unless that speaks of a request: here it was a command line.
func advice(f *fault.Error) string {
	if f.Code == fault.InvalidRequest {
		return "Correct the command; --help tells what it takes."
	}
	return f.Advice
}

// faultCode maps what the administration said.
func faultCode(code fault.Code) int {
	switch code {
	case fault.InvalidRequest:
		return cli.ExitUsage
	case fault.SystemTimeout:
		return cli.ExitTimeout
	}
	return cli.ExitFailed
}
