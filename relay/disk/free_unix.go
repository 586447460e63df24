//go:build !windows

package disk

import "golang.org/x/sys/unix"

// Free gives the bytes that the folder's disk has left for this account.
func Free(folder string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(folder, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil //nolint:unconvert // the types differ between systems
}
