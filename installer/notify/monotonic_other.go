//go:build !linux

package notify

// monotonic is of use to systemd alone.
func monotonic() string { return "0" }
