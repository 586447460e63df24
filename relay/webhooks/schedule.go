package webhooks

import (
	"math/rand/v2"
	"time"

	"gantry/relay/store"
)

// When a message that failed is tried again: after half a minute, then twice as long each time, and every four hours at the
// end of its life.
const (
	firstRetry = 30 * time.Second
	maxRetry   = 4 * time.Hour
)

// When a receiver is left alone: after some failures in a row, of whatever messages. It may ask for up to a day itself.
const (
	patience   = 5
	firstRest  = 30 * time.Second
	maxRest    = 30 * time.Minute
	longestAsk = 24 * time.Hour
)

// window is how many messages are under way to one receiver at a time.
const window = 32

// delay gives the n-th delay (from 1) of a series that doubles, up to a quarter longer by chance, so that what failed together
// does not come back together.
func delay(n int, first, most time.Duration) time.Duration {
	d := most
	if n < 16 {
		d = min(first<<(n-1), most)
	}
	return d + rand.N(d/4)
}

// next gives the time of the attempt after the n-th, and whether there is one. The last is made when the message's life ends.
func next(n int, now, expires time.Time, asked time.Duration) (time.Time, bool) {
	if !now.Before(expires) {
		return time.Time{}, false
	}
	at := now.Add(max(delay(n, firstRetry, maxRetry), asked))
	if at.After(expires) {
		at = expires
	}
	return at, true
}

// free gives how many more messages may be under way to a receiver of this health: one, while it fails.
func free(h store.WebhookHealth, underWay int) int {
	return max(window>>min(h.Failures, patience), 1) - underWay
}

// judge gives a receiver's health after an answer.
func judge(h store.WebhookHealth, a answer) store.WebhookHealth {
	if a.err == nil {
		return store.WebhookHealth{LastSuccessAt: a.at}
	}
	h.Failures++
	h.LastError = a.problem()
	if h.FailingSince.IsZero() {
		h.FailingSince = a.at
	}
	tired := h.Failures >= patience || h.Rests > 0 || a.asked > 0
	if tired && !a.at.Before(h.RestsUntil) { // not one of those that were under way when it began to rest
		h.Rests++
		rest := a.asked
		if rest == 0 {
			rest = delay(h.Rests, firstRest, maxRest)
		}
		h.RestsUntil = a.at.Add(rest)
	}
	return h
}
