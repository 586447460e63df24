//go:build prove

package house

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"gantry/connectors/sql/sqltest"
	"gantry/tunnel/fault"
)

// What the contract promises of facts, with light traffic and without.
const (
	trueWithTraffic = 30 * time.Second
	trueWithout     = 90 * time.Second
	handful         = 10 // native connections that 200 calls at a dead system may try
)

// TestCircuitSparesADeadDatabase stops a database and calls it 200 times at once: a handful of the calls reach the network.
// When it is back the connection heals, with light traffic and without any, and nothing is restarted.
func TestCircuitSparesADeadDatabase(t *testing.T) {
	server := sqltest.Postgres(t)
	defer server.Start(t)
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, folder+"/press.yaml", fmt.Sprintf(press, "press", "postgres", ""))
	p := open(t, withAgent("definitions: "+folder+"\n"),
		withRelay("limits: {calls_per_connection: 256, rate_per_token: 100000, burst_per_token: 100000}\n"))
	way := newWay(t, server.Address())
	for _, address := range []string{server.Address(), way.address} {
		p.allow("target", address)
	}
	b := p.bench(t, broken{name: "direct"})
	settings := b.user.Settings()
	settings["port"] = portNumber(way.address)
	behind := &bench{plant: p, owner: b.owner, user: b.user}
	behind.client, behind.id = p.connect(login{System: "press", Name: "behind", Settings: settings, Credentials: map[string]string{"password": b.user.Password}})

	for _, c := range []struct {
		name    string
		bench   *bench
		reached func() int64
	}{
		{"refused", b, func() int64 { return p.dialsFailed(t, server.Address()) }},
		{"taken, and broken at once", behind, func() int64 { return way.arrived.Load() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.bench.burst(t, 50) // sessions are open
			server.Stop(t)
			before := c.reached()
			codes := c.bench.burst(t, 200)
			burst := c.reached() - before
			t.Logf("200 calls at once at a dead database: %d reached the network; answers %v", burst, codes)
			if burst > handful {
				t.Errorf("more than %d", handful)
			}
			before = c.reached()
			c.bench.traffic(t, 20*time.Second)
			t.Logf("a call every half second for 20 s: %d reached the network", c.reached()-before)
			server.Start(t)
			took := eventually(t, trueWithTraffic, "a call succeeds", func() error { return c.bench.lists(t) })
			t.Logf("healed with light traffic %s after the database was back", took.Round(100*time.Millisecond))

			server.Stop(t)
			c.bench.burst(t, 200)
			eventually(t, trueWithTraffic, "the status is system_offline", func() error { return c.bench.isState(t, "system_offline") })
			time.Sleep(45 * time.Second) // nobody calls; the delay has grown
			server.Start(t)
			took = eventually(t, trueWithout, "the status is active", func() error { return c.bench.isState(t, "active") })
			t.Logf("healed without traffic %s after the database was back", took.Round(100*time.Millisecond))
		})
	}
}

// TestFactsWithoutTraffic: what changes is noticed though nobody calls: a stopped database, a password that the database no longer takes, and a right that is
// taken away and given back.
func TestFactsWithoutTraffic(t *testing.T) {
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, folder+"/press.yaml", fmt.Sprintf(press, "press", "postgres", ""))
	p := open(t, withAgent("definitions: "+folder+"\n"))
	server := sqltest.Postgres(t)
	defer server.Start(t)
	p.allow("target", server.Address())
	b := p.bench(t, broken{name: "facts"})
	b.burst(t, 5)
	for _, step := range []struct {
		name, state string
		do          func()
	}{
		{"a right is taken away", "degraded", func() { b.owner.Run(t, "REVOKE SELECT ON vendor FROM "+b.user.Username) }},
		{"it is given back", "active", func() { b.owner.Run(t, "GRANT SELECT ON vendor TO "+b.user.Username) }},
		{"the database stops", "system_offline", func() { server.Stop(t) }},
		{"it is back", "active", func() { server.Start(t) }},
		{"the password is another one", "reauth_required", func() { b.admin(t, "ALTER ROLE %s PASSWORD 'another'") }},
	} {
		step.do()
		took := eventually(t, trueWithout, step.name+": "+step.state, func() error { return b.isState(t, step.state) })
		t.Logf("%s: %s after %s", step.name, step.state, took.Round(100*time.Millisecond))
	}
}

// burst makes calls at once, and counts their answers.
func (b *bench) burst(t *testing.T, calls int) map[string]int {
	t.Helper()
	var mu sync.Mutex
	codes := map[string]int{}
	var work sync.WaitGroup
	for i := range calls {
		path := []string{"/entities/items", "/entities/vendors"}[i%2]
		work.Go(func() {
			answer, err := b.client.Do(t.Context(), http.MethodGet, path, nil)
			if err != nil {
				t.Error(err)
				return
			}
			code := "200"
			if f := answer.Problem(); f != nil {
				code = string(f.Code)
				if f.Code == fault.CircuitOpen && (answer.Header.Get("Retry-After") == "" || f.Hop != fault.HopAgent || f.Advice == "") {
					t.Errorf("without what it should say: %s", answer.Body)
				}
			}
			mu.Lock()
			codes[code]++
			mu.Unlock()
		})
	}
	work.Wait()
	return codes
}

// traffic makes a call every half second.
func (b *bench) traffic(t *testing.T, span time.Duration) {
	t.Helper()
	for end := time.Now().Add(span); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
		if err := b.lists(t); err == nil {
			t.Error("a call succeeded")
		}
	}
}

func (b *bench) lists(t *testing.T) error {
	answer, err := b.client.Do(t.Context(), http.MethodGet, "/entities/items", nil)
	if err == nil && answer.Status != http.StatusOK {
		err = answer.Problem()
	}
	return err
}

// isState asks the relay for the connection's state.
func (b *bench) isState(t *testing.T, want string) error {
	answer, err := b.plant.admin.Do(t.Context(), http.MethodGet, "/connections/"+b.id+"/status", nil)
	if err != nil {
		return err
	}
	var status struct{ State, Message string }
	if err := json.Unmarshal(answer.Body, &status); err != nil || status.State != want {
		return fmt.Errorf("it is %s", answer.Body)
	}
	return nil
}

// dialsFailed counts the connections to a target that the agent tried in vain, by its log.
func (p *plant) dialsFailed(t *testing.T, target string) int64 {
	t.Helper()
	log, err := os.ReadFile(p.path("agent.log"))
	if err != nil {
		t.Fatal(err)
	}
	return int64(strings.Count(string(log), `msg="dial failed" target=`+target))
}
