package sqlite

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gantry/relay/store"
)

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
