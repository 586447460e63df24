//go:build !windows

package installer

import "os"

// discard removes a file or a folder with what is in it; that there is none is no error.
func discard(path string) error { return os.RemoveAll(path) }
