package state

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestErasedMeansGone looks into the files for a login that was replaced and for one that was erased.
func TestErasedMeansGone(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	box := func(mark string) []byte { return bytes.Repeat([]byte(mark), 40) }
	must(t, db.PutConnection(t.Context(), Connection{ID: "con_1", Settings: []byte(`{"username":"u53rname"}`), Credentials: box("first login")}))
	if !stands(t, dir, "first login") {
		t.Fatal("the login is not where this test looks")
	}
	must(t, db.PutConnection(t.Context(), Connection{ID: "con_1", Settings: []byte(`{"username":"u53rname"}`), Credentials: box("second login")}))
	if stands(t, dir, "first login") {
		t.Error("the replaced login is still in the files")
	}
	must(t, db.PutOverlay(t.Context(), "con_1", []byte(`{"entities":{"0verlaid":{}}}`)))
	if kept, err := db.Overlay(t.Context(), "con_1"); err != nil || len(kept) == 0 {
		t.Fatalf("%s %v", kept, err)
	}
	must(t, db.DeleteConnection(t.Context(), "con_1"))
	for _, mark := range []string{"second login", "u53rname", "0verlaid"} {
		if stands(t, dir, mark) {
			t.Errorf("%q is still in the files", mark)
		}
	}
}

// stands reports whether a text stands in any file of the folder.
func stands(t *testing.T, dir, text string) bool {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		must(t, err)
		if bytes.Contains(content, []byte(text)) {
			return true
		}
	}
	return false
}
