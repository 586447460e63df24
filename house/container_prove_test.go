//go:build prove

package house

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// container is a Debian that was really booted: systemd is its process 1, and its network is this machine's. What it writes is
// gone with it.
type container struct {
	t      testing.TB
	leader string // its process 1, as seen from here
}

// need fails where a program is missing, and says which package brings it.
func need(t testing.TB, packages map[string]string) {
	t.Helper()
	for program, name := range packages {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%s is missing: apt-get install %s", program, name)
		}
	}
	if os.Geteuid() != 0 {
		t.Fatal("this proof boots a container: run it as root")
	}
}

// baseSystem is the file system that every container begins with; the first proof makes it, in some minutes.
func baseSystem(t testing.TB) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(cache, "gantry-prove", "bookworm")
	if _, err := os.Stat(root); err == nil {
		return root
	}
	half := root + ".half"
	if err := errors.Join(os.RemoveAll(half), os.MkdirAll(filepath.Dir(root), 0o755)); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("debootstrap", "--variant=minbase",
		"--include=systemd,systemd-sysv,dbus,ca-certificates,procps,iproute2,passwd", "bookworm", half).CombinedOutput()
	if err != nil {
		t.Fatalf("debootstrap: %v\n%s", err, out)
	}
	if err := os.Rename(half, root); err != nil {
		t.Fatal(err)
	}
	return root
}

// boot starts a container that sees the folders at the places that binds names.
func boot(t testing.TB, binds map[string]string) *container {
	t.Helper()
	need(t, map[string]string{"systemd-nspawn": "systemd-container", "debootstrap": "debootstrap", "nsenter": "util-linux"})
	args := []string{"-q", "-D", baseSystem(t), "--volatile=overlay", "--boot", "--register=no", "--keep-unit", "--console=read-only",
		"--link-journal=no", "--resolv-conf=off", "-M", "gantry-" + strconv.Itoa(os.Getpid())}
	for inside, outside := range binds {
		args = append(args, "--bind="+outside+":"+inside)
	}
	nspawn := exec.Command("systemd-nspawn", args...)
	var console bytes.Buffer
	nspawn.Stdout, nspawn.Stderr = &console, &console
	nspawn.Env = append(os.Environ(), "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1")
	nspawn.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGTERM}
	if err := nspawn.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() { _ = nspawn.Wait(); close(gone) }()
	c := &container{t: t}
	t.Cleanup(func() {
		if c.leader != "" {
			_, _ = c.try("systemctl", "poweroff", "--no-block")
		}
		select {
		case <-gone:
		case <-time.After(20 * time.Second):
			_ = nspawn.Process.Kill()
			<-gone
		}
	})
	took := eventually(t, time.Minute, "the container runs", func() error {
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", nspawn.Process.Pid))
		if err != nil || len(bytes.TrimSpace(children)) == 0 {
			return errors.Join(errors.New(console.String()), err)
		}
		c.leader = strings.Fields(string(children))[0]
		out, err := c.try("systemctl", "is-system-running")
		if state := strings.TrimSpace(out); state != "running" && state != "degraded" {
			return fmt.Errorf("%s %w", state, err)
		}
		return nil
	})
	t.Logf("booted in %s", took.Round(time.Millisecond))
	return c
}

// try runs a program in the container and gives what it printed.
func (c *container) try(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "nsenter", append([]string{"-t", c.leader, "-a", "--wdns=/", "--"}, args...)...)
	command.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "LANG=C.UTF-8"}
	out, err := command.CombinedOutput()
	return string(out), err
}

// do runs a program in the container, which must succeed.
func (c *container) do(args ...string) string {
	c.t.Helper()
	out, err := c.try(args...)
	if err != nil {
		journal, _ := c.try("journalctl", "--no-pager", "-n", "40")
		c.t.Fatalf("%s: %v\n%s\n%s", strings.Join(args, " "), err, out, journal)
	}
	return out
}

// exits runs a program in the container, which must end with that code.
func (c *container) exits(code int, args ...string) string {
	c.t.Helper()
	out, err := c.try(args...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	}
	if got != code {
		journal, _ := c.try("journalctl", "--no-pager", "-n", "40", "-u", "gantry-agent")
		c.t.Fatalf("%s: exit %d, want %d: %v\n%s\n%s", strings.Join(args, " "), got, code, err, out, journal)
	}
	return out
}

// write puts a file into the container.
func (c *container) write(path, content string) {
	c.t.Helper()
	if err := os.WriteFile("/proc/"+c.leader+"/root"+path, []byte(content), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// listing is everything that a look at the machine would find: each file with its owner and mode, and who has an account.
func (c *container) listing() []string {
	c.t.Helper()
	files := c.do("sh", "-c", `find / /run -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /pkg -o -path /srv/plant \) -prune -o -printf '%p %u:%g %M\n'`)
	lines := strings.Split(files, "\n")
	for _, file := range []string{"/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow"} {
		for line := range strings.Lines(c.do("cat", file)) {
			lines = append(lines, file+": "+line)
		}
	}
	lines = append(lines, strings.Split(c.do("systemctl", "list-unit-files", "--no-pager", "--no-legend"), "\n")...)
	return lines
}

// systems are the places in which the system itself, and not a program that came and went, leaves its traces.
var systems = []string{
	"/run/systemd/", "/run/log/", "/run/udev", "/var/log/journal", "/tmp/systemd-private-", "/var/tmp/systemd-private-", "/var/log/dpkg.log", "/var/lib/dpkg/",
	"/var/lib/systemd/credential.secret", "/var/lib/systemd/timers", "/var/cache/apt", "/var/lib/apt", "/var/log/apt", "/etc/passwd- ", "/etc/group- ", "/etc/shadow- ",
	"/etc/gshadow- ", "/etc/.pwd.lock", "/var/cache/ldconfig", "/var/lib/systemd/deb-systemd", "/var/log/", "/run/shm", "/run/agetty.reload", "/etc/subuid", "/etc/subgid",
}

// nothingLeft compares two looks at the machine.
func (c *container) nothingLeft(before []string) {
	c.t.Helper()
	known := map[string]bool{}
	for _, line := range before {
		known[line] = true
	}
	var left []string
	for _, line := range c.listing() {
		switch {
		case known[line]:
		case strings.Contains(line, "gantry"):
			left = append(left, line)
		case !slices.ContainsFunc(systems, func(place string) bool { return strings.HasPrefix(line, place) }):
			left = append(left, line)
		}
	}
	if len(left) > 0 {
		c.t.Errorf("left behind:\n%s", strings.Join(left, "\n"))
	}
	c.t.Logf("%d files and accounts looked at, %d left behind", len(before), len(left))
}
