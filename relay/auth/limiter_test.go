package auth

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"gantry/tunnel/fault"
)

func TestLimiter(t *testing.T) {
	now := time.Unix(0, 0)
	l := NewLimiter(2, 4, func() time.Time { return now })
	for n := range 4 {
		if q := l.Take("a"); !q.Allowed || q.Remaining != 3-n || q.Err() != nil {
			t.Errorf("call %d: %+v", n, q)
		}
	}
	q := l.Take("a")
	if q.Allowed || q.Wait != 500*time.Millisecond {
		t.Errorf("a call too many: %+v", q)
	}
	if !fault.Is(q.Err(), fault.RateLimitExceeded) {
		t.Errorf("its error: %v", q.Err())
	}
	h := http.Header{}
	q.Mark(h)
	if got, want := h.Get("RateLimit-Policy"), `"token";q=4;w=2`; got != want {
		t.Errorf("policy %s, want %s", got, want)
	}
	if got, want := h.Get("RateLimit"), `"token";r=0;t=2`; got != want {
		t.Errorf("limit %s, want %s", got, want)
	}
	if !l.Take("b").Allowed {
		t.Error("another token is limited as well")
	}
	now = now.Add(500 * time.Millisecond)
	if !l.Take("a").Allowed || l.Take("a").Allowed {
		t.Error("after half a second there is not exactly one call")
	}
}

func TestLimiterIsBounded(t *testing.T) {
	now := time.Unix(0, 0)
	l := NewLimiter(1, 10, func() time.Time { return now })
	for range 5 {
		l.Take("busy")
	}
	for n := range 3 * maxBuckets {
		now = now.Add(time.Millisecond)
		l.Take(fmt.Sprint(n))
		if n%1000 == 0 {
			l.Take("busy")
		}
		if len(l.buckets) > maxBuckets {
			t.Fatalf("%d buckets of at most %d", len(l.buckets), maxBuckets)
		}
	}
}
