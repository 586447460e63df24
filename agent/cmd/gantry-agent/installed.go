package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"gantry/agent/control"
	"gantry/configs/cli"
	"gantry/installer"
)

// isService reports whether a command's configuration and state folder are those of the installed service, and not of an agent
// that somebody runs beside it.
func (a *app) isService() bool {
	layout := installer.AgentLayout()
	config, _ := a.load() // a faulty one still says where
	return a.file() == layout.Config && config.StateDir == layout.State
}

// installed tells of the service that a command is about; nil: it is about none, or this machine has no service manager.
func (a *app) installed(ctx context.Context) (*installer.State, error) {
	if !a.isService() {
		return nil, nil
	}
	service, err := installer.NewService(installer.AgentSpec())
	if errors.Is(err, installer.ErrNoManager) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s, err := service.State(ctx)
	return &s, err
}

// mustRunFirst is the answer of a command that only the installed service can carry out; nil: none is installed.
func (a *app) mustRunFirst(ctx context.Context) error {
	s, err := a.installed(ctx)
	if err != nil || s == nil || !s.Installed {
		return err
	}
	return cli.Fail(cli.ExitNotRunning, "Start it: gantry-agent start", "%w: it has the keys and the account that this needs", control.ErrNotRunning)
}

// serviceLine says in one line how the service manager sees the service.
func serviceLine(s installer.State, now time.Time) string {
	if !s.Installed {
		return "not installed"
	}
	text := s.Phase
	if !s.Since.IsZero() {
		text += " for " + span(max(now.Sub(s.Since), 0))
	}
	if s.LastExit != "" {
		text += " (" + s.LastExit + ")"
	}
	parts := []string{text, map[bool]string{true: "starts with the machine", false: "does NOT start with the machine"}[s.Enabled]}
	if s.Restarts > 0 {
		parts = append(parts, cli.Count(s.Restarts, "restart", "restarts"))
	}
	return strings.Join(parts, ", ")
}
