package state

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestInspect(t *testing.T) {
	dir := t.TempDir()
	if _, err := Inspect(t.Context(), dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of nothing: %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("looking made %v", entries)
	}
	db := open(t, dir)
	if got, err := Inspect(t.Context(), dir); err != nil || got.Identity.Agent != "" || got.Machine != "" {
		t.Errorf("not enrolled: %+v, %v", got, err)
	}
	must(t, db.SetIdentity(t.Context(), identity()))
	for _, machine := range []string{"mac_1", "mac_2"} { // the first stays
		if noted, err := db.NoteMachine(t.Context(), machine); err != nil || noted != "mac_1" {
			t.Errorf("noted: %q, %v", noted, err)
		}
	}
	got, err := Inspect(t.Context(), dir) // while it is open
	must(t, err)
	if diff := cmp.Diff(Inspected{identity(), "mac_1"}, got); diff != "" {
		t.Error(diff)
	}
	must(t, db.SetIdentity(t.Context(), identity()))
	if machine, err := db.Machine(t.Context()); err != nil || machine != "" {
		t.Errorf("a new identity is still noted for %q: %v", machine, err)
	}
	must(t, db.Close())
	execute(t, filepath.Join(dir, File), "DROP TABLE machine; PRAGMA user_version = 1") // as a version before left it
	if got, err := Inspect(t.Context(), dir); err != nil || got.Identity.Agent != "agt_1" {
		t.Errorf("of an older version: %+v, %v", got, err)
	}
	execute(t, filepath.Join(dir, File), "PRAGMA user_version = 999")
	if _, err := Inspect(t.Context(), dir); !errors.Is(err, ErrNewer) {
		t.Errorf("of a newer version: %v", err)
	}
}
