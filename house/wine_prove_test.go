//go:build prove

package house

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// wine is a Windows of its own, as far as Wine is one: a folder that goes with the test. What Wine has not (accounts of
// services, access lists, recovery) docs/windows.md has a person look at.
type wine struct {
	t       *testing.T
	folder  string // of drive C:
	env     []string
	session *exec.Cmd // somebody is logged on: without, Wine ends, and the services with it
	logOff  io.Closer
}

// prng is what Go's programs want of Windows, and Wine 8 does not have.
const prng = `#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) { return SystemFunction036(data, (ULONG)size); }
`

// newWine makes a Windows 10.
func newWine(t *testing.T) *wine {
	t.Helper()
	needPrograms(t, "wine gcc-mingw-w64-x86-64-win32", "wine", "wineserver", "x86_64-w64-mingw32-gcc")
	home, err := os.MkdirTemp("", "gantry-wine-") // not t.TempDir: the folder outlives the programs in it by a moment
	if err != nil {
		t.Fatal(err)
	}
	w := &wine{t: t, folder: filepath.Join(home, "prefix", "drive_c"), env: append(os.Environ(),
		"HOME="+home, "WINEPREFIX="+filepath.Join(home, "prefix"), "WINEARCH=win64", "WINEDEBUG=-all",
		"WINEDLLOVERRIDES=mscoree=;mshtml=;winemenubuilder.exe=")}
	t.Cleanup(func() {
		w.shutDown()
		eventually(t, 30*time.Second, "Wine's folder is removed", func() error { return os.RemoveAll(home) })
	})
	w.must("wine", "wineboot", "--init")
	source := filepath.Join(home, "prng.c")
	if err := os.WriteFile(source, []byte(prng), 0o600); err != nil {
		t.Fatal(err)
	}
	w.must("x86_64-w64-mingw32-gcc", "-shared", "-O2", "-o", w.path(`C:\windows\system32\bcryptprimitives.dll`), source, "-ladvapi32")
	w.must("wine", "winecfg", "-v", "win10")
	w.shutDown()
	return w
}

func needPrograms(t *testing.T, packages string, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			t.Fatalf("%s is missing: apt-get install --no-install-recommends %s", name, packages)
		}
	}
}

// path is where a path of Windows lies.
func (w *wine) path(windows string) string {
	return filepath.Join(w.folder, filepath.FromSlash(strings.ReplaceAll(strings.TrimPrefix(windows, `C:\`), `\`, "/")))
}

func (w *wine) write(windows string, content []byte) {
	w.t.Helper()
	if err := os.WriteFile(w.path(windows), content, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *wine) exists(windows string) bool {
	_, err := os.Stat(w.path(windows))
	return err == nil
}

// boot starts the machine, and its services with it.
func (w *wine) boot() {
	w.t.Helper()
	w.session = exec.Command("wine", "cmd")
	w.session.Env = w.env
	input, err := w.session.StdinPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.session.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.logOff = input
}

// shutDown ends every program of this Windows.
func (w *wine) shutDown() {
	w.t.Helper()
	if w.session != nil {
		_ = w.logOff.Close()
	}
	server := func(flag string) error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		command := exec.CommandContext(ctx, "wineserver", flag)
		command.Env = w.env
		return command.Run()
	}
	_ = server("-k") // it fails where nothing runs
	if err := server("-w"); err != nil {
		w.t.Errorf("Wine does not end: %v", err)
	}
	if w.session != nil {
		_ = w.session.Wait() // how it was ended is known
		w.session = nil
	}
}

// run runs a program to its end and gives what it printed, and its exit code's low byte, which is what Wine passes on.
func (w *wine) run(name string, args ...string) (string, int) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 3*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, name, args...)
	command.Env, command.WaitDelay = w.env, time.Second // services inherit the pipes
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	err := command.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && ctx.Err() == nil {
		return out.String(), exit.ExitCode()
	}
	if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		w.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, &out)
	}
	return out.String(), 0
}

func (w *wine) must(name string, args ...string) string {
	w.t.Helper()
	out, code := w.run(name, args...)
	if code != 0 {
		w.t.Fatalf("%s %s exits %d:\n%s", name, strings.Join(args, " "), code, out)
	}
	return out
}

// snapshot is what lies on the drive and in the registry.
type snapshot map[string]bool

// snapshot looks at a machine that is shut down.
func (w *wine) snapshot() snapshot {
	w.t.Helper()
	seen := snapshot{}
	err := filepath.WalkDir(w.folder, func(path string, _ fs.DirEntry, err error) error {
		seen["file "+strings.TrimPrefix(path, w.folder)] = true
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, hive := range []string{"system.reg", "user.reg", "userdef.reg"} {
		raw, err := os.ReadFile(filepath.Join(filepath.Dir(w.folder), hive))
		if err != nil {
			w.t.Fatal(err)
		}
		key := ""
		for line := range strings.Lines(string(raw)) {
			line = strings.TrimSpace(line)
			switch {
			case strings.HasPrefix(line, "["):
				key, _, _ = strings.Cut(line, "] ")
				seen[hive+" "+key+"]"] = true
			case strings.HasPrefix(line, `"`):
				seen[hive+" "+key+"] "+line] = true
			}
		}
	}
	return seen
}

// left is what is there and was not before, sorted.
func (s snapshot) left(before snapshot) []string {
	return slices.Sorted(func(yield func(string) bool) {
		for line := range maps.Keys(s) {
			if !before[line] && !yield(line) {
				return
			}
		}
	})
}

// nothingLeft fails the test for what an installation left: everything that names it, and every file outside Windows' own.
func (w *wine) nothingLeft(before snapshot, more ...string) {
	w.t.Helper()
	left := w.snapshot().left(before)
	ours, others := 0, 0
	for _, line := range left {
		named := slices.ContainsFunc(append(more, "gantry"), func(name string) bool {
			return strings.Contains(strings.ToLower(line), strings.ToLower(name))
		})
		if named || strings.HasPrefix(line, "file ") && !strings.HasPrefix(line, "file /windows/") && !strings.HasPrefix(line, "file /users/") {
			w.t.Errorf("left: %s", line)
			ours++
			continue
		}
		others++
		w.t.Logf("Windows' own: %.160s", line)
	}
	w.t.Logf("left of ours: %d; of Windows' own, as caches: %d", ours, others)
}

// buildWindows builds the agent for Windows.
func buildWindows(t *testing.T, version string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "gantry-agent.exe")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X main.version="+version, "-o", out, "gantry/agent/cmd/gantry-agent")
	build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the agent for Windows: %v\n%s", err, text)
	}
	return out
}

// copyTo puts a file on drive C:.
func (w *wine) copyTo(windows, path string) {
	w.t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(w.path(windows)), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(w.path(windows), raw, 0o755); err != nil {
		w.t.Fatal(err)
	}
}

// step prints what is done and what was seen, for whoever reads the proof.
func step(t *testing.T, title, seen string) {
	t.Helper()
	t.Log(strings.TrimRight(fmt.Sprintf("%s\n%s", title, seen), "\n "))
}
