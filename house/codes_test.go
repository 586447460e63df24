package house

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"gantry/tunnel/fault"
)

// codes collects which codes were seen end to end.
type codes struct {
	*workshop
	seen map[fault.Code]bool
}

// TestEveryCodeIsProduced makes each error of the contract happen, through relay and agent, and reads it as a caller does.
func TestEveryCodeIsProduced(t *testing.T) {
	t.Parallel()
	c := &codes{seen: map[fault.Code]bool{}}
	c.workshop = openWorkshop(t,
		withRelay("limits: {call_timeout: 5s, calls_per_connection: 3}\n"),
		withAgent("policy:\n  connections:\n    capped:\n      max_rows: 3\n"))
	t.Run("the request itself", c.ofTheRequest)
	t.Run("tokens, roles and credits", c.ofTokens)
	t.Run("the plant's policy", c.ofThePolicy)
	t.Run("a record", c.ofARecord)
	t.Run("one key twice at once", c.ofOneKeyTwice)
	t.Run("the system", c.ofTheSystem)
	t.Run("limits", c.ofLimits)
	t.Run("a caller that goes away", c.ofACallerGone)
	t.Run("an agent that goes away", c.ofAnAgentGone)

	documented, err := os.ReadFile("../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range fault.Specs() {
		if !c.seen[spec.Code] {
			t.Errorf("%s was not produced", spec.Code)
		}
		if !strings.Contains(string(documented), fmt.Sprintf("\n## %s\n", spec.Code)) {
			t.Errorf("%s has no entry in docs/errors.md", spec.Code)
		}
	}
}

// want is an error with what is usual for its code; outcome is empty on a read.
func want(code fault.Code, outcome fault.Outcome) fault.Error {
	spec := code.Spec()
	return fault.Error{Code: code, Hop: spec.Hop, Scope: spec.Scope, Outcome: outcome}
}

// placed changes hop and scope of what is wanted.
func placed(e fault.Error, hop fault.Hop, scope fault.Scope) fault.Error {
	e.Hop, e.Scope = hop, scope
	return e
}

// produce makes a call that must fail so, and checks everything that every problem document has.
func (c *codes) produce(t *testing.T, client *Client, method, path string, body any, want fault.Error, headers ...Header) *fault.Error {
	t.Helper()
	answer, err := client.Do(t.Context(), method, path, body, headers...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return c.examine(t, method+" "+path, answer, want)
}

func (c *codes) examine(t *testing.T, call string, answer Answer, want fault.Error) *fault.Error {
	t.Helper()
	got := answer.Problem()
	if got == nil {
		t.Fatalf("%s: got %d, want %s: %s", call, answer.Status, want.Code, answer.Body)
	}
	if got.Code != want.Code || got.Hop != want.Hop || got.Scope != want.Scope || got.Outcome != want.Outcome {
		t.Errorf("%s:\n got %s at hop %s, scope %s, outcome %q\nwant %s at hop %s, scope %s, outcome %q\n%s", call,
			got.Code, got.Hop, got.Scope, got.Outcome, want.Code, want.Hop, want.Scope, want.Outcome, answer.Body)
	}
	spec := got.Code.Spec()
	if answer.Status != spec.Status || answer.Header.Get("Content-Type") != fault.ContentType {
		t.Errorf("%s: %s came as %d %s, want %d", call, got.Code, answer.Status, answer.Header.Get("Content-Type"), spec.Status)
	}
	if got.Advice == "" || got.Detail == "" || got.RequestID == "" || got.RequestID != answer.Header.Get("Request-Id") {
		t.Errorf("%s: without advice, detail or request id: %s", call, answer.Body)
	}
	if retry := answer.Header.Get("Retry-After"); (got.RetryAfter > 0) != (retry != "") {
		t.Errorf("%s: Retry-After is %q, retry_after %s", call, retry, got.RetryAfter)
	}
	if answer.Status == http.StatusMethodNotAllowed && answer.Header.Get("Allow") == "" && len(got.Allow) > 0 {
		t.Errorf("%s: no Allow header: %s", call, answer.Body)
	}
	c.seen[got.Code] = true
	return got
}

func (c *codes) ofTheRequest(t *testing.T) {
	t.Run("an unknown parameter", func(t *testing.T) {
		got := c.produce(t, c.client, http.MethodGet, "/assets?colour=red", nil, placed(want(fault.InvalidRequest, ""), fault.HopClient, fault.ScopeOperation))
		if len(got.Fields) != 1 || got.Fields[0].Name != "colour" {
			t.Errorf("the fields do not name the parameter: %+v", got.Fields)
		}
	})
	t.Run("an unknown path", func(t *testing.T) {
		c.produce(t, c.admin, http.MethodGet, "/sites/sit_nothing", nil, placed(want(fault.NotFound, ""), fault.HopClient, fault.ScopeRecord))
	})
	t.Run("an unknown record", func(t *testing.T) {
		c.produce(t, c.client, http.MethodGet, "/assets/4711", nil, placed(want(fault.NotFound, ""), fault.HopSystem, fault.ScopeRecord))
	})
	t.Run("a method that the path has not", func(t *testing.T) {
		got := c.produce(t, c.admin, http.MethodPut, "/credits", nil, want(fault.MethodNotAllowed, ""))
		if len(got.Allow) == 0 {
			t.Error("it does not say which methods there are")
		}
	})
	t.Run("an operation that the system has not", func(t *testing.T) {
		c.produce(t, c.client, http.MethodPost, "/items", map[string]any{"description": "x"}, placed(want(fault.OperationNotSupported, fault.NotSent), fault.HopAgent, fault.ScopeOperation))
	})
	t.Run("a body of another type", func(t *testing.T) {
		c.produce(t, c.client, http.MethodPost, "/assets", map[string]any{}, want(fault.UnsupportedMediaType, fault.NotSent), Header{"Content-Type", "text/csv"})
	})
	t.Run("a body beyond the limit", func(t *testing.T) {
		c.produce(t, c.client, http.MethodPost, "/assets", map[string]any{"name": strings.Repeat("x", 2<<20)}, want(fault.PayloadTooLarge, fault.NotSent))
	})
}

func (c *codes) ofTokens(t *testing.T) {
	other, otherID := c.connect(c.named("other"))
	t.Run("a mistyped token", func(t *testing.T) {
		mistyped := *other
		mistyped.Token = other.Token[:len(other.Token)-1] + "!"
		c.produce(t, &mistyped, http.MethodGet, "/assets", nil, want(fault.AuthenticationFailed, ""))
	})
	t.Run("a connection's token for the organisation's things", func(t *testing.T) {
		c.produce(t, other, http.MethodGet, "/sites", nil, want(fault.Forbidden, ""))
	})
	t.Run("a replaced token", func(t *testing.T) {
		c.must(http.MethodPost, "/connections/"+otherID+"/token", nil, 200, nil)
		c.produce(t, other, http.MethodGet, "/assets", nil, want(fault.TokenRevoked, ""))
	})
	t.Run("a paused connection", func(t *testing.T) {
		c.must(http.MethodPost, "/connections/"+otherID+"/pause", nil, 200, nil)
		c.produce(t, c.admin, http.MethodPost, "/assets", map[string]any{"name": "A"}, want(fault.ConnectionPaused, fault.NotSent), Header{"Gantry-Connection", otherID})
	})
	t.Run("a disconnected connection", func(t *testing.T) {
		c.must(http.MethodPost, "/connections/"+otherID+"/disconnect", nil, 200, nil)
		c.produce(t, c.admin, http.MethodGet, "/assets", nil, want(fault.ConnectionDisconnected, ""), Header{"Gantry-Connection", otherID})
	})
	t.Run("more credits than there are", func(t *testing.T) {
		dear := c.named("dear")
		dear.System = "workshop-dear"
		c.produce(t, c.admin, http.MethodPost, "/connections", dear, want(fault.NoCredits, fault.NotSent))
	})
}

func (c *codes) ofThePolicy(t *testing.T) {
	t.Run("a target that nobody allowed", func(t *testing.T) {
		outside := c.named("outside")
		outside.Settings["host"] = "10.255.255.1"
		c.produce(t, c.admin, http.MethodPost, "/connections", outside, placed(want(fault.PolicyDenied, fault.NotSent), fault.HopPolicy, fault.ScopeConnection))
	})
	t.Run("more rows than the plant allows", func(t *testing.T) {
		capped, _ := c.connect(c.named("capped"))
		_, err := capped.Stream(t.Context(), "/assets", func([]byte) error { return nil })
		if !fault.Is(err, fault.RowLimit) {
			t.Errorf("a stream of 20 records ends with %v", err)
		}
		c.produce(t, capped, http.MethodGet, "/assets?limit=10", nil, want(fault.RowLimit, ""))
	})
}

func (c *codes) ofARecord(t *testing.T) {
	machine := func(members ...string) map[string]any {
		body := map[string]any{}
		for i := 0; i < len(members); i += 2 {
			body[members[i]] = members[i+1]
		}
		return body
	}
	for name, d := range map[string]struct {
		method, path string
		body         any
		want         fault.Error
		header       Header
	}{
		"a field that the definition requires": {http.MethodPost, "/assets", machine("name", "A"), want(fault.FieldRequired, fault.NotSent), Header{}},
		"a field that the system requires": {http.MethodPost, "/assets", machine("code", "A"),
			placed(want(fault.FieldRequired, fault.Rejected), fault.HopSystem, fault.ScopeRecord), Header{}},
		"a field that cannot be changed": {http.MethodPatch, "/assets/1", machine("name", "B"), want(fault.FieldNotUpdatable, fault.NotSent), Header{}},
		"a value of the wrong type":      {http.MethodPatch, "/assets/1", map[string]any{"code": 7}, want(fault.ValidationFailed, fault.NotSent), Header{}},
		"a name that is taken":           {http.MethodPost, "/assets", machine("name", "Machine 1", "code", "V1"), want(fault.Duplicate, fault.Rejected), Header{}},
		"a rule of the definition":       {http.MethodPatch, "/assets/20", machine("code", "X"), want(fault.RecordLocked, fault.Rejected), Header{}},
		"a rule of the system":           {http.MethodPatch, "/assets/2", machine("serial_number", "SN-0"), want(fault.BusinessRule, fault.Rejected), Header{}},
		"an action in the wrong state":   {http.MethodPost, "/assets/20/actions/retire", machine(), want(fault.RecordLocked, fault.Rejected), Header{}},
		"an etag of the past":            {http.MethodPatch, "/assets/3", machine("code", "X"), want(fault.PreconditionFailed, fault.Rejected), Header{"If-Match", `"0"`}},
		"a rule that is broken":          {http.MethodDelete, "/assets/4", nil, placed(want(fault.Internal, fault.Rejected), fault.HopAgent, fault.ScopeOperation), Header{}},
	} {
		t.Run(name, func(t *testing.T) {
			var headers []Header
			if d.header[0] != "" {
				headers = append(headers, d.header)
			}
			c.produce(t, c.client, d.method, d.path, d.body, d.want, headers...)
		})
	}
	t.Run("a key for another request", func(t *testing.T) {
		key := Header{"Idempotency-Key", "once"}
		c.expect(c.client, http.MethodPost, "/assets", machine("name", "Once", "code", "1"), 201, nil, key)
		c.produce(t, c.client, http.MethodPost, "/assets", machine("name", "Twice", "code", "2"), want(fault.IdempotencyKeyReused, fault.NotSent), key)
	})
}

// ofOneKeyTwice sends a write again while its first try waits for the system.
func (c *codes) ofOneKeyTwice(t *testing.T) {
	release := c.hold(t)
	key, first := Header{"Idempotency-Key", "slow"}, make(chan error)
	go func() {
		answer, err := c.client.Do(t.Context(), http.MethodPatch, "/assets/7", map[string]any{"code": "X"}, key)
		if err == nil && answer.Status != http.StatusOK {
			err = answer.Problem()
		}
		first <- err
	}()
	c.awaitWaiting(t, 1)
	c.produce(t, c.client, http.MethodPatch, "/assets/7", map[string]any{"code": "X"},
		placed(want(fault.Conflict, fault.NotSent), fault.HopAgent, fault.ScopeOperation), key)
	release()
	if err := <-first; err != nil {
		t.Error(err)
	}
	again := c.expect(c.client, http.MethodPatch, "/assets/7", map[string]any{"code": "X"}, 200, nil, key)
	if again.Header.Get("Idempotency-Replayed") != "true" {
		t.Error("the third try is no replay")
	}
}

func (c *codes) ofTheSystem(t *testing.T) {
	connecting := func(name string, change func(*login), want fault.Error) {
		t.Run(name, func(t *testing.T) {
			bad := c.named(name)
			change(&bad)
			c.produce(t, c.admin, http.MethodPost, "/connections", bad, want)
		})
	}
	connecting("a wrong password", func(l *login) { l.Credentials = map[string]string{"password": "wrong"} }, want(fault.CredentialsExpired, fault.Rejected))
	full := c.base.Login(t)
	if _, err := c.server.Admin().ExecContext(t.Context(), "ALTER ROLE "+full.Username+" CONNECTION LIMIT 0"); err != nil {
		t.Fatal(err)
	}
	connecting("no connection to spare", func(l *login) {
		l.Settings, l.Credentials = full.Settings(), map[string]string{"password": full.Password}
	}, want(fault.SystemRateLimited, fault.Rejected))
	closed := freeAddress(t)
	c.allow("target", closed)
	connecting("nobody at the address", func(l *login) {
		l.Settings["port"] = portOf(t, closed)
	}, want(fault.SystemUnreachable, fault.NotSent))
	t.Run("a right that the login lacks", func(t *testing.T) {
		c.produce(t, c.client, http.MethodGet, "/vendors", nil, want(fault.PermissionDenied, ""))
	})
	t.Run("a table of another version", func(t *testing.T) {
		got := c.produce(t, c.client, http.MethodGet, "/items", nil, placed(want(fault.SystemError, ""), fault.HopSystem, fault.ScopeEntity))
		if got.Source == nil || got.Source.Status != "42P01" {
			t.Errorf("the source is %+v", got.Source)
		}
	})
	t.Run("nobody at the address, again and again", func(t *testing.T) {
		way := newWay(t, c.server.Address())
		c.allow("target", way.address)
		through := c.named("through a way")
		through.Settings["port"] = portOf(t, way.address)
		client, _ := c.connect(through)
		way.shut()
		c.produce(t, client, http.MethodGet, "/assets", nil, want(fault.SystemUnreachable, ""))
		for range 2 { // a login may dial twice, with TLS and without
			if answer, err := client.Do(t.Context(), http.MethodGet, "/assets", nil); err != nil || answer.Problem() == nil {
				t.Errorf("%v: %d", err, answer.Status)
			}
		}
		c.produce(t, client, http.MethodGet, "/assets", nil, want(fault.CircuitOpen, ""))
	})
	t.Run("a statement that waits", func(t *testing.T) {
		defer c.hold(t)()
		c.produce(t, c.client, http.MethodGet, "/assets", nil, want(fault.SystemTimeout, ""))
	})
}

func (c *codes) ofLimits(t *testing.T) {
	t.Run("more calls at once than a connection has", func(t *testing.T) {
		release := c.hold(t)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		for range 3 {
			go func() { _, _ = c.client.Do(ctx, http.MethodGet, "/assets", nil); ended <- struct{}{} }()
		}
		c.awaitWaiting(t, 3)
		c.produce(t, c.client, http.MethodPatch, "/assets/5", map[string]any{"code": "X"}, want(fault.Overloaded, fault.NotSent))
		cancel()
		release()
		for range 3 {
			<-ended
		}
	})
	t.Run("more calls than a token may make", func(t *testing.T) {
		for range 2000 {
			answer, err := c.client.Do(t.Context(), http.MethodGet, "/connection", nil)
			if err != nil {
				t.Fatal(err)
			}
			if answer.Status != http.StatusOK {
				c.examine(t, "GET /connection", answer, want(fault.RateLimitExceeded, ""))
				return
			}
		}
		t.Error("2000 calls in a row were let through")
	})
	time.Sleep(time.Second) // the bucket fills
}

// awaitWaiting waits until n statements of the agent's login wait for a lock.
func (w *workshop) awaitWaiting(t *testing.T, n int) {
	t.Helper()
	eventually(t, 10*time.Second, "statements wait", func() error {
		waiting := count(t, w.server.Admin(), "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = $1", w.login.Settings["username"])
		if waiting < n {
			return fmt.Errorf("%d of %d", waiting, n)
		}
		return nil
	})
}

// ofACallerGone is read by nobody: the relay's metrics count it.
func (c *codes) ofACallerGone(t *testing.T) {
	defer c.hold(t)()
	ctx, hangUp := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { _, err := c.client.Do(ctx, http.MethodGet, "/assets", nil); ended <- err }()
	c.awaitWaiting(t, 1)
	hangUp()
	if err := <-ended; err == nil {
		t.Fatal("the call was answered: the test tells nothing")
	}
	eventually(t, 10*time.Second, "the relay counts it", func() error {
		if metrics := c.metrics(t); !strings.Contains(metrics, `code="CANCELLED"`) {
			return fmt.Errorf("no CANCELLED in %d bytes of metrics", len(metrics))
		}
		return nil
	})
	c.seen[fault.Cancelled] = true
}

// metrics reads what Prometheus would.
func (p *plant) metrics(t *testing.T) string {
	t.Helper()
	answer, err := http.Get("http://" + p.metricsAddress + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func (c *codes) ofAnAgentGone(t *testing.T) {
	t.Run("during a write", func(t *testing.T) {
		release := c.hold(t)
		defer release()
		answers := make(chan Answer)
		go func() {
			answer, err := c.client.Do(t.Context(), http.MethodPatch, "/assets/6", map[string]any{"code": "X"})
			if err != nil {
				t.Error(err)
			}
			answers <- answer
		}()
		c.awaitWaiting(t, 1)
		c.agent.kill()
		c.examine(t, "PATCH /assets/6", <-answers, want(fault.TunnelLost, fault.Unknown))
	})
	t.Run("before a write", func(t *testing.T) {
		c.produce(t, c.client, http.MethodPatch, "/assets/6", map[string]any{"code": "X"}, want(fault.AgentOffline, fault.NotSent))
	})
}
