package vault

import "fmt"

// Peek gives the ID of the vault in dir, and makes none. The error is, or wraps, fs.ErrNotExist where the key is not there (a
// service manager may give it to the agent alone), or fs.ErrPermission.
func Peek(dir string) (string, error) {
	key, err := loadKey(dir)
	if err != nil {
		return "", fmt.Errorf("look at vault: %w", err)
	}
	v, err := newVault(key)
	if err != nil {
		return "", err
	}
	return v.ID(), nil
}
