package house

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gantry/tunnel/fault"
)

// prove marks a test that takes minutes: it runs in `make prove`.
func prove(t *testing.T) {
	t.Helper()
	if os.Getenv("GANTRY_PROVE") == "" {
		t.Skip("takes minutes: run it with `make prove`")
	}
}

// TestAMillionRows streams a big table to its end, by a fast and by a slow reader, and measures what both programs
// hold meanwhile; then hangs up in the middle and watches the database.
func TestAMillionRows(t *testing.T) {
	prove(t)
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

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// running counts the agent's active queries on the big table.
func (b *bigTable) running(t *testing.T) int {
	return count(t, b.server, "SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' AND query ILIKE '%big_reading%' AND pid <> pg_backend_pid()")
}

// watchMemory samples both programs' resident memory until it is stopped.
func (p *plant) watchMemory() (peak *[2]atomic.Int64, stop func()) {
	peak = new([2]atomic.Int64)
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			for i, d := range []*daemon{p.relay, p.agent} {
				peak[i].Store(max(peak[i].Load(), d.resident()))
			}
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	return peak, func() { close(done); watching.Wait() }
}

// TestKills kills relay and agent, ten times each, while orders are created. Each order is retried with its key until
// it succeeds; then SQL counts them.
func TestKills(t *testing.T) {
	prove(t)
	for _, class := range []string{"keyed", "transactional"} {
		t.Run(class, func(t *testing.T) {
			system := map[string]string{"keyed": "adventureworks", "transactional": "adventureworks-inbox"}[class]
			aw := openAdventureWorksAs(t, system, "postgres")
			before := count(t, aw.database, "SELECT count(*) FROM purchaseorderheader")
			quiet := aw.plant.holds()
			w := &writers{aw: aw, class: class}
			w.start(8)
			for range 10 {
				time.Sleep(1200 * time.Millisecond)
				aw.plant.relay.kill()
				aw.plant.startRelay()
				time.Sleep(1200 * time.Millisecond)
				aw.plant.agent.kill()
				aw.plant.startAgent()
			}
			time.Sleep(3 * time.Second)
			w.stop()
			made := count(t, aw.database, "SELECT count(*) FROM purchaseorderheader") - before
			t.Logf("%d keys, %d orders in the database, %d tries, %d replays; the longest call took %s",
				w.keys.Load(), made, w.tries.Load(), w.replays.Load(), time.Duration(w.longest.Load()).Round(time.Millisecond))
			if int64(made) != w.keys.Load() || made < 200 {
				t.Errorf("%d keys made %d orders", w.keys.Load(), made)
			}
			if twice := count(t, aw.database, "SELECT count(*) FROM (SELECT purchaseorderid FROM purchaseorderdetail GROUP BY 1 HAVING count(*) <> 3 AND purchaseorderid > 4012) q"); twice > 0 {
				t.Errorf("%d orders do not have their three lines", twice)
			}
			aw.plant.isQuiet(quiet)
		})
	}
}

// writers create orders without end, each with a key of its own that is retried until it succeeds.
type writers struct {
	aw      *adventureWorks
	class   string
	running sync.WaitGroup
	ending  atomic.Bool
	keys    atomic.Int64
	tries   atomic.Int64
	replays atomic.Int64
	longest atomic.Int64
}

func (w *writers) start(n int) {
	for i := range n {
		w.running.Go(func() {
			for j := 0; !w.ending.Load(); j++ {
				w.create(fmt.Sprintf("%s-%d-%d", w.class, i, j))
			}
		})
	}
}

func (w *writers) stop() {
	w.ending.Store(true)
	w.running.Wait()
}

func (w *writers) create(key string) {
	w.keys.Add(1)
	deadline := time.Now().Add(2 * time.Minute)
	for time.Now().Before(deadline) {
		w.tries.Add(1)
		begin := time.Now()
		ctx, cancel := context.WithTimeout(w.aw.plant.t.Context(), 45*time.Second)
		answer, err := w.aw.client.Do(ctx, http.MethodPost, "/purchase-orders", newOrder("2"), Header{"Idempotency-Key", key})
		cancel()
		w.longest.Store(max(w.longest.Load(), int64(time.Since(begin))))
		if err == nil && answer.Status == http.StatusCreated {
			if answer.Header.Get("Idempotency-Replayed") == "true" {
				w.replays.Add(1)
			}
			return
		}
		if err == nil && answer.Problem().Code.Spec().Status < 500 && !fault.Is(answer.Problem(), fault.Conflict) && !fault.Is(answer.Problem(), fault.RateLimitExceeded) {
			w.aw.plant.t.Errorf("%s: %d %s", key, answer.Status, answer.Body)
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	w.aw.plant.t.Errorf("%s did not succeed within two minutes", key)
}

// holdings are what the programs hold when nothing happens.
type holdings struct{ relayFiles, agentFiles, relayGoroutines, agentGoroutines int }

func (p *plant) holds() holdings {
	p.t.Helper()
	var agent struct{ Goroutines int }
	status := run(p.t, "gantry-agent", "status", "--json", "--config", p.path("agent.yaml"))
	if err := json.Unmarshal([]byte(status), &agent); err != nil {
		p.t.Fatal(err)
	}
	return holdings{
		relayFiles: p.relay.descriptors(), agentFiles: p.agent.descriptors(),
		relayGoroutines: p.relayGoroutines(), agentGoroutines: agent.Goroutines,
	}
}

// relayGoroutines reads the relay's own metrics.
func (p *plant) relayGoroutines() int {
	p.t.Helper()
	answer, err := http.Get("http://" + p.metricsAddress + "/metrics")
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "go_goroutines "); ok {
			n, err := strconv.Atoi(text)
			if err != nil {
				p.t.Fatal(err)
			}
			return n
		}
	}
	p.t.Fatal("the relay's metrics do not count goroutines")
	return 0
}

// isQuiet checks that what the programs hold comes back to what it was, but for pooled connections to the database.
func (p *plant) isQuiet(before holdings) {
	p.t.Helper()
	const pooled = 12
	http.DefaultClient.CloseIdleConnections() // the writers' own
	eventually(p.t, 90*time.Second, "nothing is left behind", func() error {
		now := p.holds()
		if now.relayFiles > before.relayFiles+pooled || now.agentFiles > before.agentFiles+pooled ||
			now.relayGoroutines > before.relayGoroutines+pooled || now.agentGoroutines > before.agentGoroutines+2*pooled {
			return fmt.Errorf("%+v before, %+v now", before, now)
		}
		return nil
	})
	p.t.Logf("%+v before, %+v after", before, p.holds())
}
