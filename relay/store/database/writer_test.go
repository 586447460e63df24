package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
	"testing/fstest"
	"time"
)

// things is a schema of one table.
var things = fstest.MapFS{"schema/0001.sql": {Data: []byte("CREATE TABLE things (name TEXT NOT NULL) STRICT;")}}

func open(t *testing.T, dir string) *File {
	t.Helper()
	f, err := Open(t.Context(), filepath.Join(dir, "things.db"), Settings{Schema: things, Application: 1, Synchronous: Normal, Readers: 2})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func closed(t *testing.T, f *File) {
	t.Helper()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestBatchKeepsWritesApart puts writes that succeed and one that fails into one transaction.
func TestBatchKeepsWritesApart(t *testing.T) {
	f := open(t, t.TempDir())
	defer closed(t, f)
	boom := errors.New("boom")
	add := func(name string, after error) *request {
		return &request{ctx: t.Context(), answer: make(chan struct{}), write: func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, "INSERT INTO things (name) VALUES (?)", name)
			return errors.Join(err, after)
		}}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	left := add("left", nil)
	left.ctx = gone
	batch := []*request{add("first", nil), add("fails", boom), left, add("last", nil)}
	f.write.commit(batch)
	for i, want := range []error{nil, boom, context.Canceled, nil} {
		if !errors.Is(batch[i].err, want) {
			t.Errorf("write %d: %v, want %v", i, batch[i].err, want)
		}
	}
	names, err := List(t.Context(), f.read, scanText, "SELECT name FROM things ORDER BY name")
	if err != nil || fmt.Sprint(names) != "[first last]" {
		t.Errorf("kept %v (%v)", names, err)
	}
}

func TestCloseEndsWriter(t *testing.T) {
	before := runtime.NumGoroutine()
	f := open(t, t.TempDir())
	closed(t, f)
	if err := f.Write(t.Context(), func(context.Context, *sql.Tx) error { return nil }); !errors.Is(err, errClosed) {
		t.Errorf("a write after the end: %v", err)
	}
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines are left, there were %d", runtime.NumGoroutine(), before)
		}
	}
}
