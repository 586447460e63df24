//go:build systems

package house

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gantry/tunnel/fault"
)

// The toxiproxy that `make systems` starts, and where it listens for the agent.
const (
	toxiproxyAddress = "http://127.0.0.1:18474"
	toxicAddress     = "127.0.0.1:18091"
)

// toxic is a bad network between the agent and PocketBase.
type toxic struct{ t *testing.T }

func openToxic(t *testing.T) *toxic {
	t.Helper()
	x := &toxic{t}
	_, _ = x.ask(http.MethodDelete, "/proxies/pocketbase", nil) // of a run that was killed
	if status, body := x.ask(http.MethodPost, "/proxies", map[string]any{"name": "pocketbase", "listen": toxicAddress, "upstream": strings.TrimPrefix(pocketAddress, "http://")}); status != http.StatusCreated {
		t.Fatalf("there is no toxiproxy; run `make systems`: %d %s", status, body)
	}
	t.Cleanup(func() { x.ask(http.MethodDelete, "/proxies/pocketbase", nil) })
	return x
}

func (x *toxic) ask(method, path string, body any) (int, string) {
	x.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		x.t.Fatal(err)
	}
	request, err := http.NewRequest(method, toxiproxyAddress+path, strings.NewReader(string(raw)))
	if err != nil {
		x.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		x.t.Fatalf("there is no toxiproxy; run `make systems`: %v", err)
	}
	defer func() { _ = answer.Body.Close() }()
	var text json.RawMessage
	_ = json.NewDecoder(answer.Body).Decode(&text)
	return answer.StatusCode, string(text)
}

// add makes the network bad, in what comes from PocketBase; the function makes it good again.
func (x *toxic) add(kind string, attributes map[string]any) func() {
	x.t.Helper()
	body := map[string]any{"name": kind, "type": kind, "stream": "downstream", "attributes": attributes}
	if status, text := x.ask(http.MethodPost, "/proxies/pocketbase/toxics", body); status != http.StatusOK {
		x.t.Fatalf("toxic %s: %d %s", kind, status, text)
	}
	return func() { x.ask(http.MethodDelete, "/proxies/pocketbase/toxics/"+kind, nil) }
}

// hangUp cuts all connections that are open.
func (x *toxic) hangUp() {
	x.ask(http.MethodPost, "/proxies/pocketbase", map[string]any{"enabled": false})
	x.ask(http.MethodPost, "/proxies/pocketbase", map[string]any{"enabled": true})
}

// TestPocketBaseOnABadNetwork puts toxiproxy between the agent and the system.
func TestPocketBaseOnABadNetwork(t *testing.T) {
	system, x := openPocketBase(t), openToxic(t)
	folder := t.TempDir()
	hasty := "apiVersion: connector/v1\nmetadata: {id: hasty, version: 1.0.0, overlay: pocketbase}\nlimits: {timeout: 3s, rate: 1000/s}\n"
	if err := os.WriteFile(filepath.Join(folder, "hasty.yaml"), []byte(hasty), 0o600); err != nil {
		t.Fatal(err)
	}
	p := open(t, withAgent("definitions: "+folder+"\n"))
	p.allow("target", toxicAddress)
	p.allow("writes")
	client, connection := p.connect(login{System: "pocketbase", Name: "far", Credentials: map[string]string{"password": "Agent-pw-2026"},
		Settings: map[string]any{"address": "http://" + toxicAddress, "username": "agent@example.com"}})
	closeCircuits := func() {
		p.must(http.MethodPost, "/connections/"+connection+"/circuits/reset", nil, http.StatusNoContent, nil)
	}
	create := func(key string) (*fault.Error, string) {
		answer, err := client.Do(t.Context(), http.MethodPost, "/work-orders", json.RawMessage(`{"title":"across a bad network"}`), Header{"Idempotency-Key", key})
		if err != nil {
			t.Fatal(err)
		}
		var made struct{ ID string }
		_ = answer.JSON(&made)
		return answer.Problem(), made.ID
	}

	t.Run("latency", func(t *testing.T) {
		defer x.add("latency", map[string]any{"latency": 400, "jitter": 100})()
		if problem, id := create(unique("slow")); problem != nil || system.scan(t, "SELECT count(*) FROM work_orders WHERE id = ?", id) != "1" {
			t.Errorf("%+v", problem)
		}
	})

	t.Run("a narrow line", func(t *testing.T) {
		defer x.add("bandwidth", map[string]any{"rate": 20})() // KB/s
		count, err := client.Stream(t.Context(), "/work-orders", func([]byte) error { return nil })
		if want := system.scan(t, "SELECT count(*) FROM work_orders"); err != nil || fmt.Sprint(count) != want {
			t.Errorf("%d records, %s in the database: %v", count, want, err)
		}
	})

	// The line is cut after ever more bytes of the answers: before the write, in the answer to it, and in what is read after it.
	t.Run("cut", func(t *testing.T) {
		outcomes := map[fault.Outcome]int{}
		for bytes := 0; bytes <= 3000; bytes += 100 {
			closeCircuits()
			key := unique("cut")
			x.hangUp()
			remove := x.add("limit_data", map[string]any{"bytes": bytes})
			problem, id := create(key)
			remove()
			outcome, first := fault.Done, 1
			if problem != nil {
				outcome, first = problem.Outcome, len(system.column(t, "SELECT id FROM work_orders WHERE external_ref = ?", key))
			}
			outcomes[outcome]++
			if outcome == fault.NotSent && first != 0 || outcome == fault.Rejected {
				t.Errorf("%d bytes: %s, and there are %d records: %+v", bytes, outcome, first, problem)
			}
			closeCircuits()
			again, second := create(key)
			found := system.column(t, "SELECT id FROM work_orders WHERE external_ref = ?", key)
			if again != nil || len(found) != 1 || found[0] != second || id != "" && id != second {
				t.Errorf("%d bytes: %s, then %+v: %v in the database, %s and %s in the answers", bytes, outcome, again, found, id, second)
			}
		}
		t.Logf("outcomes of the first try: %v", outcomes)
		if outcomes[fault.Unknown] == 0 || outcomes[fault.NotSent] == 0 || outcomes[fault.Done] == 0 {
			t.Errorf("the cuts did not reach every place: %v", outcomes)
		}
	})

	t.Run("hang", func(t *testing.T) {
		closeCircuits()
		remove := x.add("timeout", map[string]any{"timeout": 0}) // nothing comes any more, and nobody hangs up
		began := time.Now()
		problem := p.refused(client, http.MethodGet, "/items", nil, fault.Error{Code: fault.SystemTimeout, Hop: fault.HopSystem, Scope: fault.ScopeOperation})
		t.Logf("%s after %s", problem.Code, time.Since(began).Round(time.Millisecond))
		key := unique("hang")
		if problem, _ := create(key); problem == nil || problem.Code != fault.SystemTimeout {
			t.Errorf("a write: %+v", problem)
		}
		remove()
		x.hangUp()
		closeCircuits()
		if again, _ := create(key); again != nil || len(system.column(t, "SELECT id FROM work_orders WHERE external_ref = ?", key)) != 1 {
			t.Errorf("after the hang: %+v", again)
		}
	})
}
