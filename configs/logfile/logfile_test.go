package logfile

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gantry/configs"
)

func names(t *testing.T, path string) []string {
	t.Helper()
	all, err := Files(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		all[i] = filepath.Base(all[i])
	}
	return all
}

func create(t *testing.T, path string, maxSize int64, keep int) *File {
	t.Helper()
	f, err := Create(path, maxSize, keep)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func write(t *testing.T, f *File, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if _, err := f.Write([]byte(line + "\n")); err != nil {
			t.Fatal(err)
		}
	}
}

// content reads all files in order.
func content(t *testing.T, path string) string {
	t.Helper()
	all, err := Files(path)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for _, file := range all {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(data)
	}
	return b.String()
}

func TestRotationKeepsTheCapAndTheOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "logs", "agent.log")
	f := create(t, path, 100, 2)
	for i := range 40 {
		write(t, f, fmt.Sprintf("line %02d of this log", i)) // 20 bytes
	}
	if diff := cmp.Diff([]string{"agent-000006.log", "agent-000007.log", "agent.log"}, names(t, path)); diff != "" {
		t.Error(diff)
	}
	lines := strings.Fields(strings.ReplaceAll(content(t, path), " ", "_"))
	if len(lines) != 15 || !strings.HasPrefix(lines[0], "line_25") || !strings.HasPrefix(lines[14], "line_39") {
		t.Errorf("%d lines, from %s", len(lines), lines[0])
	}
}

func TestNextStartGoesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.log")
	if err := os.WriteFile(path, []byte("whole\ntorn by a cra"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := create(t, path, 1000, 2)
	write(t, f, "next")
	if got := content(t, path); got != "whole\ntorn by a cra\nnext\n" {
		t.Errorf("%q", got)
	}
}

func TestALineLongerThanTheCapIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.log")
	f := create(t, path, 10, 5)
	write(t, f, "short", strings.Repeat("long", 10), "short")
	if got := content(t, path); got != "short\n"+strings.Repeat("long", 10)+"\nshort\n" {
		t.Errorf("%q", got)
	}
}

func TestOthersFilesAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "agent.log")
	for _, name := range []string{"agent-1.log", "agent-old.log", "agent-000001.txt", "relay-000001.log"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := create(t, path, 10, 1)
	write(t, f, "123456789", "123456789", "123456789", "123456789")
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 4+2 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestAFileMovedAwayIsLetGo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.log")
	f := create(t, path, 1000, 2)
	write(t, f, "first")
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	f.looked = time.Time{} // as after a second
	write(t, f, "second")
	if got := content(t, path); got != "second\n" {
		t.Errorf("%q", got)
	}
}

// TestAFileThatCannotBeRenamed goes on in the same file, as on Windows where somebody holds it.
func TestAFileThatCannotBeRenamed(t *testing.T) {
	if os.Getuid() == 0 {
		t.Log("as root a folder's mode keeps nobody out: a folder in the next number's place does")
	}
	path := filepath.Join(t.TempDir(), "agent.log")
	if err := os.MkdirAll(filepath.Join(numbered(path, 1), "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	f := create(t, path, 100, 2)
	for i := range 9 {
		write(t, f, fmt.Sprintf("line %02d of this log", i))
	}
	if got := strings.Count(content(t, path), "\n"); got != 9 {
		t.Errorf("%d lines of 9", got)
	}
	for i := range 100 {
		write(t, f, fmt.Sprintf("line %02d of this log", i))
		if info, err := os.Stat(path); err != nil || info.Size() > 220 {
			t.Fatalf("%v, %v", info.Size(), err)
		}
	}
}

func TestLoggerWritesAllToTheFileAndTroubleToStandardError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.log")
	var stderr bytes.Buffer
	logger, end, err := Logger(configs.Log{Format: "text", MaxSize: 1 << 20, Keep: 1}, path, slog.LevelInfo, &stderr)
	if err != nil {
		t.Fatal(err)
	}
	logger.Debug("nothing")
	logger.Info("usual")
	logger.Warn("trouble")
	if err := end(); err != nil {
		t.Fatal(err)
	}
	if got := content(t, path); strings.Count(got, "\n") != 2 || !strings.Contains(got, "msg=usual") || !strings.Contains(got, "msg=trouble") {
		t.Errorf("file: %s", got)
	}
	if got := stderr.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "msg=trouble") {
		t.Errorf("standard error: %s", got)
	}
}

func TestPlace(t *testing.T) {
	folder := t.TempDir()
	for _, tt := range []struct{ file, env, want string }{
		{"", "", ""},
		{"", folder, filepath.Join(folder, "agent.log")},
		{"/x/y.log", folder, "/x/y.log"},
		{"", "relative", ""},
	} {
		t.Setenv("LOGS_DIRECTORY", tt.env)
		if got := Place(configs.Log{File: tt.file}, "agent.log"); got != tt.want {
			t.Errorf("%+v: %s", tt, got)
		}
	}
}
