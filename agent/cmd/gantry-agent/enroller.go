package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gantry/agent/control"
	"gantry/configs/cli"
	"gantry/installer"
)

var _ installer.Enroller = (*enroller)(nil)

// enroller is what the installer needs of the agent: the running service, asked over its control channel.
type enroller struct {
	*app
	token string
	wait  time.Duration
	used  bool // the token
}

// The times between two questions, and for one.
const (
	askAgain = 200 * time.Millisecond
	askLimit = 3 * time.Second
)

// Enrolled implements installer.Enroller. The service was just started: it has a moment to answer.
func (e *enroller) Enrolled(ctx context.Context) (string, error) {
	s, err := e.await(ctx, func(control.Status) bool { return true })
	if err != nil || s.Identity == nil {
		return "", err
	}
	return s.Identity.Agent, nil
}

// Enrol implements installer.Enroller.
func (e *enroller) Enrol(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, e.wait)
	defer cancel()
	_, err := e.client().Enrol(ctx, e.token, false)
	e.used = err == nil
	return err
}

// Unenrol implements installer.Enroller.
func (e *enroller) Unenrol(ctx context.Context) error { return e.client().Unenrol(ctx) }

// Connected implements installer.Enroller. One session is enough to be seen.
func (e *enroller) Connected(ctx context.Context) error {
	s, err := e.await(ctx, func(s control.Status) bool { return s.State == control.Connected || s.State == control.Degraded })
	if !errors.Is(err, errStill) {
		return err
	}
	switch s.State {
	case control.Refused:
		return cli.Fail(cli.ExitRefused, "Ask who runs the cloud side.", "the relay refuses the agent: %s", lastError(s))
	case control.Connecting:
		return cli.Fail(cli.ExitNetwork, "See why: gantry-agent doctor", "no session to %s within %s: %s", s.Relay.URL, e.wait, lastError(s))
	}
	if s.EnrolmentProblem != "" {
		return cli.Fail(cli.ExitNetwork, "See: gantry-agent status", "the agent is not enrolled after %s: %s", e.wait, s.EnrolmentProblem)
	}
	return cli.Fail(cli.ExitFailed, "See: gantry-agent status", "the agent is %s after %s", s.State, e.wait)
}

var errStill = errors.New("not yet")

// await asks the service until it is as wanted; after e.wait the error is, or wraps, errStill.
func (e *enroller) await(ctx context.Context, wanted func(control.Status) bool) (control.Status, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, e.wait, errStill)
	defer cancel()
	var last control.Status
	for {
		s, err := e.askOnce(ctx)
		if err == nil && wanted(s) {
			return s, nil
		}
		if err == nil {
			last = s
		}
		select {
		case <-time.After(askAgain):
			continue
		case <-ctx.Done():
		}
		if last.State == "" {
			if errors.Is(err, errStill) { // it answers, but not in time
				err = context.DeadlineExceeded
			}
			return last, fmt.Errorf("the service does not answer: %w", err)
		}
		return last, context.Cause(ctx)
	}
}

// askOnce does not wait for ever for one answer.
func (e *enroller) askOnce(ctx context.Context) (control.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	return e.client().Status(ctx)
}

func lastError(s control.Status) string {
	for _, session := range s.Sessions {
		if session.LastError != "" {
			return session.LastError
		}
	}
	return "no reason was given"
}
