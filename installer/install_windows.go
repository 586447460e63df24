package installer

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/windows"
)

// account gives the steps that make the service's account: none, it comes and goes with the service.
func (i Installation) account() Plan { return nil }

// withoutAccount gives the steps that remove it.
func (i Installation) withoutAccount() Plan { return nil }

// relabel restores a file's security label, where the platform has one.
func relabel(string) error { return nil }

// discard removes a file or a folder with what is in it; that there is none is no error. A program that runs, as the one that
// uninstalls itself, cannot be deleted, but renamed: it goes to the folder for temporary files, and with the next start
// of the machine. (os.RemoveAll asks for a way of deleting that Wine does not know.)
func discard(path string) error {
	var all []string
	err := filepath.WalkDir(path, func(at string, _ fs.DirEntry, err error) error {
		all = append(all, at)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, at := range slices.Backward(all) {
		err := os.Remove(at)
		if errors.Is(err, windows.ERROR_ACCESS_DENIED) && running(at) {
			err = putAside(at)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return err
}

// running reports whether path is the program that asks.
func running(path string) bool {
	self, err := os.Executable()
	if err != nil {
		return false
	}
	a, err := os.Stat(self)
	if err != nil {
		return false
	}
	b, err := os.Stat(path)
	return err == nil && os.SameFile(a, b)
}

// putAside moves a program out of the way, to be deleted when the machine starts again.
func putAside(path string) error {
	aside := filepath.Join(os.TempDir(), filepath.Base(path)+"."+rand.Text()+".old")
	if err := os.Rename(path, aside); err != nil {
		return err
	}
	name, err := windows.UTF16PtrFromString(aside)
	if err != nil {
		return err
	}
	return windows.MoveFileEx(name, nil, windows.MOVEFILE_DELAY_UNTIL_REBOOT)
}

// Elevated tells whether an administrator is at work.
func (i Installation) Elevated() error {
	if !windows.GetCurrentProcessToken().IsElevated() {
		return ErrElevation
	}
	return nil
}

// managed looks for another installation: there is none beside the MSI's, which State tells.
func (i Installation) managed(State) error { return nil }

// freeDisk is what is free where a folder is, or will be, in bytes.
func freeDisk(path string) (uint64, error) {
	name, err := windows.UTF16PtrFromString(filepath.VolumeName(path) + `\`)
	if err != nil {
		return 0, err
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(name, &free, nil, nil); err != nil {
		return 0, fmt.Errorf("ask for the free space at %s: %w", path, err)
	}
	return free, nil
}

// vault gives the steps that seal a key of the vault to the machine: the agent's own DPAPI key does that here.
func (i Installation) vault() Plan { return nil }

// withoutVault gives the steps that remove it.
func (i Installation) withoutVault() Plan { return nil }
