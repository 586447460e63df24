package syncs

import (
	"math/rand/v2"
	"time"

	"gantry/tunnel/fault"
)

// How long a sync waits after tries that failed.
const (
	firstWait = 5 * time.Second
	longWait  = 15 * time.Minute
)

// wait gives how long to wait after so many failures in a row: twice as long each time, with a quarter of chance, so that the
// syncs of a source do not come back all at once, and never less than what the failure asks for. What cannot heal by itself
// in seconds begins later.
func wait(failures int, f *fault.Error) time.Duration {
	first := firstWait
	if !f.Retryable {
		first = time.Minute
	}
	d := longWait
	if shift := max(failures-1, 0); shift < 16 {
		d = min(first<<shift, longWait)
	}
	d -= time.Duration(rand.Int64N(int64(d / 4)))
	return max(d, f.RetryAfter)
}
