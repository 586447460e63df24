package store

import (
	"regexp"
	"testing"
	"time"
)

func TestNewID(t *testing.T) {
	form := regexp.MustCompile(`^con_[0-9A-HJKMNP-TV-Z]{26}$`)
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	last := ""
	for _, after := range []time.Duration{0, 1, 2, 255, 256, 65536, 365 * 24 * 3600 * 1000, 50 * 365 * 24 * 3600 * 1000} {
		id := NewID(ConnectionID, start.Add(after*time.Millisecond))
		if !form.MatchString(id) {
			t.Errorf("%s is not of the form", id)
		}
		if id <= last {
			t.Errorf("%s does not follow %s", id, last)
		}
		last = id
	}
	if one, other := NewID(AgentID, start), NewID(AgentID, start); one == other {
		t.Error("two ids of one moment are the same")
	}
}

func TestNextID(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	last := ""
	for _, at := range []time.Time{now, now, now.Add(time.Hour), now, now.Add(-time.Hour), now.Add(2 * time.Hour)} {
		id := NextID(EventID, at, last)
		if id <= last {
			t.Errorf("%s does not follow %s", id, last)
		}
		last = id
	}
	if got, want := NextID(EventID, now, "evt_7ZZZZZZZZZZZZZZZZZZZZZZZZW"), "evt_80000000000000000000000000"; got != want {
		t.Errorf("the next one is %s, want %s", got, want)
	}
}

func TestPageIsBounded(t *testing.T) {
	for limit, want := range map[int]int{-1: MaxPage, 0: MaxPage, 1: 1, MaxPage + 1: MaxPage} {
		if got := (Page{Limit: limit}).Size(); got != want {
			t.Errorf("a limit of %d gives %d, want %d", limit, got, want)
		}
	}
}

func TestAuditID(t *testing.T) {
	for _, n := range []int{1, 9, 10, 123456789012} {
		if got, ok := AuditNumber(AuditID(n)); !ok || got != n {
			t.Errorf("%s reads as %d %t", AuditID(n), got, ok)
		}
	}
	for _, id := range []string{"aud_", "aud_1", "aud_00000000000x", "aud_-00000000001", "con_000000000001", "aud_000000000000"} {
		if n, ok := AuditNumber(id); ok {
			t.Errorf("%s reads as %d", id, n)
		}
	}
}
