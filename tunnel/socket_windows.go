package tunnel

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// sendBuffer is Windows' own bound on what is sent and not yet acknowledged, since it has no TCP_NOTSENT_LOWAT: what a
// link of 100 Mbit/s with 40 ms has under way. Less would slow that link; more would make small calls wait.
const sendBuffer = 512 << 10

// tuneSocket bounds the send buffer. It never fails: without it the tunnel works, and queues more.
func tuneSocket(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		_ = windows.SetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, windows.SO_SNDBUF, sendBuffer)
	})
}
