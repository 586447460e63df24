package installer

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return "none"
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAReplacedFileComesBack(t *testing.T) {
	for _, before := range []string{"none", "old"} {
		t.Run(before, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "program")
			if before != "none" {
				write(t, path, before)
			}
			undo, err := replace(path, func(f *os.File) error { _, err := f.WriteString("new"); return err })
			if err != nil || read(t, path) != "new" {
				t.Fatalf("%v, it holds %q", err, read(t, path))
			}
			if err := undo(t.Context()); err != nil || read(t, path) != before {
				t.Errorf("%v, it holds %q", err, read(t, path))
			}
			if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) > 1 {
				t.Errorf("%v is left, %v", entries, err)
			}
		})
	}
}

func TestAFileThatCannotBeWrittenChangesNothing(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "program"), "old")
	undo, err := replace(path, func(*os.File) error { return errBroken })
	if undo != nil || !errors.Is(err, errBroken) || read(t, path) != "old" {
		t.Errorf("%v, it holds %q", err, read(t, path))
	}
}

func TestAConfigurationIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.yaml")
	i := Installation{Spec: Spec{Layout: Layout{Config: write(t, path, "of the plant")}}}
	i.Configure = func(current []byte) ([]byte, error) { return current, nil }
	undo, err := i.config().Do(context.Background())
	if undo != nil || err != nil || read(t, path) != "of the plant" {
		t.Errorf("%v, it holds %q", err, read(t, path))
	}
}
