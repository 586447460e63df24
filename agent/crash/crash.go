// Package crash keeps what a process writes when it ends badly: a panic, a fatal error of the runtime, or the goroutines at a
// SIGQUIT. Go writes it to standard error, which a Windows service has not, and which few look for in a journal; Watch has it written to
// a file beside the log as well. The last Keep of them stay, and a bundle takes them along.
//
// A panic may quote anything, so the files are for the service's account alone, and a bundle redacts them.
package crash

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// Keep is how many crashes are kept.
const Keep = 5

const (
	prefix = "crash-"
	suffix = ".txt"
)

// Watch has crashes of this process written into a file of its own in dir, until stop. A file that stays empty is removed: by stop, or,
// after a kill, by the next Watch. The caller holds the lock of the agent's state, so no other process watches there.
func Watch(dir string, now time.Time) (stop func() error, err error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("watch for crashes: %w", err)
	}
	if err := prune(dir); err != nil {
		return nil, fmt.Errorf("watch for crashes: %w", err)
	}
	path := filepath.Join(dir, prefix+now.UTC().Format("20060102T150405.000Z")+suffix)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("watch for crashes: %w", err)
	}
	if err := errors.Join(debug.SetCrashOutput(f, debug.CrashOptions{}), f.Close()); err != nil { // it keeps a duplicate
		return nil, errors.Join(fmt.Errorf("watch for crashes: %w", err), os.Remove(path))
	}
	return func() error {
		return errors.Join(debug.SetCrashOutput(nil, debug.CrashOptions{}), os.Remove(path))
	}, nil
}

// Files lists the crashes in dir, oldest first. A folder that is not there has none.
func Files(dir string) []string {
	all, _ := filepath.Glob(filepath.Join(escape(dir), prefix+"*"+suffix)) // the pattern is sound
	all = slices.DeleteFunc(all, func(path string) bool {
		info, err := os.Lstat(path)
		return err != nil || !info.Mode().IsRegular() || info.Size() == 0
	})
	slices.SortFunc(all, cmp.Compare) // their names hold the time
	return all
}

// escape takes a folder's name literally.
func escape(dir string) string {
	if os.PathSeparator == '\\' {
		return dir // filepath.Match has no escape there, and such names hold no brackets
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

// prune removes empty files, and the oldest beyond Keep.
func prune(dir string) error {
	all, err := filepath.Glob(filepath.Join(escape(dir), prefix+"*"+suffix))
	if err != nil {
		return err
	}
	full := Files(dir)
	var faults []error
	for _, path := range all {
		if at := slices.Index(full, path); at < 0 || at < len(full)-Keep {
			faults = append(faults, os.Remove(path))
		}
	}
	return errors.Join(faults...)
}
