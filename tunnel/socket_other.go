//go:build !linux && !windows

package tunnel

import "syscall"

// tuneSocket has nothing to set: these systems are for developing, not for plants.
func tuneSocket(_, _ string, _ syscall.RawConn) error { return nil }
