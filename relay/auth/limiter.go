package auth

import (
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"gantry/tunnel/fault"
)

// maxBuckets is how many tokens a limiter remembers. Beyond it full buckets are forgotten first, which changes nothing
// for their owners.
const maxBuckets = 16384

// Limiter bounds how often each token may call: a bucket of burst calls that fills again at rate calls a second.
type Limiter struct {
	rate  rate.Limit
	burst int
	now   func() time.Time

	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

// NewLimiter makes a limiter. A burst is at least one. now is the clock; nil: time.Now.
func NewLimiter(perSecond float64, burst int, now func() time.Time) *Limiter {
	if now == nil {
		now = time.Now
	}
	return &Limiter{rate: rate.Limit(perSecond), burst: max(burst, 1), now: now, buckets: map[string]*rate.Limiter{}}
}

// Quota is what a token has left after a call.
type Quota struct {
	Allowed   bool
	Limit     int           // calls in a full bucket
	Window    time.Duration // in which an empty bucket fills
	Remaining int
	Reset     time.Duration // until the bucket is full
	Wait      time.Duration // until the next call is allowed; 0 if it is now
}

// Take counts a call of the token (Principal.TokenID).
func (l *Limiter) Take(token string) Quota {
	now := l.now()
	bucket := l.bucket(token, now)
	q := Quota{Allowed: bucket.AllowN(now, 1), Limit: l.burst, Window: l.fill(float64(l.burst))}
	tokens := max(bucket.TokensAt(now), 0)
	q.Remaining = int(tokens)
	q.Reset = l.fill(float64(l.burst) - tokens)
	if !q.Allowed {
		q.Wait = l.fill(1 - tokens)
	}
	return q
}

func (l *Limiter) bucket(token string, now time.Time) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket := l.buckets[token]
	if bucket == nil {
		l.evict(now)
		bucket = rate.NewLimiter(l.rate, l.burst)
		l.buckets[token] = bucket
	}
	return bucket
}

// evict forgets every full bucket once there are too many, and any bucket where none is full.
func (l *Limiter) evict(now time.Time) {
	if len(l.buckets) < maxBuckets {
		return
	}
	for token, bucket := range l.buckets {
		if bucket.TokensAt(now) >= float64(l.burst) {
			delete(l.buckets, token)
		}
	}
	for token := range l.buckets {
		if len(l.buckets) < maxBuckets {
			return
		}
		delete(l.buckets, token)
	}
}

// fill gives the time in which so many calls come back.
func (l *Limiter) fill(calls float64) time.Duration {
	return time.Duration(calls / float64(l.rate) * float64(time.Second))
}

// Mark sets RateLimit-Policy and RateLimit as draft-ietf-httpapi-ratelimit-headers-10 writes them: q is the quota, w its
// window, r what is left and t the seconds until it is whole again.
func (q Quota) Mark(h http.Header) {
	h.Set("RateLimit-Policy", fmt.Sprintf(`"token";q=%d;w=%d`, q.Limit, max(seconds(q.Window), 1)))
	h.Set("RateLimit", fmt.Sprintf(`"token";r=%d;t=%d`, q.Remaining, seconds(q.Reset)))
}

// Err gives RATE_LIMIT_EXCEEDED, a *fault.Error, for a call that is not allowed.
func (q Quota) Err() error {
	if q.Allowed {
		return nil
	}
	return fault.New(fault.RateLimitExceeded, "The token has used its %d calls.", q.Limit).
		After(max(time.Duration(seconds(q.Wait))*time.Second, time.Second))
}

// seconds rounds up: a caller that comes back after so many seconds is served.
func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }
