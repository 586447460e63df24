// Command gantry-relay is the program in the cloud: it serves the API, and the tunnel that agents dial.
//
// This package is the command line and nothing more: it reads flags and the configuration, runs package relay or asks the
// relay that runs (package admin), prints, and chooses the exit code (exit.go). Standard output is the answer, standard
// error is talk; with --json the answer is one document, to which members are only ever added.
package main

import (
	"context"
	"io"
	"os"
)

// version is set by the build.
var version = "dev"

func main() {
	os.Exit(Main(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// Main runs one command and gives the exit code. Tests run it as the program.
func Main(ctx context.Context, args []string, out, talk io.Writer) int {
	a := &app{out: out, talk: talk}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(talk)
	return a.finish(root.ExecuteContext(ctx))
}
