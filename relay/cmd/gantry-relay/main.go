// Command gantry-relay is the program in the cloud: it serves the API, and the tunnel that agents dial.
//
// This package is the command line and nothing more: it reads flags and the configuration, runs package relay or asks the
// relay that runs (package admin), prints, and chooses the exit code (exit.go). What it shares with the agent's command
// line is package cli.
package main

import (
	"context"
	"io"
	"os"
)

// version is set by the build.
var version = "dev"

func main() {
	os.Exit(Main(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// Main runs one command and gives the exit code. Tests run it as the program.
func Main(ctx context.Context, args []string, in io.Reader, out, talk io.Writer) int {
	a := newApp(in, out, talk)
	return a.Run(ctx, a.commands(), args)
}
