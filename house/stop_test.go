package house

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestSlowCallersHoldNothing opens calls that never end by themselves, and sees them ended by the relay, with others served
// meanwhile.
func TestSlowCallersHoldNothing(t *testing.T) {
	b := openBigTable(t, 200_000, withRelay("limits: {client_stall: 2s}\n"))
	before := b.plant.relay.descriptors()

	t.Run("a reader that reads nothing", func(t *testing.T) {
		var idle []*http.Response
		for range 3 {
			answer, err := b.client.open(t.Context(), http.MethodGet, "/meter-readings", nil, Header{"Accept", "application/x-ndjson"})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = answer.Body.Close() }()
			idle = append(idle, answer)
		}
		b.plant.expect(b.client, http.MethodGet, "/meter-readings?limit=5", nil, 200, nil)
		took := eventually(t, 30*time.Second, "the database runs no query", func() error {
			if n := b.running(t); n > 0 {
				return fmt.Errorf("%d queries run", n)
			}
			return nil
		})
		t.Logf("the queries of 3 readers that read nothing were gone after %s", took.Round(time.Millisecond))
		for _, answer := range idle {
			if whole(answer.Body) {
				t.Error("a stream that was cut looks whole")
			}
		}
	})
	eventually(t, 30*time.Second, "descriptors are back", func() error {
		if now := b.plant.relay.descriptors(); now > before+4 {
			return fmt.Errorf("%d before, %d now", before, now)
		}
		return nil
	})
}

// whole reports whether a stream has its end line.
func whole(body io.Reader) bool {
	last, lines := "", bufio.NewReader(body)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return strings.HasPrefix(last, `{"end":`)
		}
		last = line
	}
}
