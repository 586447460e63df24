//go:build !windows

package agent

import (
	"os"
	"strings"
)

// systemID reads systemd's machine-id(5), or D-Bus's older copy of it.
func systemID() string {
	for _, path := range []string{"/etc/machine-id", "/var/lib/dbus/machine-id"} {
		if raw, err := os.ReadFile(path); err == nil && len(raw) > 0 {
			return strings.TrimSpace(string(raw))
		}
	}
	return ""
}
