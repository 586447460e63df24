//go:build prove

package house

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gantry/relay/store"
)

// TestWebhookKills kills the relay twenty times while connections are paused and resumed without end, and while the
// receiver fails now and then. At the end every change of state that stands in the events was received, each
// connection's in their order, and what came twice came with the same id.
func TestWebhookKills(t *testing.T) {
	p := connected(t, withRelay(onLoopback+"limits: {rate_per_token: 10000, burst_per_token: 10000}\n"))
	r := startReceiver(t)
	made := p.subscribe(r, "connection.state_changed")
	connections := []string{p.id}
	for range 3 {
		_, id := p.connect(p.login)
		connections = append(connections, id)
	}
	var ending atomic.Bool
	var running sync.WaitGroup
	for _, id := range connections {
		running.Go(func() {
			for !ending.Load() {
				for _, what := range []string{"pause", "resume"} {
					_, _ = p.admin.Do(t.Context(), http.MethodPost, "/connections/"+id+"/"+what, nil) // the relay may be dead
					time.Sleep(20 * time.Millisecond)
				}
			}
		})
	}
	for n := range 20 {
		r.fail(n%3 == 1)
		time.Sleep(500*time.Millisecond + time.Duration(n*n)*3*time.Millisecond)
		p.relay.kill()
		p.startRelay()
	}
	ending.Store(true)
	running.Wait()
	r.fail(false)

	told := 0
	eventually(t, 3*time.Minute, "everything was delivered", func() error {
		told = 0
		got := r.received()
		for _, id := range connections {
			events := p.stateChanges(id)
			told += len(events)
			if !slices.Equal(events, got[id]) {
				time.Sleep(time.Second)
				return fmt.Errorf("%s: %d events, %d received in their order", id, len(events), len(got[id]))
			}
		}
		return nil
	})
	var page struct{ Data []json.RawMessage }
	p.must(http.MethodGet, "/webhooks/"+made.ID+"/deliveries?state=pending", nil, 200, &page)
	if len(page.Data) > 0 {
		t.Errorf("%d deliveries are left", len(page.Data))
	}
	if told < 100 {
		t.Errorf("only %d changes of state", told)
	}
	t.Logf("%d changes of state, %d requests", told, len(r.messages()))
}

// stateChanges lists the ids of the events of a connection that webhooks are told of.
func (p *plant) stateChanges(connection string) (ids []string) {
	p.t.Helper()
	rows, err := p.admin.All(p.t.Context(), "/connections/"+connection+"/events?kind="+string(store.ConnectionStateChanged), 500)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, row := range rows {
		var e struct{ ID string }
		if err := json.Unmarshal(row, &e); err != nil {
			p.t.Fatal(err)
		}
		ids = append(ids, e.ID)
	}
	return ids
}

// received lists, by connection, the ids of the messages that were taken, each where it came first.
func (r *receiver) received() map[string][]string {
	byConnection, seen := map[string][]string{}, map[string]bool{}
	for _, m := range r.messages() {
		connection, _ := m.Data["connection_id"].(string)
		if !m.refused && !seen[m.id] {
			seen[m.id] = true
			byConnection[connection] = append(byConnection[connection], m.id)
		}
	}
	return byConnection
}
