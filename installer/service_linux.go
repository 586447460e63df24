package installer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/kardianos/service"
)

// systemd is the service where systemd runs the machine. kardianos/service writes and enables the unit and controls it;
// the unit's text is ours, because the one that it would render runs as root, unprotected, and waits two minutes
// before a restart.
type systemd struct {
	spec    Spec
	manager service.Service
}

// NewService gives the service of this machine's manager. ErrNoManager: systemd does not run here.
func NewService(spec Spec) (Service, error) {
	if info, err := os.Stat("/run/systemd/system"); err != nil || !info.IsDir() {
		return absent{spec}, ErrNoManager
	}
	manager, err := service.New(nil, &service.Config{
		Name: spec.Name, DisplayName: spec.Title, Description: spec.Description,
		Executable: spec.Layout.Binary, Arguments: spec.Arguments, UserName: spec.Layout.Account,
		Option: service.KeyValue{"SystemdScript": unitFor(spec.Layout.Binary)},
	})
	if err != nil {
		return nil, fmt.Errorf("find the service manager: %w", err)
	}
	return &systemd{spec, manager}, nil
}

func (s *systemd) unit() string { return s.spec.Name + ".service" }

// Install implements Service. A unit of ours that differs is written anew.
func (s *systemd) Install(ctx context.Context) error {
	path := s.spec.Layout.Unit
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s.write(ctx)
	case err != nil:
		return err
	case string(text) == unitFor(s.spec.Layout.Binary):
		return command(ctx, "systemctl", "enable", s.unit())
	case !ours(text):
		return fmt.Errorf("%s was not written by this program: move it away first", path)
	}
	if err := os.Remove(path); err != nil {
		return err
	}
	return s.write(ctx)
}

func (s *systemd) write(ctx context.Context) error {
	if err := s.manager.Install(); err != nil {
		return errors.Join(fmt.Errorf("install the unit: %w", err), s.Uninstall(ctx))
	}
	return relabel(s.spec.Layout.Unit)
}

// Uninstall implements Service.
func (s *systemd) Uninstall(ctx context.Context) error {
	state, err := s.State(ctx)
	if err != nil {
		return err
	}
	if state.Packaged {
		return fmt.Errorf("the unit %s belongs to a package: remove the package", state.Unit)
	}
	if state.Phase != "" && state.Phase != "inactive" {
		if err := command(ctx, "systemctl", "stop", s.unit()); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(s.spec.Layout.Unit)
	switch {
	case err == nil && ours(text):
		err = s.manager.Uninstall()
	case err == nil:
		err = fmt.Errorf("%s was not written by this program: it stays", s.spec.Layout.Unit)
	case errors.Is(err, fs.ErrNotExist):
		err = leftovers(s.spec)
	}
	_ = command(ctx, "systemctl", "reset-failed", s.unit()) // it fails where nothing has
	return errors.Join(err, command(ctx, "systemctl", "daemon-reload"))
}

// leftovers removes what enabling leaves where somebody deleted the unit by hand.
func leftovers(spec Spec) error {
	links, err := filepath.Glob(filepath.Join(filepath.Dir(spec.Layout.Unit), "*.wants", spec.Name+".service"))
	for _, link := range links {
		err = errors.Join(err, os.Remove(link))
	}
	return err
}

func ours(unit []byte) bool { return strings.HasPrefix(string(unit), marker) }

// Start implements Service.
func (s *systemd) Start(ctx context.Context) error { return s.control(ctx, s.manager.Start) }

// Stop implements Service.
func (s *systemd) Stop(ctx context.Context) error { return s.control(ctx, s.manager.Stop) }

// Restart implements Service.
func (s *systemd) Restart(ctx context.Context) error { return s.control(ctx, s.manager.Restart) }

func (s *systemd) control(ctx context.Context, do func() error) error {
	state, err := s.State(ctx)
	switch {
	case err != nil:
		return err
	case !state.Installed:
		return ErrNotInstalled
	case os.Geteuid() != 0:
		return ErrElevation
	}
	return do()
}
