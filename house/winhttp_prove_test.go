//go:build prove

package house

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestProxySettingsOfWindows asks WinHTTP on Wine for what stands in the registry: a proxy, its bypass list, and a PAC
// file, which Wine runs. What a domain adds (WPAD by DHCP, group policy) docs/windows.md has a person look at.
func TestProxySettingsOfWindows(t *testing.T) {
	w := newWine(t)
	const program = `C:\proxy.test.exe`
	build := exec.Command("go", "test", "-c", "-o", w.path(program), "gantry/agent/proxy")
	build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the test: %v\n%s", err, out)
	}
	w.env = append(w.env, "GANTRY_CHANGE_WINDOWS_SETTINGS=1")
	out := w.must("wine", program, "-test.v", "-test.run", "TestWindowsSettings")
	if n := strings.Count(out, "--- PASS: TestWindowsSettings/"); n != 6 {
		t.Errorf("%d of 6 settings were proved:\n%s", n, out)
	}
}
