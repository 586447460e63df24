//go:build prove

package house

import (
	"strings"
	"testing"
	"time"
)

// TestAnExpiredEnrolmentToken waits for the end of the shortest life that a token may have, a minute. The store's suite
// proves the same on a clock of its own.
func TestAnExpiredEnrolmentToken(t *testing.T) {
	p := open(t)
	short := p.enrolmentToken(t, 60)
	time.Sleep(61 * time.Second)
	if code, said := p.enrolAs(t, "third", short); code != 7 || !strings.Contains(said, "expired") {
		t.Errorf("exit %d: %s", code, said)
	}
}
