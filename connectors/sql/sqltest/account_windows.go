package sqltest

import (
	"fmt"
	"os"
	"os/exec"
)

// account has no meaning here: the watchdog is a shell script, so that no server is started on Windows.
type account struct{}

func accountOf(string) (account, error) {
	return account{}, fmt.Errorf("servers are not started on Windows: %w", exec.ErrNotFound)
}

func (account) take(string) error { return nil }
func (account) run(*exec.Cmd)     {}
func detach(*exec.Cmd)            {}
func quit(p *os.Process) error    { return p.Kill() }
