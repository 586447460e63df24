package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"gantry/relay/store"
)

// TestBatchKeepsWritesApart puts writes that succeed and one that fails into one transaction.
func TestBatchKeepsWritesApart(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	defer closed(t, s)
	boom := errors.New("boom")
	add := func(name string, after error) *request {
		return &request{ctx: t.Context(), answer: make(chan struct{}), write: func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, "INSERT INTO secrets (name, value, created_at) VALUES (?, x'00', 0)", name)
			return errors.Join(err, after)
		}}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	left := add("left", nil)
	left.ctx = gone
	batch := []*request{add("first", nil), add("fails", boom), left, add("last", nil)}
	s.write.commit(batch)
	for i, want := range []error{nil, boom, context.Canceled, nil} {
		if !errors.Is(batch[i].err, want) {
			t.Errorf("write %d: %v, want %v", i, batch[i].err, want)
		}
	}
	names, err := list(t.Context(), s.read, scanID, "SELECT name FROM secrets ORDER BY created_at, name")
	if err != nil || fmt.Sprint(names) != "[first last]" {
		t.Errorf("kept %v (%v)", names, err)
	}
}

// TestSurvivesACopyWithoutClosing reads a copy of the files as a crash would leave them.
func TestSurvivesACopyWithoutClosing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	defer closed(t, s)
	o, err := s.CreateOrganisation(t.Context(), "Plant", 1)
	if err != nil {
		t.Fatal(err)
	}
	crashed := t.TempDir()
	for _, suffix := range []string{"", "-wal"} {
		copyFile(t, filepath.Join(dir, File+suffix), filepath.Join(crashed, File+suffix))
	}
	after := open(t, crashed, nil)
	defer closed(t, after)
	if _, err := after.Organisation(t.Context(), o.ID); err != nil {
		t.Errorf("what was answered is lost: %v", err)
	}
}

func TestCloseEndsWriter(t *testing.T) {
	before := runtime.NumGoroutine()
	s := open(t, t.TempDir(), nil)
	closed(t, s)
	if err := s.SeenAgent(t.Context(), "agt_0", time.Now(), nil); !errors.Is(err, errClosed) {
		t.Errorf("a write after the end: %v", err)
	}
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines are left, there were %d", runtime.NumGoroutine(), before)
		}
	}
}

// BenchmarkWrite measures small durable writes by one caller, and by many, whose writes share commits.
func BenchmarkWrite(b *testing.B) {
	for _, callers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s, agent := benchStore(b)
			var all sync.WaitGroup
			turns := make(chan struct{})
			for range callers {
				all.Go(func() {
					for range turns {
						if err := s.SeenAgent(b.Context(), agent, time.Now(), nil); err != nil {
							b.Error(err)
						}
					}
				})
			}
			for b.Loop() {
				turns <- struct{}{}
			}
			close(turns)
			all.Wait()
		})
	}
}

// BenchmarkTokenByHash measures what a call costs whose token is not in memory.
func BenchmarkTokenByHash(b *testing.B) {
	s, _ := benchStore(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.TokenByHash(b.Context(), store.Hash{}); !errors.Is(err, store.ErrNotFound) {
			b.Fatal(err)
		}
	}
}
