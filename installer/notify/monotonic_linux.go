package notify

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// monotonic is the time since the machine's start in microseconds, by the clock that systemd compares with.
func monotonic() string {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil { // every Linux has it
		return "0"
	}
	return strconv.FormatInt(now.Nano()/1000, 10)
}
