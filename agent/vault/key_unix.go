//go:build !windows

package vault

import (
	"fmt"
	"io/fs"
)

// checkKeyFile refuses a key that others may read or that is not a plain file: it would protect nothing.
func checkKeyFile(path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a plain file", path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s may be read by others (mode %04o): run `chmod 600 %s`", path, info.Mode().Perm(), path)
	}
	return nil
}

func wrapKey(key []byte) ([]byte, error) { return key, nil }

func unwrapKey(wrapped []byte) ([]byte, error) { return wrapped, nil }
