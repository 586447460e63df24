package tunnel

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// tuneSocket keeps the kernel from taking megabytes ahead of what the link can carry (TCP_NOTSENT_LOWAT, see notSent).
// It never fails: a kernel without it works, and queues more.
func tuneSocket(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, notSent)
	})
}
