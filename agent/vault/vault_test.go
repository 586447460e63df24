package vault

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

func open(t *testing.T, dir string) *Vault {
	t.Helper()
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	v, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestBoxes(t *testing.T) {
	dir := t.TempDir()
	first, second := open(t, dir), open(t, dir)
	box := first.Encrypt([]byte("hunter2"), "connection con_1")
	if bytes.Contains(box, []byte("hunter2")) {
		t.Fatal("the box shows its content")
	}
	plain, err := second.Decrypt(box, "connection con_1")
	if err != nil || string(plain) != "hunter2" {
		t.Fatalf("got %q, %v", plain, err)
	}
	flipped := bytes.Clone(box)
	flipped[len(flipped)-1] ^= 1
	for name, try := range map[string]func() ([]byte, error){
		"another row":   func() ([]byte, error) { return second.Decrypt(box, "connection con_2") },
		"damaged":       func() ([]byte, error) { return second.Decrypt(flipped, "connection con_1") },
		"cut":           func() ([]byte, error) { return second.Decrypt(box[:8], "connection con_1") },
		"empty":         func() ([]byte, error) { return second.Decrypt(nil, "connection con_1") },
		"later version": func() ([]byte, error) { return second.Decrypt(append([]byte{9}, box[1:]...), "connection con_1") },
		"another vault": func() ([]byte, error) { return open(t, t.TempDir()).Decrypt(box, "connection con_1") },
	} {
		if plain, err := try(); !errors.Is(err, ErrBox) || plain != nil {
			t.Errorf("%s: got %q, %v", name, plain, err)
		}
	}
}

func TestKeyFileOfOthersIsRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the folder's access list protects the file there")
	}
	dir := t.TempDir()
	open(t, dir)
	path := filepath.Join(dir, keyFile)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil {
		t.Error("a key that the group may read was taken")
	}
}

func TestCutKeyFileIsRefused(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	if err := os.WriteFile(filepath.Join(dir, keyFile), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil {
		t.Error("a cut key was taken")
	}
}

func TestServiceManagersKeyComesFirst(t *testing.T) {
	dir, creds := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(creds, credFile), bytes.Repeat([]byte{7}, keySize), 0o400); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", creds)
	if _, err := Open(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, keyFile)); !errors.Is(err, os.ErrNotExist) {
		t.Error("a key file was written beside the service manager's key")
	}
}

// TestTwoStartersAgree has many processes open a fresh folder at once.
func TestTwoStartersAgree(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	ids := make([]string, 8)
	var starters sync.WaitGroup
	for i := range ids {
		starters.Go(func() {
			if v, err := Open(dir); err != nil {
				t.Error(err)
			} else {
				ids[i] = v.ID()
			}
		})
	}
	starters.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("different keys: %v", ids)
		}
	}
}
