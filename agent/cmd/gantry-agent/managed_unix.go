//go:build !windows

package main

import (
	"context"

	"github.com/spf13/cobra"

	"gantry/configs/cli"
)

// managed runs live until the service manager ends it, which it does by a signal.
func (a *app) managed(ctx context.Context, live func(context.Context) error) error {
	ctx, stop := cli.UntilSignal(ctx, nil)
	defer stop()
	return live(ctx)
}

// troubled tells why the service cannot work; the service manager keeps it.
func (a *app) troubled(text string) { a.Say("%s", text) }

// platform are the commands that this platform alone has.
func (a *app) platform() []*cobra.Command { return nil }
