package crash

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain is also the process that crashes: GANTRY_CRASH names the folder, and how.
func TestMain(m *testing.M) {
	dir, how, ok := strings.Cut(os.Getenv("GANTRY_CRASH"), "|")
	if !ok {
		os.Exit(m.Run())
	}
	stop, err := Watch(dir, time.Now())
	if err != nil {
		fmt.Println(err)
		os.Exit(3)
	}
	switch how {
	case "panic":
		go func() { panic("the reason") }()
		select {}
	case "quit":
		fmt.Println("ready")
		time.Sleep(time.Minute)
	case "well":
		if err := stop(); err != nil {
			fmt.Println(err)
			os.Exit(3)
		}
	}
	os.Exit(0)
}

func crashing(t *testing.T, dir, how string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "GANTRY_CRASH="+dir+"|"+how)
	return cmd
}

func TestAPanicLeavesAFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs [1]")
	if err := crashing(t, dir, "panic").Run(); err == nil {
		t.Fatal("it did not crash")
	}
	all := Files(dir)
	if len(all) != 1 {
		t.Fatalf("%v", all)
	}
	text, err := os.ReadFile(all[0])
	if err != nil || !strings.Contains(string(text), "panic: the reason") || !strings.Contains(string(text), "goroutine ") {
		t.Errorf("%s, %v", text, err)
	}
}

func TestSIGQUITLeavesAFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no such signal")
	}
	dir := t.TempDir()
	cmd := crashing(t, dir, "quit")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	all := Files(dir)
	if len(all) != 1 {
		t.Fatalf("%v", all)
	}
	if text, err := os.ReadFile(all[0]); err != nil || !strings.Contains(string(text), "goroutine ") {
		t.Errorf("%s, %v", text, err)
	}
}

func TestAGoodEndLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	if err := crashing(t, dir, "well").Run(); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestTheLastFewAreKept(t *testing.T) {
	dir := t.TempDir()
	for i := range 9 {
		content := "x"
		if i == 4 {
			content = "" // of a process that was killed
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("crash-2026030%dT000000.000Z.txt", i)), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := prune(dir); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != Keep || entries[0].Name() != "crash-20260303T000000.000Z.txt" {
		t.Errorf("%v, %v", entries, err)
	}
}
