//go:build prove

package house

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"
)

// TestAMillionRows streams a big table to its end, by a fast and by a slow reader, and measures what both programs
// hold meanwhile; then hangs up in the middle and watches the database.
func TestAMillionRows(t *testing.T) {
	const rows, growth = 1_000_000, 64 << 20
	b := openBigTable(t, rows, withRelay("limits: {client_stall: 10m}\n"))
	p := b.plant
	p.expect(b.client, http.MethodGet, "/meter-readings?limit=500", nil, 200, nil) // pools and caches are warm

	for name, pause := range map[string]time.Duration{"a fast reader": 0, "a slow reader": 40 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			before := [2]int64{p.relay.resident(), p.agent.resident()}
			peak, stop := p.watchMemory()
			begin, count := time.Now(), 0
			total, err := b.client.Stream(t.Context(), "/meter-readings", func([]byte) error {
				if count++; pause > 0 && count%5000 == 0 {
					time.Sleep(pause)
				}
				return nil
			})
			stop()
			if err != nil || total != rows {
				t.Fatalf("%d rows: %v", total, err)
			}
			t.Logf("%d rows in %s, %.0f a second", total, time.Since(begin).Round(time.Millisecond), float64(total)/time.Since(begin).Seconds())
			for i, who := range []string{"relay", "agent"} {
				grown := peak[i].Load() - before[i]
				t.Logf("%s: %.1f MiB resident before, %+.1f MiB at most", who, mib(before[i]), mib(grown))
				if grown > growth && !raceDetector { // the race detector's shadow memory is not ours
					t.Errorf("%s grew by %.1f MiB", who, mib(grown))
				}
			}
		})
	}

	t.Run("a caller that hangs up", func(t *testing.T) {
		ctx, hangUp := context.WithCancel(t.Context())
		answer, err := b.client.open(ctx, http.MethodGet, "/meter-readings", nil, Header{"Accept", "application/x-ndjson"})
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(answer.Body)
		for range 50_000 {
			if _, err := lines.ReadSlice('\n'); err != nil {
				t.Fatal(err)
			}
		}
		if b.running(t) == 0 {
			t.Fatal("no query runs in the middle of the stream: the test tells nothing")
		}
		hangUp()
		took := eventually(t, 10*time.Second, "the query is gone", func() error {
			if n := b.running(t); n > 0 {
				return fmt.Errorf("%d queries run", n)
			}
			return nil
		})
		t.Logf("the query was gone from pg_stat_activity %s after the caller hung up", took.Round(time.Millisecond))
		if took > time.Second {
			t.Errorf("that took longer than a second")
		}
	})
}
