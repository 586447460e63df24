package installer

import (
	"context"
	"errors"
	"io/fs"
	"os"
)

// absent is the service where systemd does not run: a container, a chroot, another init. It can be looked at and cleared
// away, which an uninstallation from a rescue system needs.
type absent struct{ spec Spec }

// Install implements Service.
func (a absent) Install(context.Context) error { return ErrNoManager }

// Start implements Service.
func (a absent) Start(context.Context) error { return ErrNoManager }

// Stop implements Service.
func (a absent) Stop(context.Context) error { return ErrNoManager }

// Restart implements Service.
func (a absent) Restart(context.Context) error { return ErrNoManager }

// Uninstall implements Service.
func (a absent) Uninstall(context.Context) error {
	text, err := os.ReadFile(a.spec.Layout.Unit)
	if err == nil && ours(text) {
		err = os.Remove(a.spec.Layout.Unit)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, leftovers(a.spec))
}

// State implements Service.
func (a absent) State(context.Context) (State, error) {
	s := State{Manager: "none"}
	for _, path := range []string{a.spec.Layout.Unit, "/usr/lib/systemd/system/" + a.spec.Name + ".service", "/lib/systemd/system/" + a.spec.Name + ".service"} {
		if _, err := os.Stat(path); err == nil {
			s.Installed, s.Unit, s.Packaged = true, path, path != a.spec.Layout.Unit
			break
		}
	}
	return s, nil
}
