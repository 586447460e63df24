package relay_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"gantry/configs"
	"gantry/connectors/wire"
	"gantry/relay/status"
	"gantry/relay/store"
	"gantry/tunnel/fault"
)

// event is an event as callers see it.
type event struct {
	ID        string `json:"id"`
	Level     string `json:"level"`
	Kind      string `json:"kind"`
	Entity    string `json:"entity"`
	Operation string `json:"operation"`
	Code      string `json:"code"`
	RequestID string `json:"request_id"`
	Message   string `json:"message"`
	Data      struct{ From, To string }
}

// String makes lines of events.
func (e event) String() string {
	return strings.TrimRight(fmt.Sprint(e.Kind, " ", e.Data.From, e.Entity, " ", e.Data.To, e.Code), " ")
}

func (c *cloud) status(id string) status.ConnectionStatus {
	c.t.Helper()
	return must[status.ConnectionStatus](c.t, 200, c.call(c.key, "GET", "/connections/"+id+"/status", ""))
}

func (c *cloud) events(id, query string) []event {
	c.t.Helper()
	return must[struct{ Data []event }](c.t, 200, c.call(c.key, "GET", "/connections/"+id+"/events?"+query, "")).Data
}

func lines(events []event) string {
	var all []string
	for _, e := range events {
		all = append(all, e.String())
	}
	return strings.Join(all, "; ")
}

// sick is an agent's word that reading vendors is denied, which it once was not.
func sick(id string) wire.Health {
	return wire.Health{
		Connection: id, System: wire.SystemHealth{State: wire.SystemReachable, CheckedAgoMS: 1000, Version: "7"}, Login: wire.LoginHealth{State: wire.LoginAccepted},
		Entities: map[string]map[string]wire.OperationHealth{
			"vendors": {"list": {State: wire.OperationDenied, SinceAgoMS: 60_000, LastSuccessAgoMS: 70_000, CheckedAgoMS: 500, NextProbeInMS: 30_000,
				LastError: &wire.HealthError{Code: "PERMISSION_DENIED", RequestID: "req_1", AgoMS: 500}}},
			"items": {"list": {State: wire.OperationWorking, SinceAgoMS: 60_000, LastSuccessAgoMS: 10, CheckedAgoMS: 10}},
		},
	}
}

// TestStatus follows a connection from what its agent tells to what the API shows.
func TestStatus(t *testing.T) {
	c, p, made := road(t, nil)
	id := made.Connection.ID
	if s := c.status(id); s.State != status.Active || s.Affects != status.Nothing || s.Agent.State != "connected" || s.System.State != wire.SystemUnknown {
		t.Errorf("of a new one: %+v", s)
	}
	p.health <- sick(id)
	p.health <- wire.Health{}
	c.until("the status is degraded", func() bool { return c.status(id).State == status.Degraded })
	own := must[status.ConnectionStatus](t, 200, c.call(made.Token, "GET", "/connection/status", ""))
	cell := own.Entities["vendors"]["list"]
	if own.State != status.Degraded || own.Affects != status.SomeEntities || own.ReauthRequired || *own.System.Version != "7" || time.Since(*own.System.CheckedAt) < time.Second {
		t.Errorf("its own token sees %+v", own)
	}
	if cell.State != wire.OperationDenied || cell.LastError.Code != "PERMISSION_DENIED" || *cell.LastError.RequestID != "req_1" ||
		time.Until(*cell.NextProbeAt) < 20*time.Second || time.Since(*cell.Since) < time.Minute || cell.Circuit != wire.CircuitClosed {
		t.Errorf("the cell is %+v", cell)
	}
	if !strings.HasPrefix(own.Message, "Reading vendors fails since ") || !strings.HasSuffix(own.Message, " Everything else works.") {
		t.Errorf("the sentence: %s", own.Message)
	}
	for state, want := range map[string]int{"degraded": 1, "active": 0, "agent_offline": 0, "": 1} {
		if l := must[struct{ Data []struct{ State string } }](t, 200, c.call(c.key, "GET", "/connections?state="+state, "")); len(l.Data) != want || want > 0 && l.Data[0].State != "degraded" {
			t.Errorf("in the state %q: %+v", state, l)
		}
	}
	if e := c.call(c.key, "GET", "/connections?state=odd", "").problem(t); e.Code != fault.InvalidRequest {
		t.Errorf("in an odd state: %v", e)
	}
	c.until("the change is an event", func() bool {
		return lines(c.events(id, "kind=connection")) == "connection.created; connection.state_changed active degraded"
	})

	if a := c.call(c.key, "POST", "/connections/"+id+"/circuits/reset", ""); a.status != http.StatusNoContent || p.reset.Load() != 1 {
		t.Errorf("reset: %d %s", a.status, a.body)
	}
	if e := c.call(c.newKey(store.Support), "POST", "/connections/"+id+"/circuits/reset", "").problem(t); e.Code != fault.Forbidden {
		t.Errorf("reset by support: %v", e)
	}
	for _, s := range p.sessions {
		s.Close("the plant's power fails")
	}
	c.until("the agent is offline", func() bool { return c.status(id).State == status.AgentOffline })
	if s := c.status(id); s.Agent.State != "offline" || s.Agent.LastSeenAt == nil || s.Entities["vendors"]["list"].NextProbeAt != nil || !strings.Contains(s.Message, "plc-gw") {
		t.Errorf("offline: %+v", s)
	}
	if e := c.call(c.key, "POST", "/connections/"+id+"/circuits/reset", "").problem(t); e.Code != fault.AgentOffline {
		t.Errorf("reset offline: %v", e)
	}
	if e := c.call(made.Token, "GET", "/vendors", "").problem(t); e.Code != fault.AgentOffline {
		t.Errorf("a call: %v", e)
	}
	c.until("the call's failure and what it shows are events at once", func() bool {
		return lines(c.events(id, "last=2")) == // the agent's own event comes later
			"call.failed vendors AGENT_OFFLINE; connection.state_changed degraded agent_offline"
	})
	must[shown](t, 200, c.call(c.key, "POST", "/connections/"+id+"/disconnect", ""))
	if s := c.status(id); s.State != status.Disconnected || len(s.Entities) != 0 {
		t.Errorf("disconnected: %+v", s)
	}
	c.until("so is its end", func() bool {
		return lines(c.events(id, "last=1")) == "connection.state_changed agent_offline disconnected"
	})
}

// TestEventsFindACall looks a failed call up by its request id: in the log, among the events, and in the agent's hands.
func TestEventsFindACall(t *testing.T) {
	c, p, made := road(t, nil)
	id, seen := made.Connection.ID, make(chan string, 1)
	p.answers(func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header.Get(wire.HeaderRequestID)
		fault.New(fault.SystemTimeout, "The system is slow.").Write(w)
	})
	a := c.call(made.Token, "GET", "/vendors", "")
	request := a.header.Get("Request-Id")
	if at := <-seen; request == "" || at != request {
		t.Fatalf("the agent saw %s, the caller %s", at, request)
	}
	find := func(query string) []event { return c.events(id, "request_id="+request+query) }
	c.until("the event is there", func() bool { return len(find("")) == 1 })
	if e := find("")[0]; e.Kind != "call.failed" || e.Level != "error" || e.Entity != "vendors" || e.Operation != "list" || e.Code != "SYSTEM_TIMEOUT" || e.Message != "The system is slow." {
		t.Errorf("the event is %+v", e)
	}
	if !strings.Contains(c.logs.String(), "request_id="+request) {
		t.Error("the log does not have it")
	}
	for query, want := range map[string]int{"&level=error": 1, "&entity=vendors": 1, "&entity=items": 0, "&kind=call": 1, "&kind=sync": 0} {
		if got := find(query); len(got) != want {
			t.Errorf("%s: %v", query, got)
		}
	}
	if own := must[struct{ Data []event }](t, 200, c.call(made.Token, "GET", "/connection/events?kind=call.failed", "")); len(own.Data) != 1 {
		t.Errorf("its own token sees %+v", own)
	}
	all := c.events(id, "")
	first := must[struct {
		Data       []event
		NextCursor string `json:"next_cursor"`
		HasMore    bool   `json:"has_more"`
	}](t, 200, c.call(c.key, "GET", "/connections/"+id+"/events?limit=1", ""))
	if !first.HasMore || lines(first.Data) != lines(all[:1]) || lines(c.events(id, "cursor="+first.NextCursor)) != lines(all[1:]) || lines(c.events(id, "after="+all[0].ID)) != lines(all[1:]) {
		t.Errorf("pages: %+v", first)
	}
	for _, query := range []string{"level=bad", "entity=BAD", "kind=a.b.c", "kind=a%25", "request_id=%20", "after=con_1", "after=evt_1&last=2", "last=0", "last=2&limit=3", "odd=1"} {
		if e := c.call(c.key, "GET", "/connections/"+id+"/events?"+query, "").problem(t); e.Code != fault.InvalidRequest {
			t.Errorf("%s: %v", query, e)
		}
	}
}

// follower reads a stream of events.
type follower struct {
	t      *testing.T
	lines  *bufio.Scanner
	cancel context.CancelFunc
}

func (c *cloud) follow(token, path string, headers ...string) *follower {
	c.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c.t.Cleanup(cancel)
	response, err := http.DefaultClient.Do(c.request(ctx, token, "GET", "/api/v1"+path, "", append(headers, "Accept", "text/event-stream")...))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = response.Body.Close() })
	if response.StatusCode != 200 || response.Header.Get("Content-Type") != "text/event-stream" {
		c.t.Fatalf("status %d, %s", response.StatusCode, response.Header.Get("Content-Type"))
	}
	return &follower{c.t.(*testing.T), bufio.NewScanner(response.Body), cancel}
}

// next gives the next event, and the fields that it came in; none at the stream's end.
func (f *follower) next() (e event, fields map[string]string) {
	f.t.Helper()
	fields = map[string]string{}
	for f.lines.Scan() {
		if f.lines.Text() == "" && fields["data"] != "" {
			if err := json.Unmarshal([]byte(fields["data"]), &e); err != nil {
				f.t.Fatal(err)
			}
			return e, fields
		}
		name, value, _ := strings.Cut(f.lines.Text(), ": ")
		fields[name] = value
	}
	return e, nil
}

func (f *follower) expect(want string) event {
	f.t.Helper()
	e, fields := f.next()
	if e.String() != want || fields["id"] != e.ID || fields["event"] != e.Kind {
		f.t.Errorf("the next event is %q in %v, want %q", e, fields, want)
	}
	return e
}

// TestEventsAreStreamed: from now on, with the last ones before, after the last one seen; until the key is revoked.
func TestEventsAreStreamed(t *testing.T) {
	c, p, made := road(t, nil)
	id := made.Connection.ID
	path := "/connections/" + id
	now, before := c.follow(made.Token, "/connection/events?kind=connection"), c.follow(c.key, path+"/events?kind=connection&last=1")
	created := before.expect("connection.created")
	p.health <- sick(id)
	p.health <- wire.Health{}
	changed := now.expect("connection.state_changed active degraded")
	before.expect("connection.state_changed active degraded")
	now.cancel()
	must[shown](t, 200, c.call(c.key, "POST", path+"/pause", ""))
	again := c.follow(c.key, path+"/events?kind=connection&after="+created.ID, "Last-Event-ID", changed.ID)
	before.expect("connection.paused")
	again.expect("connection.paused")

	text := c.newKey(store.Read)
	keys := must[struct{ Data []struct{ ID, Role string } }](t, 200, c.call(c.key, "GET", "/keys", ""))
	ended := c.follow(text, path+"/events")
	for _, key := range keys.Data {
		if key.Role == "read" && c.call(c.key, "DELETE", "/keys/"+key.ID, "").status != http.StatusNoContent {
			t.Error("the key is not revoked")
		}
	}
	for {
		_, fields := ended.next()
		if fields == nil {
			t.Fatal("the stream ends without a reason")
		}
		if fields["event"] == "end" {
			if !strings.Contains(fields["data"], "TOKEN_REVOKED") {
				t.Errorf("the reason is %s", fields["data"])
			}
			break
		}
	}
	for range 25 {
		a := c.request(t.Context(), c.key, "GET", "/api/v1"+path+"/events", "", "Accept", "text/event-stream")
		response, err := http.DefaultClient.Do(a)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = response.Body.Close() })
		if response.StatusCode == http.StatusServiceUnavailable {
			return
		}
	}
	t.Error("followers have no bound")
}

// TestFollowersDoNotHoldTheRelay: a stop ends them at once.
func TestFollowersDoNotHoldTheRelay(t *testing.T) {
	c, _, made := road(t, func(r *configs.Relay) { r.DrainTimeout = time.Minute })
	f := c.follow(made.Token, "/connection/events")
	ended := make(chan bool)
	go func() { defer close(ended); c.stop() }()
	if _, fields := f.next(); fields != nil {
		t.Errorf("a stop is told as %v", fields)
	}
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Error("the relay waits for a follower")
	}
}
