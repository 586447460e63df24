package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gantry/relay/store"
	"gantry/relay/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T, now func() time.Time) store.Store { return open(t, t.TempDir(), now) })
}

func open(t *testing.T, dir string, now func() time.Time) *Store {
	t.Helper()
	s, err := Open(t.Context(), dir, now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func closed(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOpenAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "a?b#c%20 é")
	s := open(t, dir, nil)
	o, err := s.CreateOrganisation(t.Context(), "Plant", 1)
	if err != nil {
		t.Fatal(err)
	}
	closed(t, s)
	s = open(t, dir, nil)
	defer closed(t, s)
	if _, err := s.Organisation(t.Context(), o.ID); err != nil {
		t.Errorf("after opening again: %v", err)
	}
	for _, file := range []string{File, "relay.lock"} {
		info, err := os.Stat(filepath.Join(dir, file))
		if err != nil {
			t.Error(err)
		} else if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o", file, mode)
		}
	}
}

func TestOneProcessOnly(t *testing.T) {
	dir := t.TempDir()
	defer closed(t, open(t, dir, nil))
	if _, err := Open(t.Context(), dir, nil); !errors.Is(err, ErrInUse) {
		t.Errorf("the second one: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	tests := map[string]struct {
		prepare string
		want    error
	}{
		"newer":   {fmt.Sprintf("PRAGMA application_id = %d; CREATE TABLE a (b); PRAGMA user_version = 1000", applicationID), ErrNewer},
		"foreign": {"CREATE TABLE a (b)", ErrForeign},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			db, err := sql.Open("sqlite", filepath.Join(dir, File))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.Exec(test.prepare); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(t.Context(), dir, nil); !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
	t.Run("damaged", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, File), []byte("this is no database, and it is long enough to be read as one ......................................"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), dir, nil); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%v, want %v", err, ErrCorrupt)
		}
	})
}

// TestDiskFull caps the file, so that SQLite meets a full disk.
func TestDiskFull(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	defer closed(t, s)
	o, err := s.CreateOrganisation(t.Context(), "Plant", 1)
	if err != nil {
		t.Fatal(err)
	}
	set := func(pages int) {
		statement := fmt.Sprintf("PRAGMA max_page_count = %d", pages)
		if err := s.write.do(t.Context(), func(ctx context.Context, tx *sql.Tx) error { return run(ctx, tx, statement) }); err != nil {
			t.Fatal(err)
		}
	}
	set(1)
	large := make([]byte, 1<<20)
	make1 := func() ([]byte, error) { return large, nil }
	if _, err := s.Secret(t.Context(), "large", make1); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("a write on a full disk: %v", err)
	}
	if _, err := s.Organisation(t.Context(), o.ID); err != nil {
		t.Errorf("a read on a full disk: %v", err)
	}
	set(1 << 20)
	if _, err := s.Secret(t.Context(), "large", make1); err != nil {
		t.Errorf("a write when there is room again: %v", err)
	}
}

func TestReadersCannotWrite(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	defer closed(t, s)
	if _, err := s.read.Exec("DELETE FROM secrets"); !errors.Is(classify(err), store.ErrReadOnly) {
		t.Errorf("a write by a reader: %v", err)
	}
}

func TestBackupAndCheck(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	defer closed(t, s)
	o, err := s.CreateOrganisation(t.Context(), "Plant", 1)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, "copy", File)
	if err := os.Mkdir(filepath.Dir(copied), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Backup(t.Context(), dir, copied); err != nil {
		t.Fatal(err)
	}
	if err := Backup(t.Context(), dir, copied); !errors.Is(err, os.ErrExist) {
		t.Errorf("a backup over a file: %v", err)
	}
	restored := open(t, filepath.Dir(copied), nil)
	defer closed(t, restored)
	if _, err := restored.Organisation(t.Context(), o.ID); err != nil {
		t.Error(err)
	}
	if found, err := Check(t.Context(), filepath.Dir(copied)); err != nil || len(found) > 0 {
		t.Errorf("check: %v %v", found, err)
	}
	if _, err := Check(t.Context(), t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("check of an empty folder: %v", err)
	}
}

func TestAuditIsAppendOnly(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	defer closed(t, s)
	o, err := s.CreateOrganisation(t.Context(), "Plant", 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.RecordAudit(t.Context(), store.AuditEntry{OrganisationID: o.ID, Action: "sites.create", Result: "OK"}); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{"DELETE FROM audit", "UPDATE audit SET result = 'NO'"} {
		if err := s.write.do(t.Context(), func(ctx context.Context, tx *sql.Tx) error { return run(ctx, tx, statement) }); err == nil {
			t.Errorf("%s went through", statement)
		}
	}
}

func run(ctx context.Context, tx *sql.Tx, statement string) error {
	_, err := tx.ExecContext(ctx, statement)
	return err
}
