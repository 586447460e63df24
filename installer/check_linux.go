package installer

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Elevated tells whether an administrator is at work.
func (i Installation) Elevated() error {
	if os.Geteuid() != 0 {
		return ErrElevation
	}
	return nil
}

// managed refuses a machine without systemd, and one whose unit somebody else wrote.
func (i Installation) managed(state State) error {
	if state.Manager != "systemd" {
		return ErrNoManager
	}
	if !state.Installed || state.Packaged {
		return nil
	}
	text, err := os.ReadFile(i.Spec.Layout.Unit)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // deleted by hand: it is written anew
	}
	if err == nil && !ours(text) {
		err = &Conflict{i.Spec.Layout.Unit + " was written by somebody else", "Move it away, or keep it and only run: gantry-agent enroll --token-file FILE"}
	}
	return err
}

// freeDisk is what is free for the service's account where a folder is, or will be.
func freeDisk(path string) (uint64, error) {
	var fs unix.Statfs_t
	for {
		err := unix.Statfs(path, &fs)
		if err == nil {
			return fs.Bavail * uint64(fs.Bsize), nil
		}
		if !errors.Is(err, unix.ENOENT) || path == filepath.Dir(path) {
			return 0, err
		}
		path = filepath.Dir(path)
	}
}
