//go:build prove

package house

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gantry/tunnel/fault"
)

// TestKills kills relay and agent, ten times each, while orders are created. Each order is retried with its key until
// it succeeds; then SQL counts them.
func TestKills(t *testing.T) {
	for _, class := range []string{"keyed", "transactional"} {
		t.Run(class, func(t *testing.T) {
			system := map[string]string{"keyed": "adventureworks", "transactional": "adventureworks-inbox"}[class]
			aw := openAdventureWorksAs(t, system, "postgres")
			before := count(t, aw.database, "SELECT count(*) FROM purchaseorderheader")
			quiet := aw.plant.settled()
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

// settled is what the programs hold once all has begun that begins with them (the relay's job queue takes some seconds to find that
// it leads), and what their first calls used has ended: the same twice, a little more than an idle stream's life apart.
func (p *plant) settled() holdings {
	p.t.Helper()
	const idleStream, unit = time.Minute, 5 * time.Second
	last, since := p.holds(), time.Now()
	eventually(p.t, 5*time.Minute, "the programs settle", func() error {
		time.Sleep(unit)
		if now := p.holds(); max(now.relayGoroutines, last.relayGoroutines)-min(now.relayGoroutines, last.relayGoroutines) > 2 {
			last, since = now, time.Now()
		}
		if time.Since(since) < idleStream+unit {
			return fmt.Errorf("%+v since %s", last, time.Since(since))
		}
		last = p.holds()
		return nil
	})
	return last
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

// isQuiet checks that what the programs hold comes back to what it was. It takes its time: the callers' idle connections,
// the idle streams of the tunnel (two goroutines of the relay each, for a minute) and the pooled connections to
// the database end by themselves. What is left then would stay.
func (p *plant) isQuiet(before holdings) {
	p.t.Helper()
	const slack = 3                           // a ping, or a certificate's renewal, may be under way
	http.DefaultClient.CloseIdleConnections() // the writers' own
	var now holdings
	took := eventually(p.t, 10*time.Minute, "nothing is left behind", func() error {
		now = p.holds()
		if now.relayFiles > before.relayFiles+slack || now.agentFiles > before.agentFiles+slack ||
			now.relayGoroutines > before.relayGoroutines+slack || now.agentGoroutines > before.agentGoroutines+slack {
			time.Sleep(time.Second)
			return fmt.Errorf("%+v before, %+v now", before, now)
		}
		return nil
	})
	p.t.Logf("%+v before, %+v after %s", before, now, took.Round(time.Second))
}
