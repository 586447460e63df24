// Command demo shows the whole road on one machine: it starts a relay and an agent as real processes, connects a demo
// plant in a SQLite file, makes real calls over the API and prints each request and its answer, readable and cut to
// size. Then it stays up for the reader's own calls until Ctrl-C; with --once it ends.
//
// Everything it makes is in one folder (.demo), which each run makes anew. It listens on loopback only, leaves no process
// behind, and fails with a clear message as soon as one answer is not the expected one.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	once := flag.Bool("once", false, "end after the calls")
	folder := flag.String("folder", ".demo", "where everything is kept; made anew by each run")
	programs := flag.String("programs", "bin", "where gantry-relay and gantry-agent are")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *folder, *programs, *once); err != nil {
		fmt.Fprintf(os.Stderr, "\nThe demo failed: %v\nThe logs are %s and %s.\n",
			err, filepath.Join(*folder, "relay.log"), filepath.Join(*folder, "agent.log"))
		os.Exit(1)
	}
}

// run gives the demo from start to end. Whatever happens, what it started is stopped.
func run(ctx context.Context, folder, programs string, once bool) (err error) {
	s, err := newStage(folder, programs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.raise(ctx); err != nil {
		return err
	}
	if err := s.show(ctx); err != nil || once {
		return err
	}
	if err := s.invite(ctx); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		fmt.Println("\nStopping: the agent first, then the relay.")
		return nil
	case err := <-s.failed:
		return err
	}
}
