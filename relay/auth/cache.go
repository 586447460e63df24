package auth

import (
	"context"
	"slices"
	"sync"
	"time"

	"gantry/relay/store"
)

// cacheSize is how many tokens and connections are kept in memory: about 4 MB.
const cacheSize = 8192

// cache remembers who tokens belong to, and ends them. An entry that is held is never evicted, since whoever holds it
// must be told of its end.
type cache struct {
	limit int

	mu      sync.Mutex
	endings uint64 // counts calls of end: what was read from the store before one may be out of date after it
	entries map[string]*entry
}

// entry is what is known of one token, or of one connection that keys name.
type entry struct {
	subjects     []string // the ids whose end is the entry's
	token        string
	organisation string
	name         string
	role         store.Role
	connection   *store.Connection // shared by all who hold the entry: never changed
	expires      time.Time

	life  context.Context // ends, with a cause, when a subject ends
	end   context.CancelCauseFunc
	holds int
}

func (e *entry) expired(now time.Time) bool { return !e.expires.IsZero() && !now.Before(e.expires) }

// hold gives the entry of a name, found by find where it is not in memory. The caller releases it.
func (c *cache) hold(name string, find func() (entry, error)) (*entry, error) {
	for {
		held, endings := c.lookup(name)
		if held != nil {
			return held, nil
		}
		fresh, err := find()
		if err != nil {
			return nil, err
		}
		if held := c.insert(name, fresh, endings); held != nil {
			return held, nil
		}
	}
}

func (c *cache) lookup(name string) (*entry, uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	held := c.entries[name]
	if held != nil {
		held.holds++
	}
	return held, c.endings
}

// insert keeps a fresh entry, held once; nil where something ended while it was being read.
func (c *cache) insert(name string, fresh entry, endings uint64) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.endings != endings {
		return nil
	}
	if other := c.entries[name]; other != nil {
		other.holds++
		return other
	}
	c.evict()
	fresh.life, fresh.end = context.WithCancelCause(context.Background())
	fresh.holds = 1
	c.entries[name] = &fresh
	return &fresh
}

func (c *cache) release(held *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	held.holds--
}

// evict makes room by forgetting any entry that nobody holds. Go's maps are walked in random order, which is a fair
// choice of victim. Where all are held the cache grows; the callers' own limits bound how many those are.
func (c *cache) evict() {
	if len(c.entries) < c.limit {
		return
	}
	for name, e := range c.entries {
		if e.holds == 0 {
			e.end(nil)
			delete(c.entries, name)
			return
		}
	}
}

// end forgets the entries of the subjects and ends whatever holds them. Call it after the write that ends them.
func (c *cache) end(cause error, subjects ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endings++
	for name, e := range c.entries {
		if slices.ContainsFunc(e.subjects, func(s string) bool { return slices.Contains(subjects, s) }) {
			e.end(cause)
			delete(c.entries, name)
		}
	}
}
