package state

import (
	"database/sql"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func open(t *testing.T, dir string) *DB {
	t.Helper()
	db, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func identity() Identity {
	return Identity{
		Agent: "agt_1", Site: "sit_1", Organisation: "org_1", Relay: "wss://relay", Pin: "pin", CA: []byte("ca"), Certificate: []byte("old"),
		Vault: "v", TLSKeyBox: []byte("t"), SealingKeyBox: []byte("s"), CursorKeyBox: []byte("c"), EnrolledAt: time.UnixMilli(1e12).UTC(),
	}
}

func TestIdentity(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	if _, err := db.Identity(t.Context()); !errors.Is(err, ErrNotEnrolled) {
		t.Fatalf("fresh state: %v", err)
	}
	if err := db.SetCertificate(t.Context(), []byte("new")); !errors.Is(err, ErrNotEnrolled) {
		t.Fatalf("certificate without identity: %v", err)
	}
	must(t, db.SetIdentity(t.Context(), identity()))
	must(t, db.SetCertificate(t.Context(), []byte("new")))
	must(t, db.Close())
	want := identity()
	want.Certificate = []byte("new")
	got, err := open(t, dir).Identity(t.Context())
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestConnections(t *testing.T) {
	db := open(t, t.TempDir())
	c := Connection{
		ID: "con_1", Organisation: "org_1", Site: "sit_1", System: "demo", Name: "erp", Settings: json.RawMessage(`{"host":"db"}`),
		Credentials: []byte("box"), OpenedAt: time.UnixMilli(1e12).UTC(),
	}
	must(t, db.PutConnection(t.Context(), c))
	c.Credentials = []byte("another")
	must(t, db.PutConnection(t.Context(), c))
	got, err := db.Connections(t.Context())
	must(t, err)
	if diff := cmp.Diff([]Connection{c}, got); diff != "" {
		t.Error(diff)
	}
	must(t, db.DeleteConnection(t.Context(), "con_1"))
	must(t, db.DeleteConnection(t.Context(), "con_1"))
	if _, err := db.Connection(t.Context(), "con_1"); !errors.Is(err, ErrNoConnection) {
		t.Errorf("after its erasure: %v", err)
	}
}

func TestNewIdentityTakesTheOldLoginsAway(t *testing.T) {
	db := open(t, t.TempDir())
	must(t, db.SetIdentity(t.Context(), identity()))
	must(t, db.PutConnection(t.Context(), Connection{ID: "con_1", Settings: json.RawMessage("{}"), Credentials: []byte("box")}))
	must(t, db.SetIdentity(t.Context(), identity()))
	if all, err := db.Connections(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("left: %v, %v", all, err)
	}
}

func TestUnfitFiles(t *testing.T) {
	for _, tt := range []struct {
		name    string
		prepare func(t *testing.T, path string)
		want    error
	}{
		{"of a newer agent", func(t *testing.T, path string) { execute(t, path, "PRAGMA user_version = 999") }, ErrNewer},
		{"of another program", func(t *testing.T, path string) { execute(t, path, "PRAGMA application_id = 1") }, ErrForeign},
		{"no database", func(t *testing.T, path string) {
			must(t, os.WriteFile(path, []byte("this is a text of a length at which SQLite would look for its header, and finds none here"), 0o600))
		}, ErrCorrupt},
		{"overwritten pages", func(t *testing.T, path string) {
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			must(t, err)
			_, err = f.WriteAt(make([]byte, 8192), 4096)
			must(t, errors.Join(err, f.Close()))
		}, ErrCorrupt},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			db, err := Open(t.Context(), dir)
			must(t, err)
			must(t, db.Close())
			tt.prepare(t, filepath.Join(dir, File))
			if db, err = Open(t.Context(), dir); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if err == nil {
				_ = db.Close()
			}
		})
	}
}

func execute(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	must(t, err)
	_, err = db.Exec(statement)
	must(t, errors.Join(err, db.Close()))
}

func TestFilesArePrivateAndFolderIsTakenOnce(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	must(t, db.SetIdentity(t.Context(), identity()))
	for _, name := range []string{File, File + "-wal"} {
		info, err := os.Stat(filepath.Join(dir, name))
		must(t, err)
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
	lock, err := Lock(dir)
	must(t, err)
	if _, err := Lock(dir); !errors.Is(err, ErrInUse) {
		t.Errorf("second lock: %v", err)
	}
	must(t, lock.Close())
	lock, err = Lock(dir)
	must(t, err)
	must(t, lock.Close())
}
