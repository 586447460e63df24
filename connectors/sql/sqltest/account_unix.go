//go:build unix

package sqltest

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// account is who runs a server; nil: whoever runs the tests. Database servers refuse to run as root.
type account struct{ credential *syscall.Credential }

// accountOf finds the account to run as: name, if we are root.
func accountOf(name string) (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return account{}, fmt.Errorf("the server does not run as root, and there is no user %s: %w", name, exec.ErrNotFound)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return account{}, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return account{}, err
	}
	return account{&syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
}

// take makes path belong to the account.
func (a account) take(path string) error {
	if a.credential == nil {
		return nil
	}
	return os.Chown(path, int(a.credential.Uid), int(a.credential.Gid))
}

// run makes cmd run as the account, away from the terminal's signals.
func (a account) run(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: a.credential, Setpgid: true}
}

// detach keeps a Ctrl-C that ends the tests from ending cmd too.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// quit ends a server at once, with its children.
func quit(p *os.Process) error { return p.Signal(syscall.SIGQUIT) }
