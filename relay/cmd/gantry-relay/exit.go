package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"gantry/configs"
	"gantry/relay/admin"
	"gantry/relay/store/sqlite"
	"gantry/tunnel/fault"
)

// The exit codes. They are part of the contract: scripts act on them.
const (
	exitOK         = 0
	exitFailed     = 1  // or a check failed
	exitUsage      = 2  // the command line makes no sense
	exitElevation  = 4  // needs another account
	exitNotRunning = 5  // no relay answers
	exitTimeout    = 8  // --timeout is over
	exitConflict   = 9  // the folder, an address or a file is taken
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

// told is a failure that was printed as the answer already.
func told(code int) error { return &failure{code: code, err: errTold} }

var errTold = errors.New("a check failed")

// classify gives every error its exit code and its advice, in one place.
func classify(err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	if f, ok := errors.AsType[*configs.Problems](err); ok {
		return &failure{exitConfig, f, "Correct the file, then run: gantry-relay config check"}
	}
	switch {
	case errors.Is(err, admin.ErrNotRunning):
		return &failure{exitNotRunning, admin.ErrNotRunning, "Start it: gantry-relay serve"}
	case errors.Is(err, admin.ErrNoAccess), errors.Is(err, fs.ErrPermission):
		return &failure{exitElevation, err, "Run the command as the account that the relay runs as."}
	case errors.Is(err, sqlite.ErrInUse):
		return &failure{exitConflict, err, "Stop the other relay first, or name another folder with --data-dir."}
	case errors.Is(err, fs.ErrExist):
		return &failure{exitConflict, err, "Name a file that does not exist yet."}
	case errors.Is(err, syscall.EADDRINUSE):
		return &failure{exitConflict, err, "Another program has the address: stop it, or change `listen` or `metrics_listen` in the configuration."}
	case errors.Is(err, context.DeadlineExceeded):
		return &failure{exitTimeout, err, "Try again with a longer --timeout."}
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return &failure{faultCode(f.Code), errors.New(f.Detail), f.Advice}
	}
	return &failure{code: exitFailed, err: err}
}

// faultCode maps what the administration said.
func faultCode(code fault.Code) int {
	switch code {
	case fault.InvalidRequest:
		return exitUsage
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
	if errors.Is(err, errTold) {
		return f.code
	}
	if a.json {
		a.printJSON(failed{Schema: schema, Error: failedError{f.code, f.Error(), f.fix}})
		return f.code
	}
	separator := " "
	if text := f.Error(); strings.Contains(text, "\n") {
		separator = "\n"
	}
	fmt.Fprintln(a.talk, "gantry-relay:"+separator+f.Error())
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
