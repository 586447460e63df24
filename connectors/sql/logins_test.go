package sqldriver

import (
	"context"
	"database/sql/driver"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// door is a server that takes a second for each login.
type door struct {
	driver.Connector
	tries int
	err   error
}

func (d *door) Connect(ctx context.Context) (driver.Conn, error) {
	d.tries++
	select {
	case <-time.After(time.Second):
		return nil, d.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// TestRefusedLoginIsTriedOnce: calls that need a session at once share a refusal, and a later one asks again. What only
// its own caller ended is nobody else's refusal.
func TestRefusedLoginIsTriedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &door{err: errors.New("wrong password")}
		l := newLogins(d)
		atOnce := func(ctx context.Context, calls int) {
			var work sync.WaitGroup
			for range calls {
				work.Go(func() {
					if _, err := l.Connect(ctx); err == nil {
						t.Error("let in")
					}
				})
			}
			work.Wait()
		}
		atOnce(t.Context(), 8)
		if d.tries != 1 {
			t.Errorf("8 calls tried the password %d times", d.tries)
		}
		atOnce(t.Context(), 1)
		if d.tries != 2 {
			t.Errorf("a later call did not ask")
		}
		short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		var work sync.WaitGroup
		work.Go(func() { atOnce(short, 1) })
		synctest.Wait()
		work.Go(func() { atOnce(t.Context(), 1) })
		work.Wait()
		if d.tries != 4 {
			t.Errorf("a call shared another caller's end: %d tries", d.tries)
		}
	})
}
