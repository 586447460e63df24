package status

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gantry/connectors/wire"
	"gantry/relay/hub"
	"gantry/relay/store"
)

// noon is now in these tests; what happened, happened at ten.
var (
	noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ten  = noon.Add(-2 * time.Hour)
)

var (
	there = agentFacts{Presence: hub.Presence{Connected: true, RoundTrip: 21 * time.Millisecond}, Host: "plant-1", Seen: noon}
	away  = agentFacts{Host: "plant-1", Seen: ten.Add(2 * time.Minute), End: "nothing was heard for 13s"}
	live  = store.Connection{State: store.Active, ActivatedAt: ten.Add(-24 * time.Hour)}
)

func works() *operation {
	return &operation{State: wire.OperationWorking, Since: ten, LastSuccess: noon.Add(-time.Minute), Checked: noon.Add(-time.Minute)}
}

func fails(code, detail string) *operation {
	return &operation{
		State: wire.OperationFailing, Since: ten.Add(2 * time.Minute), LastSuccess: ten, Checked: noon.Add(-time.Minute),
		LastError: &failure{Code: code, Detail: detail, RequestID: "req_1", At: noon.Add(-time.Minute)},
	}
}

// denied is a right that the login had once, or never.
func denied(once bool) *operation {
	o := fails("PERMISSION_DENIED", "")
	if o.State = wire.OperationDenied; !once {
		o.LastSuccess = time.Time{}
	}
	return o
}

type cells = map[string]map[string]*operation

func TestVerdicts(t *testing.T) {
	reachable := system{State: wire.SystemReachable, Checked: noon.Add(-time.Minute)}
	holding := fails("SYSTEM_TIMEOUT", "")
	holding.Circuit = circuit{State: wire.CircuitOpen, Since: ten}
	stale := works()
	stale.Checked = ten
	tests := map[string]struct {
		row    store.Connection
		agent  agentFacts
		matrix *matrix
		want   verdict
	}{
		"pending": {
			store.Connection{State: store.Pending, CreatedAt: noon}, there, nil,
			verdict{State: Pending, Since: noon, Affects: Everything, Message: "The connection is being made: its first login is under way."},
		},
		"disconnected": {
			store.Connection{State: store.Disconnected, DisconnectedAt: ten.Add(-24 * time.Hour)}, away, nil,
			verdict{State: Disconnected, Since: ten.Add(-24 * time.Hour), Affects: Everything, Message: "The connection was disconnected at 2026-02-28 10:00 UTC, for good: " +
				"its token is dead. To use the system again, reconnect, which makes a new connection with a new token."},
		},
		"paused, although the agent is away": {
			store.Connection{State: store.Paused, PausedAt: ten}, away, &matrix{Login: login{State: wire.LoginRefused}},
			verdict{State: Paused, Since: ten, Reauth: true, Affects: Everything,
				Message: "The connection has been paused on purpose since 10:00 UTC: no call is made. Resume it to go on."},
		},
		"the agent is away, although the system was before": {
			live, away, &matrix{System: system{State: wire.SystemUnreachable}},
			verdict{State: AgentOffline, Since: ten.Add(2 * time.Minute), Affects: Everything,
				Message: "The agent on plant-1 has been offline since 10:02 UTC: nothing can be read or written. Its last session ended so: nothing was heard for 13s. " +
					"See at the plant that the machine runs and reaches the relay; `gantry-agent doctor` there tells what is wrong."},
		},
		"an agent of which nothing is known": {
			live, agentFacts{}, nil,
			verdict{State: AgentOffline, Affects: Everything, Message: "The agent has been offline: nothing can be read or written. " +
				"See at the plant that the machine runs and reaches the relay; `gantry-agent doctor` there tells what is wrong."},
		},
		"the agent was revoked": {
			live, agentFacts{Host: "plant-1", Seen: ten, Revoked: ten.Add(2 * time.Minute)}, nil,
			verdict{State: AgentOffline, Since: ten.Add(2 * time.Minute), Reauth: true, Affects: Everything,
				Message: "The agent on plant-1 was revoked at 10:02 UTC, for good: nothing can be read or written. Link the connection anew with its login: " +
					"another agent of the site takes it then."},
		},
		"the system is away": {
			live, there, &matrix{System: system{State: wire.SystemUnreachable, Since: ten, LastError: &failure{Code: "SYSTEM_UNREACHABLE", Detail: "db.plant:5432 refuses the connection."}},
				Login: login{State: wire.LoginRefused}},
			verdict{State: SystemOffline, Since: ten, Reauth: true, Affects: Everything,
				Message: "The system cannot be reached since 10:00 UTC (db.plant:5432 refuses the connection): nothing can be read or written. The agent is connected, " +
					"so look at the system itself, and at the network between the two. Gantry tries again by itself."},
		},
		"the login is refused": {
			live, there, &matrix{System: reachable, Login: login{State: wire.LoginRefused, Since: ten}, ThrottledUntil: noon.Add(time.Minute)},
			verdict{State: ReauthRequired, Since: ten, Reauth: true, Affects: Everything,
				Message: "The system refuses the login since 10:00 UTC: nothing can be read or written. The password was changed, has expired or is locked. " +
					"Link the connection anew with a login that works."},
		},
		"the agent lost the login": {
			live, there, &matrix{Missing: true},
			verdict{State: ReauthRequired, Reauth: true, Affects: Everything, Message: "The agent holds no login for this connection any more: it was removed at the plant, " +
				"or the agent's data were lost. Nothing can be read or written until the connection is linked anew with its login."},
		},
		"throttled": {
			live, there, &matrix{System: reachable, ThrottledUntil: noon.Add(5 * time.Minute), Entities: cells{"items": {"list": fails("SYSTEM_RATE_LIMITED", "")}}},
			verdict{State: Throttled, Affects: Everything, Message: "The system asks for fewer calls: they wait until 12:05 UTC. Other connections are not slowed down. " +
				"Nothing is to be done, unless it happens often: then call less, or ask for a higher limit at the system."},
		},
		"the circuit is open": {
			live, there, &matrix{System: reachable, Circuit: circuit{State: wire.CircuitOpen, Since: ten}, Entities: cells{"items": {"list": fails("SYSTEM_TIMEOUT", "")}}},
			verdict{State: Degraded, Since: ten, Affects: Everything, Message: "All calls are held back since 10:00 UTC, after repeated failure: the system does not answer in time. " +
				"Gantry tries again by itself, and lets them pass as soon as one succeeds."},
		},
		"a right is lost": {
			live, there, &matrix{System: reachable, Entities: cells{"work-orders": {"list": denied(true), "get": denied(true)}, "items": {"list": works()}}},
			verdict{State: Degraded, Since: ten.Add(2 * time.Minute), Affects: SomeEntities,
				Message: "Reading work orders fails since 10:02 UTC: permission denied. Ask the system's administrator to give the login the right again. Everything else works."},
		},
		"one operation fails, and is held back": {
			live, there, &matrix{System: reachable, Entities: cells{"purchase-orders": {"create": holding, "list": works()}}},
			verdict{State: Degraded, Since: ten.Add(2 * time.Minute), Affects: SomeEntities,
				Message: "Creating purchase orders fails since 10:02 UTC: the system does not answer in time; further calls are held back for now. " +
					"The system is slow or overloaded: ask its administrator; narrower queries may pass. Everything else works."},
		},
		"several entities, for two reasons": {
			live, there, &matrix{System: reachable, Entities: cells{
				"assets": {"list": fails("SYSTEM_ERROR", "view is missing."), "approve": fails("SYSTEM_ERROR", "")}, "items": {"list": fails("SYSTEM_ERROR", ""), "get": works()},
				"vendors": {"list": denied(true)}, "locations": {"list": fails("SYSTEM_ERROR", "")},
			}},
			verdict{State: Degraded, Since: ten.Add(2 * time.Minute), Affects: SomeEntities,
				Message: "Reading assets, items and locations, and running `approve` on assets fails since 10:02 UTC: the system answers with an error. " +
					"Ask the system's administrator what is wrong with it. Reading vendors fails since 10:02 UTC: permission denied. " +
					"Ask the system's administrator to give the login the right again. Everything else works."},
		},
		"all that was tried fails": {
			live, there, &matrix{System: reachable, Entities: cells{"items": {"list": fails("INTERNAL", "")}, "vendors": {"list": fails("INTERNAL", "")}}},
			verdict{State: Degraded, Since: ten.Add(2 * time.Minute), Affects: Everything,
				Message: "Reading items and vendors fails since 10:02 UTC: a fault of Gantry's own. Quote the request req_1 to Gantry's support."},
		},
		"everything works": {
			live, there, &matrix{System: reachable, Login: login{State: wire.LoginAccepted}, Entities: cells{"items": {"list": works()}, "vendors": {"list": {State: wire.OperationUnknown}}}},
			verdict{State: Active, Affects: Nothing, Message: "Everything works."},
		},
		"a right that was never there": {
			live, there, &matrix{System: reachable, Entities: cells{"items": {"list": works(), "create": denied(false)}, "vendors": {"create": denied(false), "delete": denied(false)}}},
			verdict{State: Active, Affects: Nothing, Message: "Everything works. The login may not create items, or create or delete vendors."},
		},
		"everything worked a while ago": {
			live, there, &matrix{System: system{State: wire.SystemUnknown}, Entities: cells{"items": {"list": stale}}},
			verdict{State: Active, Affects: Nothing, Message: "Everything worked when it was last looked at, 10:00 UTC."},
		},
		"quiet hours": {
			live, there, &matrix{System: reachable, QuietUntil: noon.Add(18 * time.Hour), Entities: cells{"items": {"list": works()}}},
			verdict{State: Active, Affects: Everything, Message: "The plant's quiet hours last until 2026-03-02 06:00 UTC: until then no call is made. Before, everything worked."},
		},
		"quiet hours, and something failed before": {
			live, there, &matrix{System: reachable, QuietUntil: noon.Add(time.Hour), Entities: cells{"items": {"list": works()}, "vendors": {"list": denied(true)}}},
			verdict{State: Degraded, Since: ten.Add(2 * time.Minute), Affects: Everything, Message: "Reading vendors fails since 10:02 UTC: permission denied. " +
				"Ask the system's administrator to give the login the right again. The plant's quiet hours last until 13:00 UTC: until then no call is made."},
		},
		"quiet hours have passed": {
			live, there, &matrix{System: reachable, QuietUntil: ten, ThrottledUntil: ten, Entities: cells{"items": {"list": works()}}},
			verdict{State: Active, Affects: Nothing, Message: "Everything works."},
		},
		"never probed": {
			live, there, nil,
			verdict{State: Active, Affects: Nothing, Message: "The login worked when the connection was made. Nothing has been read or written yet."},
		},
		"probed, and never called": {
			live, there, &matrix{System: reachable},
			verdict{State: Active, Affects: Nothing, Message: "The system answers. Nothing has been read or written yet."},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := facts{connection: test.row, agent: test.agent, matrix: test.matrix, now: noon}
			got := judge(&f)
			got.Message = f.say(got.State)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestPrecedence piles up all reasons, and takes the first away, one after the other.
func TestPrecedence(t *testing.T) {
	m := &matrix{
		System: system{State: wire.SystemUnreachable}, Login: login{State: wire.LoginRefused}, ThrottledUntil: noon.Add(time.Minute),
		Entities: cells{"items": {"list": fails("SYSTEM_ERROR", "")}},
	}
	f := facts{connection: store.Connection{State: store.Pending}, matrix: m, now: noon}
	takeAway := []func(){
		func() { f.connection.State = store.Disconnected },
		func() { f.connection.State = store.Paused },
		func() { f.connection.State = store.Active },
		func() { f.agent.Connected = true },
		func() { m.System.State = wire.SystemReachable },
		func() { m.Login.State = wire.LoginAccepted },
		func() { m.ThrottledUntil = time.Time{} },
		func() { m.Entities = nil },
	}
	for i, state := range States() {
		if got := judge(&f).State; got != state {
			t.Errorf("%s, want %s", got, state)
		}
		if i < len(takeAway) {
			takeAway[i]()
		}
	}
}
