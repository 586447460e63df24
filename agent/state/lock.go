package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrInUse is the answer when another process of the agent has the state folder.
var ErrInUse = errors.New("another gantry-agent is using the state folder")

// Lock takes the state folder for one process: two agents on one journal would not serialise their writes. The lock
// ends with the process, however it ends, or with the returned file's Close.
func Lock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "agent.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock state folder: %w", err)
	}
	if err := tryLock(f); err != nil {
		return nil, errors.Join(fmt.Errorf("lock state folder %s: %w", dir, err), f.Close())
	}
	return f, nil
}
