package calls

import (
	"net/http"
	"testing"

	"gantry/agent/health"
	"gantry/configs"
	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// health gives what is known of the bench's connection.
func (b *bench) health() wire.Health { return b.handler.Health.Connection("con_1").Document() }

// look has the agent look at it of its own accord.
func (b *bench) look() {
	b.t.Helper()
	if w := b.call("POST", wire.PathReconcile, `{"connections":["con_1"]}`, nil); w.Code != http.StatusNoContent { // it does not rest
		b.t.Fatalf("reconcile: %d %s", w.Code, w.Body)
	}
	b.handler.look(b.t.Context(), b.handler.Health.Connection("con_1"))
}

// TestLostRight: it is denied at once, in the capabilities too, and heals by a probe without a call.
func TestLostRight(t *testing.T) {
	b := newBench(t)
	no := fault.New(fault.PermissionDenied, "The login may not read item.").In("items", "list", "")
	b.engine.list = func() error { return no }
	if w := b.call("GET", con+"/records/items", "", map[string]string{wire.HeaderRequestID: "req_7"}); w.Code != http.StatusForbidden {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	got := b.health().Entities["items"]["list"]
	if got.State != wire.OperationDenied || got.LastError.RequestID != "req_7" || got.LastError.Code != "PERMISSION_DENIED" || got.NextProbeInMS == 0 {
		t.Errorf("got %+v", got)
	}
	b.engine.capabilities = wire.Capabilities{System: "plant", Entities: map[string]wire.EntityCapabilities{"items": {
		Operations: map[string]wire.OperationCapability{"list": {Verdict: wire.Verdict{Allowed: true}}},
	}}}
	may := seen(b.engine.Capabilities(), b.handler.Health.Connection("con_1")).Entities["items"].Operations["list"]
	if may.Allowed || may.DeniedBy != wire.ByProbe || may.Reason != no.Detail {
		t.Errorf("capabilities: %+v", may)
	}
	b.engine.list = nil
	fatal(t, b.lookAtItems())
	if got := b.health().Entities["items"]["list"]; got.State != wire.OperationWorking || got.NextProbeInMS != 0 {
		t.Errorf("not healed: %+v", got)
	}
}

// lookAtItems makes the read that a probe makes of a list which fails.
func (b *bench) lookAtItems() error {
	c, err := b.handler.pool.find(b.t.Context(), "con_1")
	fatal(b.t, err)
	return b.handler.lookAt(b.t.Context(), c, b.live.Current(), health.Place{Entity: "items", Operation: "list"})
}

// TestQuietHours: neither a call nor a probe nor a new login reaches the system.
func TestQuietHours(t *testing.T) {
	b := newBench(t)
	before := b.engine.checks
	b.look()
	if b.engine.checks != before+1 || b.health().System.State != wire.SystemReachable {
		t.Fatalf("a probe outside of quiet hours: %d checks, %+v", b.engine.checks-before, b.health().System)
	}
	b.allow(configs.Policy{Writes: true, Rules: configs.Rules{QuietHours: []string{"00:00-12:00", "12:00-24:00"}}})
	logins := len(b.logins)
	b.engine.list = func() error { t.Error("the system was asked"); return nil }
	f := problem(t, b.call("GET", con+"/records/items", "", nil))
	if f.Code != fault.PolicyDenied || f.RetryAfter == 0 || f.Hop != fault.HopPolicy {
		t.Errorf("got %v", f)
	}
	if w := b.call("POST", con+"/records/items", `{}`, nil); problem(t, w).Outcome != fault.NotSent {
		t.Errorf("a write: %s", w.Body)
	}
	b.look()
	b.open(http.StatusForbidden)
	if b.engine.checks != before+1 || len(b.logins) != logins {
		t.Errorf("%d checks and %d logins were made", b.engine.checks-before-1, len(b.logins)-logins)
	}
	if h := b.health(); h.QuietForMS == 0 || h.System.NextProbeInMS < h.QuietForMS-1000 {
		t.Errorf("got %+v", h)
	}
	b.allow(configs.Policy{})
	b.handler.Health.Hurry()
	if h := b.health(); h.QuietForMS != 0 || h.System.NextProbeInMS > 60_000 {
		t.Errorf("after the policy changed: %+v", h)
	}
}

// TestProbesKeepTheLimits: a probe takes a place within the plant's limits, as a call does.
func TestProbesKeepTheLimits(t *testing.T) {
	b := newBench(t)
	b.allow(configs.Policy{Rules: configs.Rules{Concurrency: 1}})
	c, err := b.handler.pool.find(t.Context(), "con_1")
	fatal(t, err)
	leave, err := c.limiter.enter(t.Context(), caps{concurrency: 1})
	fatal(t, err)
	before := b.engine.checks
	b.look()
	if b.engine.checks != before {
		t.Error("a probe ran beside the one call that the plant allows")
	}
	if h := b.health(); h.System.State != wire.SystemReachable || h.Circuit.State != wire.CircuitClosed {
		t.Errorf("the plant's limit was taken for a fault of the system: %+v", h)
	}
	leave()
	b.look()
	if b.engine.checks != before+1 {
		t.Error("no probe when the place is free")
	}
}

// TestRefusedLoginIsNotTriedInALoop: the first call meets the refusal, the others get it without asking; a new login clears
// it.
func TestRefusedLoginIsNotTriedInALoop(t *testing.T) {
	b := newBench(t)
	asked := 0
	b.engine.list = func() error {
		asked++
		return fault.New(fault.CredentialsExpired, "The database refuses the login.")
	}
	for range 20 {
		if f := problem(t, b.call("GET", con+"/records/items", "", nil)); f.Code != fault.CredentialsExpired {
			t.Fatal(f)
		}
	}
	b.look()
	if asked != 1 || b.health().Login.State != wire.LoginRefused {
		t.Errorf("the system was asked %d times, the login is %s", asked, b.health().Login.State)
	}
	b.engine.list = nil
	b.open(http.StatusOK)
	if w := b.call("GET", con+"/records/items", "", nil); w.Code != http.StatusOK || b.health().Login.State != wire.LoginAccepted {
		t.Errorf("after the relink: %d %s", w.Code, w.Body)
	}
}

// TestResetCircuits: the path that the relay calls.
func TestResetCircuits(t *testing.T) {
	b := newBench(t)
	b.engine.list = func() error { return fault.New(fault.SystemUnreachable, "db refused the connection.") }
	var last *fault.Error
	for range 4 {
		last = problem(t, b.call("GET", con+"/records/items", "", nil))
	}
	if last.Code != fault.CircuitOpen || last.Hop != fault.HopAgent || last.RetryAfter == 0 {
		t.Fatalf("got %v", last)
	}
	b.engine.list = nil
	if w := b.call("POST", con+"/circuits/reset", "", nil); w.Code != http.StatusNoContent {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := b.call("GET", con+"/records/items", "", nil); w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if f := problem(t, b.call("POST", "/v1/connections/con_9/circuits/reset", "", nil)); f.Code != fault.NotFound {
		t.Errorf("an unknown connection: %v", f)
	}
}
