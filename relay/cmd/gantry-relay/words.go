package main

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"gantry/configs/cli"
)

// The frame's words in short, as the commands of this program say them.

const (
	exitFailed     = cli.ExitFailed
	exitUsage      = cli.ExitUsage
	exitElevation  = cli.ExitElevation
	exitNotRunning = cli.ExitNotRunning
	exitTimeout    = cli.ExitTimeout
	exitConflict   = cli.ExitConflict
	exitConfig     = cli.ExitConfig
)

// globals are the frame's streams and flags; settleGlobals fills them in before a command runs.
type globals struct {
	out, talk io.Writer
	json, yes bool
	timeout   time.Duration
}

func (a *app) settleGlobals() { a.globals = globals{a.Out, a.Talk, a.JSON, a.Yes, a.Timeout} }

func (a *app) say(format string, args ...any)       { a.Say(format, args...) }
func (a *app) printJSON(document any)               { a.PrintJSON(document) }
func (a *app) answer(document any, lines ...string) { a.Answer(document, lines...) }

func (a *app) bounded(cmd *cobra.Command) (context.Context, context.CancelFunc) {
	return a.Bounded(cmd)
}

func (a *app) group(use, short string, subs ...*cobra.Command) *cobra.Command {
	return cli.Group(use, short, subs...)
}

func fail(code int, fix, format string, args ...any) error {
	return cli.Fail(code, fix, format, args...)
}

func told(code int) error { return cli.Told(code) }

func args(check cobra.PositionalArgs) cobra.PositionalArgs { return cli.Args(check) }

func count(n int, one, many string) string { return cli.Count(n, one, many) }
