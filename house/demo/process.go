package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// patience is how long a program may take to drain before it is killed.
const patience = 20 * time.Second

// process is a program that runs beside the demo.
type process struct {
	name     string
	command  *exec.Cmd
	stopping chan struct{}
	gone     chan struct{}
	err      error // why it ended; read after gone
}

// start runs a program, with its output in a file. An end that nobody asked for goes to failed.
func start(log string, failed chan<- error, path string, args ...string) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	p := &process{name: path, command: exec.Command(path, args...), stopping: make(chan struct{}), gone: make(chan struct{})}
	p.command.Stdout, p.command.Stderr = out, out
	detach(p.command)
	if err := p.command.Start(); err != nil {
		return nil, errors.Join(err, out.Close())
	}
	go p.wait(out, failed)
	return p, nil
}

func (p *process) wait(out *os.File, failed chan<- error) {
	defer close(p.gone)
	p.err = errors.Join(p.command.Wait(), out.Close())
	select {
	case <-p.stopping:
	default:
		select {
		case failed <- fmt.Errorf("%s ended by itself: %w", p.name, errors.Join(p.err, errUnasked)):
		default: // somebody else failed before
		}
	}
}

var errUnasked = errors.New("nobody asked it to")

// stop asks the program to drain, and waits for it.
func (p *process) stop() error {
	close(p.stopping)
	if err := interrupt(p.command.Process); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.gone:
		return p.err
	case <-time.After(patience):
		err := p.command.Process.Kill()
		<-p.gone
		return errors.Join(fmt.Errorf("%s did not drain within %s", p.name, patience), err)
	}
}

// command runs a program to its end and gives its standard output.
func command(ctx context.Context, path string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, args...).Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("%s %s: %w: %s", path, strings.Join(args, " "), err, exit.Stderr)
	}
	return out, err
}
