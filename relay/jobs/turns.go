package jobs

import (
	"sync"
	"time"
)

// turns keeps jobs of the same key from running at a time, and their wake-ups from being lost.
type turns struct {
	mutex sync.Mutex
	byKey map[string]turn
}

// turn is where the jobs of one key stand. The zero time is no time.
type turn struct {
	queued  time.Time // the earliest that the queue holds
	running bool
	again   time.Time // when to run once more after the one that runs
}

// want says that a job should run at a time, and tells whether the queue has to be told.
func (t *turns) want(key string, at time.Time) bool {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	of := t.byKey[key]
	if of.running {
		of.again = earlier(of.again, at)
		t.byKey[key] = of
		return false
	}
	if earlier(of.queued, at) == of.queued {
		return false
	}
	of.queued = at
	t.byKey[key] = of
	return true
}

// forget takes back what want told the queue, which could not be told.
func (t *turns) forget(key string, at time.Time) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if of := t.byKey[key]; of.queued.Equal(at) {
		of.queued = time.Time{}
		t.keep(key, of)
	}
}

// begin tells whether a job may run now. While its like runs it may not: that one runs once more.
func (t *turns) begin(key string, now time.Time) bool {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	of := t.byKey[key]
	if of.running {
		of.again = now
		t.byKey[key] = of
		return false
	}
	t.byKey[key] = turn{running: true}
	return true
}

// end gives the time at which to run once more; zero: it need not.
func (t *turns) end(key string) time.Time {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	again := t.byKey[key].again
	delete(t.byKey, key)
	return again
}

func (t *turns) keep(key string, of turn) {
	if of == (turn{}) {
		delete(t.byKey, key)
		return
	}
	t.byKey[key] = of
}

// earlier gives the earlier of two times, of which the first may be none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
