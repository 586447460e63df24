package web_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gantry/connectors"
	"gantry/connectors/web"
)

// door is a system's login as a test plays it.
type door struct {
	tries   int
	answers []error // of the tries, in turn; nil lets in
}

func (d *door) session() *web.Session[int] {
	status := func(want string) func(*connectors.Failure) bool {
		return func(f *connectors.Failure) bool { return f.Status == want }
	}
	return web.NewSession(web.Login[int]{Refused: status("401"), Limited: status("429"), Do: func(context.Context) (int, error) {
		d.tries++
		time.Sleep(time.Second)
		if len(d.answers) < d.tries {
			return d.tries, nil
		}
		return d.tries, d.answers[d.tries-1]
	}})
}

func says(status string) error { return &connectors.Failure{Kind: connectors.Answered, Status: status} }

func TestSessionLogsInOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &door{}
		s := d.session()
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				if token, err := s.Get(t.Context()); token != 1 || err != nil {
					t.Errorf("%d, %v", token, err)
				}
			})
		}
		group.Wait()
		s.Expired(1)
		if token, _ := s.Get(t.Context()); token != 2 {
			t.Errorf("renewed: %d", token)
		}
		s.Expired(1) // by one who still had the old one
		if token, held := s.Held(); token != 2 || !held || d.tries != 2 {
			t.Errorf("%d %t after %d logins", token, held, d.tries)
		}
	})
}

func TestSessionStopsAtARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &door{answers: []error{says("401")}}
		s := d.session()
		for range 100 {
			if _, err := s.Get(t.Context()); failed(t, err).Status != "401" {
				t.Errorf("got %v", err)
			}
			time.Sleep(time.Hour)
		}
		if d.tries != 1 {
			t.Errorf("a refused login was tried %d times", d.tries)
		}
	})
}

func TestSessionWaitsWhileLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &door{answers: []error{says("429"), says("429"), says("429"), errors.New("line down")}}
		s := d.session()
		began, last := time.Now(), error(says(""))
		for last != nil {
			if _, last = s.Get(t.Context()); last != nil && d.tries < 4 && failed(t, last).After <= 0 {
				t.Errorf("no word for how long: %v", last)
			}
			time.Sleep(time.Second)
		}
		if took := time.Since(began); d.tries != 5 || took < 210*time.Second || took > 230*time.Second {
			t.Errorf("%d logins in %s; expected five, after 30 s, 60 s, 120 s and at once", d.tries, took)
		}
	})
}

func TestSessionWaiterGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &door{}
		s := d.session()
		go func() { _, _ = s.Get(context.Background()) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := s.Get(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		time.Sleep(2 * time.Second)
	})
}
