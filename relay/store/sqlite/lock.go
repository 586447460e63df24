package sqlite

import (
	"errors"
	"os"
	"path/filepath"
)

// lockFolder makes the data folder if there is none and takes it for this process. The lock ends with the process,
// however it ends, or with the file's Close.
func lockFolder(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "relay.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := tryLock(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
