//go:build !windows

package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"gantry/tunnel/check"
)

func freeSpace(folder string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(folder, &s); err != nil {
		return 0, err
	}
	return s.Bavail * uint64(s.Bsize), nil
}

// executable says why a program cannot be run; nil: it can.
func executable(info fs.FileInfo) error {
	if info.Mode().Perm()&0o111 == 0 {
		return fs.ErrPermission
	}
	return nil
}

// checkFiles looks at owners and modes: nobody else may read the state, or change the configuration.
func (m *machine) checkFiles(ctx context.Context) check.Outcome {
	info, err := os.Lstat(m.config.StateDir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return check.Pass("none yet")
	case err != nil:
		return check.Skip("this account may not look at " + m.config.StateDir)
	}
	var open, strange, evidence []string
	account, uid := m.serviceUser(ctx)
	look := func(path string, info fs.FileInfo, forbidden fs.FileMode, owner bool) {
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return
		}
		if info.Mode().Perm()&forbidden != 0 && info.Mode()&fs.ModeSymlink == 0 {
			open = append(open, path)
			evidence = append(evidence, fmt.Sprintf("%s has mode %04o", path, info.Mode().Perm()))
		}
		if owner && account != "" && stat.Uid != uid {
			strange = append(strange, path)
			evidence = append(evidence, fmt.Sprintf("%s belongs to %s", path, nameOf(stat.Uid)))
		}
	}
	look(m.config.StateDir, info, 0o022, true) // others may see that the socket is there
	for _, entry := range list(m.config.StateDir) {
		if info, err := entry.Info(); err == nil && !entry.IsDir() {
			look(filepath.Join(m.config.StateDir, entry.Name()), info, 0o077, true)
		}
	}
	if info, err := os.Stat(m.ConfigFile); err == nil {
		look(m.ConfigFile, info, 0o022, false)
	}
	switch {
	case len(open) > 0:
		return check.Fail("HOST-MODES", evidence...).With("command", command("chmod go-rwx", open[:min(len(open), maxListed)]))
	case len(strange) > 0:
		return check.Fail("HOST-OWNERS", evidence...).With("account", account).
			With("command", command("chown "+account, strange[:min(len(strange), maxListed)]))
	}
	return check.Pass("for the agent alone")
}

// serviceUser is whom the state must belong to; empty: there is no service, or no such account.
func (m *machine) serviceUser(ctx context.Context) (name string, uid uint32) {
	s, err := m.service.get(ctx)
	if err != nil || !s.Installed {
		return "", 0
	}
	account, err := user.Lookup(s.Account)
	if err != nil {
		return "", 0
	}
	number, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return "", 0
	}
	return s.Account, uint32(number)
}

func nameOf(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if account, err := user.LookupId(id); err == nil {
		return account.Username
	}
	return "user " + id
}
