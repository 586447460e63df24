package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"gantry/configs"
)

// The exit codes. They are part of the contract: scripts and fleet tools act on them.
const (
	ExitOK         = 0
	ExitFailed     = 1
	ExitUsage      = 2
	ExitNotSetUp   = 3
	ExitElevation  = 4
	ExitNotRunning = 5
	ExitNetwork    = 6
	ExitRefused    = 7
	ExitTimeout    = 8
	ExitConflict   = 9
	ExitRolledBack = 10
	ExitUpdated    = 11
	ExitWarnings   = 12
	ExitConfig     = 78 // EX_CONFIG of sysexits.h
)

// ExitCode is a row of the table of exit codes.
type ExitCode struct {
	Code     int
	Meaning  string
	Reserved bool // for what is not built yet
}

// ExitCodes is the one table of exit codes, of both programs. docs/cli.md and every root's help are written from it.
func ExitCodes() []ExitCode {
	return []ExitCode{
		{ExitOK, "ok", false},
		{ExitFailed, "failed, or a check failed", false},
		{ExitUsage, "the command line makes no sense", false},
		{ExitNotSetUp, "not installed, or not enrolled", false},
		{ExitElevation, "needs an administrator, or the service's account", false},
		{ExitNotRunning, "the service does not run", false},
		{ExitNetwork, "the network or the relay cannot be reached", false},
		{ExitRefused, "the relay refuses the credentials", false},
		{ExitTimeout, "not done within --timeout", false},
		{ExitConflict, "conflict: it exists, or is in use", false},
		{ExitRolledBack, "the update failed and was rolled back", true},
		{ExitUpdated, "updated", true},
		{ExitWarnings, "warnings only, with --strict", false},
		{ExitConfig, "the configuration is invalid", false},
	}
}

// exitHelp is the table as a program's help shows it.
func exitHelp() string {
	var words []string
	for _, c := range ExitCodes() {
		if !c.Reserved {
			words = append(words, fmt.Sprintf("%d %s", c.Code, c.Meaning))
		}
	}
	return strings.Join(wrap("Exit codes: "+strings.Join(words, "; ")+".", Columns), "\n")
}

// Failure is an error that knows its exit code and what to do next.
type Failure struct {
	Code int
	Err  error  // what happened, and where; nil: that was printed as the answer already
	Fix  string // a sentence or a command; may be empty
}

// Error implements error.
func (f *Failure) Error() string {
	if f.Err == nil {
		return fmt.Sprintf("exit code %d", f.Code)
	}
	return f.Err.Error()
}

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Fail makes a failure: the code, what to do next, and what happened.
func Fail(code int, fix, format string, args ...any) error {
	return &Failure{code, fmt.Errorf(format, args...), fix}
}

// Told is a failure that was printed as the answer already; nil where the code is ExitOK.
func Told(code int) error {
	if code == ExitOK {
		return nil
	}
	return &Failure{Code: code}
}

// Failed is the --json document of a command that failed.
type Failed struct {
	Schema int         `json:"schema"`
	Error  FailedError `json:"error"`
}

// FailedError says how a command failed.
type FailedError struct {
	Exit    int    `json:"exit"`
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"`
}

// finish prints how a command ended, and gives its exit code.
func (f *Frame) finish(err error) int {
	if err == nil {
		return ExitOK
	}
	failure := f.classify(err)
	if failure.Err == nil {
		return failure.Code
	}
	if f.JSON {
		f.PrintJSON(Failed{Schema, FailedError{failure.Code, failure.Error(), failure.Fix}})
		return failure.Code
	}
	separator := " "
	if text := failure.Error(); strings.Contains(text, "\n") {
		separator = "\n"
	}
	fmt.Fprintf(f.Talk, "%s:%s%s\n", f.program.Name, separator, failure.Error())
	if failure.Fix != "" {
		fmt.Fprintf(f.Talk, "  %s\n", strings.ReplaceAll(failure.Fix, "\n", "\n  "))
	}
	return failure.Code
}

// classify gives every error its exit code and its advice: what the program knows first, then what is the same in both.
func (f *Frame) classify(err error) *Failure {
	if failure, ok := errors.AsType[*Failure](err); ok {
		return failure
	}
	if failure := f.program.Classify(err); failure != nil {
		return failure
	}
	if problems, ok := errors.AsType[*configs.Problems](err); ok {
		return &Failure{ExitConfig, problems, "Correct the file, then run: " + f.program.Name + " config check"}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return &Failure{ExitFailed, err, "Check the path."}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &Failure{ExitTimeout, fmt.Errorf("not done within %s: %w", f.Timeout, err), "Try again with a longer --timeout."}
	}
	return &Failure{Code: ExitFailed, Err: err}
}
