package jobs

import (
	"testing"
	"time"
)

func TestTurns(t *testing.T) {
	now := time.Unix(1000, 0)
	soon, late := now.Add(time.Minute), now.Add(time.Hour)
	turns := turns{byKey: map[string]turn{}}
	check := func(what string, got, want bool) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %v", what, got)
		}
	}
	check("the first is queued", turns.want("k", late), true)
	check("a later one is not", turns.want("k", late.Add(1)), false)
	check("an earlier one is", turns.want("k", soon), true)
	turns.forget("k", soon)
	check("one that was forgotten is", turns.want("k", soon), true)
	check("another key does not mind", turns.want("other", late), true)
	check("it begins", turns.begin("k", now), true)
	check("its like does not", turns.begin("k", late), false)
	check("nor is one queued", turns.want("k", soon), false)
	if again := turns.end("k"); !again.Equal(soon) {
		t.Errorf("again at %v, wanted the earliest that was asked for", again)
	}
	check("it begins anew", turns.begin("k", now), true)
	if again := turns.end("k"); !again.IsZero() {
		t.Errorf("again at %v, though nobody asked", again)
	}
	turns.forget("other", late)
	if len(turns.byKey) > 0 {
		t.Errorf("%v is kept for nothing", turns.byKey)
	}
}
