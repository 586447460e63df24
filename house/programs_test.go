package house

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 {
		code = everyOperationSeen()
	}
	if programs.folder != "" {
		_ = os.RemoveAll(programs.folder)
	}
	os.Exit(code)
}

// programs are the two binaries, built once for the tests of this package; with the race detector where the tests have it.
var programs struct {
	once   sync.Once
	folder string
	err    error
}

func program(t testing.TB, name string) string {
	t.Helper()
	programs.once.Do(func() {
		if programs.folder, programs.err = os.MkdirTemp("", "gantry-programs-"); programs.err != nil {
			return
		}
		build := exec.Command("go", append(raceFlag(), "-o", programs.folder+"/", "gantry/agent/cmd/gantry-agent", "gantry/relay/cmd/gantry-relay")...)
		if out, err := build.CombinedOutput(); err != nil {
			programs.err = fmt.Errorf("build the programs: %w\n%s", err, out)
		}
	})
	if programs.err != nil {
		t.Fatal(programs.err)
	}
	return filepath.Join(programs.folder, name)
}

func raceFlag() []string {
	if raceDetector {
		return []string{"build", "-race", "-gcflags=modernc.org/sqlite/lib=-race=false"} // as make test has it
	}
	return []string{"build"}
}

// run runs one command to its end and gives what it printed on standard output.
func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var stdout, stderr bytes.Buffer
	command := exec.CommandContext(ctx, program(t, name), args...)
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, &stdout, &stderr)
	}
	return stdout.String()
}

// daemon is a long-running program of ours, or another's.
type daemon struct {
	t       testing.TB
	command *exec.Cmd
	log     string // the file of its output, appended to over restarts
	gone    chan struct{}
}

// start runs a program until the test ends.
func start(t testing.TB, log, path string, args []string, env ...string) *daemon {
	t.Helper()
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{t: t, command: exec.Command(path, args...), log: log, gone: make(chan struct{})}
	d.command.Stdout, d.command.Stderr = out, out
	d.command.Env = append(os.Environ(), env...)
	d.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := d.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = d.command.Wait(); _ = out.Close(); close(d.gone) }()
	t.Cleanup(d.kill)
	return d
}

// ended reports whether the program runs no more.
func (d *daemon) ended() bool {
	select {
	case <-d.gone:
		return true
	default:
		return false
	}
}

// kill ends the program as a power cut does.
func (d *daemon) kill() {
	_ = d.command.Process.Kill()
	<-d.gone
}

// stop asks the program to drain, and gives how long it took.
func (d *daemon) stop() time.Duration {
	begin := time.Now()
	_ = d.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.gone:
	case <-time.After(time.Minute):
		d.t.Errorf("%s did not stop within a minute", d.command.Path)
		d.kill()
	}
	return time.Since(begin)
}

// resident is the memory that the program holds, in bytes.
func (d *daemon) resident() int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.command.Process.Pid))
	if err != nil {
		d.t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				d.t.Fatal(err)
			}
			return kib << 10
		}
	}
	d.t.Fatal("no VmRSS")
	return 0
}

// descriptors counts the program's open files.
func (d *daemon) descriptors() int {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", d.command.Process.Pid))
	if err != nil {
		d.t.Fatal(err)
	}
	return len(entries)
}

// eventually polls until the condition holds; the ceiling is generous, the answer is not timed.
func eventually(t testing.TB, ceiling time.Duration, what string, holds func() error) time.Duration {
	t.Helper()
	begin := time.Now()
	for {
		err := holds()
		if err == nil {
			return time.Since(begin)
		}
		if time.Since(begin) > ceiling {
			t.Fatalf("%s: not within %s: %v", what, ceiling, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
