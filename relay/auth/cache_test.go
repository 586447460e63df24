package auth

import (
	"fmt"
	"testing"
)

func TestCacheIsBounded(t *testing.T) {
	c := cache{entries: map[string]*entry{}, limit: 3}
	find := func() (entry, error) { return entry{subjects: []string{"one"}}, nil }
	kept, err := c.hold("kept", find)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 100 {
		held, err := c.hold(fmt.Sprint(n), find)
		if err != nil {
			t.Fatal(err)
		}
		c.release(held)
		if len(c.entries) > 3 {
			t.Fatalf("%d entries of at most 3", len(c.entries))
		}
	}
	if c.entries["kept"] != kept || kept.life.Err() != nil {
		t.Error("an entry that is held was evicted")
	}
}

// TestCacheReadsAgain ends a subject while it is being read: what was read is out of date.
func TestCacheReadsAgain(t *testing.T) {
	c := cache{entries: map[string]*entry{}, limit: 3}
	reads := 0
	_, err := c.hold("one", func() (entry, error) {
		if reads++; reads == 1 {
			c.end(errKeyRevoked(), "one")
			return entry{subjects: []string{"one"}}, nil
		}
		return entry{}, errKeyRevoked()
	})
	if err == nil || reads != 2 {
		t.Errorf("after %d reads: %v", reads, err)
	}
}
