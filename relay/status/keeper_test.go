package status

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gantry/connectors/wire"
	"gantry/relay/hub"
	"gantry/relay/store"
	"gantry/tunnel/fault"
)

// memory is a store that keeps what it is given.
type memory struct {
	Store
	mu     sync.Mutex
	fail   error
	events []store.NewEvent
	kept   map[string]store.ConnectionCondition
	saves  int

	revoked time.Time // when the agents were
}

func (m *memory) AppendEvents(_ context.Context, events ...store.NewEvent) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail == nil {
		m.events = append(m.events, events...)
	}
	return m.fail
}

func (m *memory) SaveConditions(_ context.Context, conditions ...store.Condition) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range conditions {
		m.saves++
		row := m.kept[c.ConnectionID]
		row.Condition = c
		m.kept[c.ConnectionID] = row
	}
	return m.fail
}

func (m *memory) Conditions(context.Context, store.Page) (all []store.ConnectionCondition, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.kept {
		all = append(all, c)
	}
	return all, nil
}

func (m *memory) Agent(_ context.Context, id string) (store.Agent, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return store.Agent{ID: id, OrganisationID: "org_1", SiteID: "site_1", Facts: []byte(`{"hostname":"plant-1"}`), RevokedAt: m.revoked}, nil
}

func (m *memory) failing(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

func (m *memory) saved() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.saves
}

// take gives the events since the last time, as lines.
func (m *memory) take() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var lines []string
	for _, e := range m.events {
		line := fmt.Sprintf("%s %s", e.ConnectionID+e.Code, e.Kind)
		if e.Kind == store.ConnectionStateChanged {
			line = fmt.Sprintf("%s %s", e.ConnectionID, e.Data[:strings.Index(string(e.Data), `,"message"`)])
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	m.events = nil
	return strings.Join(lines, "\n")
}

// presences are the agents that are there.
type presences struct {
	mu    sync.Mutex
	there map[string]bool
}

func (p *presences) set(agentID string, there bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.there[agentID] = there
}

func (p *presences) Presence(id string) hub.Presence {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.there[id] {
		return hub.Presence{}
	}
	return hub.Presence{Connected: true, LastSeen: time.Now()}
}

func (p *presences) Trouble(string) hub.Trouble { return hub.Trouble{EndReason: "silent"} }

// connection is the one of these tests.
var connection = store.Connection{ID: "con_1", OrganisationID: "org_1", SiteID: "site_1", AgentID: "agt_1", State: store.Active}

// desk is a keeper at work, on a fake clock.
type desk struct {
	*Keeper
	t      *testing.T
	store  *memory
	agents *presences
}

func atWork(t *testing.T, test func(*desk)) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{t: t, store: &memory{kept: map[string]store.ConnectionCondition{}}, agents: &presences{there: map[string]bool{}}}
		d.begin()
		defer func() { d.Stop() }()
		test(d)
	})
}

func (d *desk) begin() {
	d.t.Helper()
	d.Keeper = New(Options{Store: d.store, Logger: slog.New(slog.DiscardHandler)})
	if err := d.Start(d.t.Context(), d.agents); err != nil {
		d.t.Fatal(err)
	}
}

// active makes the connection, at an agent that is there.
func (d *desk) active() {
	d.agents.set("agt_1", true)
	d.Holds("agt_1", nil, time.Now())
	d.Touch(connection)
	d.pass(settling)
	d.store.take()
}

func (d *desk) pass(t time.Duration) { time.Sleep(t); synctest.Wait() }

// expect waits for what is under way, and compares the events since the last time.
func (d *desk) expect(what string, want ...string) {
	d.t.Helper()
	synctest.Wait()
	if got := d.store.take(); got != strings.Join(want, "\n") {
		d.t.Errorf("%s: events are\n%s\nwant\n%s", what, got, strings.Join(want, "\n"))
	}
}

func (d *desk) is(state State) {
	d.t.Helper()
	if got := d.State(connection); got != state {
		d.t.Errorf("it is %s, want %s", got, state)
	}
}

func changed(from, to State) string { return fmt.Sprintf(`con_1 {"from":"%s","to":"%s"`, from, to) }

// healthy is what an agent tells of the connection.
func healthy(change func(*wire.Health)) wire.Health {
	h := wire.Health{
		Connection: "con_1", System: wire.SystemHealth{State: wire.SystemReachable, CheckedAgoMS: 10}, Login: wire.LoginHealth{State: wire.LoginAccepted},
		Entities: map[string]map[string]wire.OperationHealth{"items": {"list": {State: wire.OperationWorking, SinceAgoMS: 5000, LastSuccessAgoMS: 10, CheckedAgoMS: 10}}},
	}
	if change != nil {
		change(&h)
	}
	return h
}

func TestStatesAreToldAsTheyChange(t *testing.T) {
	atWork(t, func(d *desk) {
		d.active()
		d.Told("agt_1", healthy(nil))
		d.expect("healthy")
		d.Told("agt_1", healthy(func(h *wire.Health) { h.System.State = wire.SystemUnreachable }))
		d.expect("unreachable", changed(Active, SystemOffline))
		d.Told("agt_1", healthy(func(h *wire.Health) { h.System.State = wire.SystemUnreachable }))
		d.expect("still unreachable")
		d.Told("agt_1", healthy(func(h *wire.Health) { h.Login.State = wire.LoginRefused }))
		d.expect("refused", changed(SystemOffline, ReauthRequired), "con_1 connection.reauth_required")
		d.Told("agt_1", healthy(func(h *wire.Health) { h.ThrottledForMS = 30_000 }))
		d.expect("throttled", changed(ReauthRequired, Throttled))
		d.pass(31 * time.Second)
		d.expect("without a word of the agent, when the time is over", changed(Throttled, Active))
		d.Told("agt_2", healthy(func(h *wire.Health) { h.Gone = true }))
		d.expect("another agent has nothing to say")

		paused := connection
		paused.State, paused.PausedAt = store.Paused, time.Now()
		d.Touch(paused)
		d.expect("paused", changed(Active, Paused))
		d.Touch(connection)
		d.expect("resumed", changed(Paused, Active))
		ended := connection
		ended.State, ended.DisconnectedAt = store.Disconnected, time.Now()
		d.Touch(ended)
		d.expect("disconnected", changed(Active, Disconnected))
		d.Touch(ended)
		d.Told("agt_1", wire.Health{Connection: "con_1", Gone: true})
		d.pass(time.Hour)
		d.expect("disconnected for good")
	})
}

// TestActiveSince: from its activation on at first, and from its return on after it was something else.
func TestActiveSince(t *testing.T) {
	atWork(t, func(d *desk) {
		row := connection
		row.ActivatedAt = time.Now()
		d.agents.set("agt_1", true)
		d.Touch(row)
		d.pass(time.Minute)
		if since := d.Status(row).Since; !since.Equal(row.ActivatedAt) {
			t.Errorf("at first since %s, want %s", since, row.ActivatedAt)
		}
		d.Told("agt_1", healthy(func(h *wire.Health) { h.System.State = wire.SystemUnreachable }))
		d.pass(time.Minute)
		d.Told("agt_1", healthy(nil))
		back := time.Now()
		d.pass(time.Minute)
		if since := d.Status(row).Since; !since.Equal(back.Truncate(time.Millisecond)) {
			t.Errorf("after its return since %s, want %s", since, back)
		}
	})
}

func TestBreakersAreTold(t *testing.T) {
	atWork(t, func(d *desk) {
		d.active()
		breaker := func(state wire.CircuitState) wire.Health {
			return healthy(func(h *wire.Health) {
				o := h.Entities["items"]["list"]
				o.State, o.LastError, o.Circuit.State = wire.OperationFailing, &wire.HealthError{Code: "SYSTEM_TIMEOUT", RequestID: "req_1", AgoMS: 10}, state
				h.Entities["items"]["list"] = o
			})
		}
		d.Told("agt_1", breaker(wire.CircuitOpen))
		d.expect("open", "con_1SYSTEM_TIMEOUT circuit.opened", changed(Active, Degraded))
		d.Told("agt_1", breaker(wire.CircuitHalfOpen))
		d.expect("half open", "con_1SYSTEM_TIMEOUT circuit.half_open")
		d.Told("agt_1", healthy(nil))
		d.expect("closed", "con_1 circuit.closed", changed(Degraded, Active))
		d.Told("agt_1", healthy(func(h *wire.Health) { h.Circuit.State = wire.CircuitOpen }))
		d.expect("of the whole connection", "con_1 circuit.opened", changed(Active, Degraded))
	})
}

func TestAgentsComeAndGo(t *testing.T) {
	atWork(t, func(d *desk) {
		d.active()
		d.agents.set("agt_1", false)
		d.is(AgentOffline)
		d.pass(grace / 2)
		d.agents.set("agt_1", true)
		d.pass(grace)
		d.expect("a restart")
		d.is(Active)

		d.agents.set("agt_1", false)
		d.pass(grace + 3*time.Second)
		d.expect("away", "agent.disconnected", changed(Active, AgentOffline))
		if s := d.Status(connection); s.Since == nil || s.Agent.State != "offline" || time.Since(*s.Since) < grace || !strings.Contains(s.Message, "plant-1") {
			t.Errorf("the status is %+v", s)
		}
		d.agents.set("agt_1", true)
		d.pass(2 * time.Second)
		d.expect("back", "agent.connected", changed(AgentOffline, Active))

		d.agents.set("agt_1", false)
		d.pass(time.Second / 2)
		d.Failed(connection, fault.New(fault.AgentOffline, "Nobody is there."))
		d.expect("at once, when a call needs it", "con_1AGENT_OFFLINE call.failed", changed(Active, AgentOffline))
		d.agents.set("agt_1", true)
		d.pass(2 * time.Second)
		d.expect("back", changed(AgentOffline, Active))
	})
}

// TestRevokedAgent: nobody waits for it to come back, and a new login is asked for.
func TestRevokedAgent(t *testing.T) {
	atWork(t, func(d *desk) {
		d.active()
		d.store.mu.Lock()
		d.store.revoked = time.Now()
		d.store.mu.Unlock()
		d.agents.set("agt_1", false)
		d.pass(2 * rhythm)
		d.is(AgentOffline)
		if got := d.store.take(); !strings.Contains(got, changed(Active, AgentOffline)) || !strings.Contains(got, "con_1 connection.reauth_required") {
			t.Errorf("events are %s", got)
		}
	})
}

func TestAnAgentThatLostALogin(t *testing.T) {
	atWork(t, func(d *desk) {
		d.active()
		d.Holds("agt_1", []wire.Health{healthy(nil)}, time.Now())
		d.expect("held")
		d.Holds("agt_1", nil, time.Now())
		d.expect("not held", changed(Active, ReauthRequired), "con_1 connection.reauth_required")
		d.Told("agt_1", healthy(nil))
		d.expect("linked anew", changed(ReauthRequired, Active))
		d.Told("agt_1", wire.Health{Connection: "con_1", Gone: true})
		d.expect("removed", changed(Active, ReauthRequired), "con_1 connection.reauth_required")
	})
}

func TestAConnectionThatIsBeingMade(t *testing.T) {
	atWork(t, func(d *desk) {
		d.agents.set("agt_1", true)
		d.Told("agt_1", healthy(nil)) // the agent is the first to know
		d.Told("agt_1", wire.Health{Connection: "con_2"})
		d.Touch(connection)
		if got := d.Status(connection); len(got.Entities) != 1 || got.Message != "Everything works." {
			t.Errorf("what was told early is lost: %+v", got)
		}
		d.pass(2 * forgotten)
		if len(d.known) != 1 {
			t.Errorf("%d connections are known", len(d.known))
		}
		d.expect("nothing happened")
	})
}

// TestRestart stops the keeper and starts another on the same store.
func TestRestart(t *testing.T) {
	atWork(t, func(d *desk) {
		d.active()
		d.Told("agt_1", healthy(nil))
		d.pass(2 * time.Second)
		restart := func() {
			d.Stop()
			row := d.store.kept["con_1"]
			row.Connection = connection
			d.store.kept["con_1"] = row
			d.agents.set("agt_1", false)
			d.begin()
		}
		restart()
		s := d.Status(connection)
		if s.State != AgentOffline || len(s.Entities) != 1 || time.Since(*s.System.CheckedAt) < time.Second || s.System.NextProbeAt != nil {
			t.Errorf("a restarted relay shows %+v", s)
		}
		d.pass(settling / 2)
		d.agents.set("agt_1", true)
		d.pass(settling)
		d.expect("an agent that comes back to a restarted relay")
		restart()
		d.pass(settling + 3*time.Second)
		d.expect("one that does not", "agent.disconnected", changed(Active, AgentOffline))
		restart()
		d.agents.set("agt_1", true)
		d.pass(2 * time.Second)
		d.expect("and one that was away before", "agent.connected", changed(AgentOffline, Active))
	})
}

func TestAStoreThatTakesNothing(t *testing.T) {
	atWork(t, func(d *desk) {
		d.active()
		d.store.failing(errors.New("full"))
		d.Told("agt_1", healthy(func(h *wire.Health) { h.System.State = wire.SystemUnreachable }))
		d.expect("nothing is written")
		d.pass(time.Minute)
		d.store.failing(nil)
		d.pass(2 * time.Second)
		d.expect("and nothing is lost", changed(Active, SystemOffline))
	})
}

// TestMatricesAreNotWrittenAllTheTime tells the same of a connection again and again.
func TestMatricesAreNotWrittenAllTheTime(t *testing.T) {
	atWork(t, func(d *desk) {
		d.active()
		before := d.store.saved()
		for range 600 {
			d.Told("agt_1", healthy(nil))
			d.pass(time.Second)
		}
		if saves := d.store.saved() - before; saves < 1 || saves > 3 {
			t.Errorf("written %d times in 10 minutes", saves)
		}
	})
}

func TestFloodOfFailures(t *testing.T) {
	atWork(t, func(d *desk) {
		d.active()
		fail := func(n int, entity string) {
			e := fault.New(fault.SystemTimeout, "Too slow.").In(entity, "list", "")
			e.RequestID = fmt.Sprint("req_", n)
			d.Failed(connection, e)
		}
		for n := range 5_000 {
			fail(n, "items")
			if n%100 == 0 {
				d.pass(time.Second)
			}
		}
		d.pass(2 * window)
		d.store.mu.Lock()
		events := d.store.events
		d.store.events = nil
		d.store.mu.Unlock()
		if len(events) != 2 || events[0].RequestID != "req_0" || events[1].RequestID != "req_4999" || !strings.Contains(string(events[1].Data), `"count":4999`) ||
			!strings.HasPrefix(events[1].Message, "4999 more times since ") || strings.Count(string(events[1].Data), "req_") != maxRequest {
			t.Errorf("%d failures became %+v", 5_000, events)
		}
		for n := range 1_000 {
			fail(n, fmt.Sprint("entity-", n))
		}
		d.pass(3 * window)
		if got := strings.Count(d.store.take(), "\n") + 1; got > maxKinds+2 {
			t.Errorf("1000 kinds of failure became %d events", got)
		}
		if len(d.tally) != 0 {
			t.Error("what is over is still counted")
		}
	})
}

func TestLevels(t *testing.T) {
	for want, problem := range map[store.Level]*fault.Error{
		store.LevelInfo:    fault.New(fault.NotFound, ""),
		store.LevelWarning: fault.New(fault.CircuitOpen, ""),
		store.LevelError:   fault.New(fault.SystemUnreachable, ""),
	} {
		if got := levelOf(problem); got != want {
			t.Errorf("%s is %s, want %s", problem.Code, got, want)
		}
	}
}
