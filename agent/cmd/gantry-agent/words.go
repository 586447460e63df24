package main

import (
	"context"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"gantry/configs/cli"
)

// The frame's words in short, as the commands of this program say them.

const (
	exitOK         = cli.ExitOK
	exitFailed     = cli.ExitFailed
	exitUsage      = cli.ExitUsage
	exitNotSetUp   = cli.ExitNotSetUp
	exitElevation  = cli.ExitElevation
	exitNotRunning = cli.ExitNotRunning
	exitNetwork    = cli.ExitNetwork
	exitRefused    = cli.ExitRefused
	exitTimeout    = cli.ExitTimeout
	exitConflict   = cli.ExitConflict
	exitConfig     = cli.ExitConfig
)

// globals are the frame's streams and flags; settle fills them in before a command runs.
type globals struct {
	in        io.Reader
	out, talk io.Writer
	json, yes bool
	timeout   time.Duration
}

func (a *app) settleGlobals() {
	a.globals = globals{a.In, a.Out, a.Talk, a.JSON, a.Yes, a.Timeout}
}

func (a *app) say(format string, args ...any)           { a.Say(format, args...) }
func (a *app) print(format string, args ...any)         { a.Print(format, args...) }
func (a *app) printJSON(document any)                   { a.PrintJSON(document) }
func (a *app) answer(document any, lines ...string)     { a.Answer(document, lines...) }
func (a *app) confirm(format string, args ...any) error { return a.Confirm(format, args...) }

func (a *app) bounded(cmd *cobra.Command) (context.Context, context.CancelFunc) {
	return a.Bounded(cmd)
}

func (a *app) group(use, short string, subs ...*cobra.Command) *cobra.Command {
	return cli.Group(use, short, subs...)
}

func fail(code int, fix, format string, args ...any) error {
	return cli.Fail(code, fix, format, args...)
}

func quietly(code int) error { return cli.Told(code) }

func args(check cobra.PositionalArgs) cobra.PositionalArgs { return cli.Args(check) }

func count(n int, one, many string) string { return cli.Count(n, one, many) }

func list(values []string, none string) string { return cli.List(values, none) }

func terminal(stream any) bool { return cli.Terminal(stream) }

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func itoa(n int) string { return strconv.Itoa(n) }
