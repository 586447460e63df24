package house

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"gantry/tunnel/fault"
)

// TestFailuresNameTheirHop breaks one thing after the other and reads what the caller is told.
func TestFailuresNameTheirHop(t *testing.T) {
	t.Parallel()
	aw := openAdventureWorks(t, "postgres", withRelay("limits: {call_timeout: 8s}\n"))
	p := aw.plant

	t.Run("a wrong password", func(t *testing.T) {
		wrong := aw.login
		wrong.Name, wrong.Site = "wrong", p.site
		wrong.Credentials = map[string]string{"password": "not this one"}
		p.refused(p.admin, http.MethodPost, "/connections", wrong,
			fault.Error{Code: fault.CredentialsExpired, Hop: fault.HopSystem, Scope: fault.ScopeConnection, Outcome: fault.Rejected})
		var kept struct{ Data []any }
		p.must(http.MethodGet, "/connections", nil, 200, &kept)
		if len(kept.Data) != 1 {
			t.Errorf("%d connections are kept, want the one that works", len(kept.Data))
		}
	})

	t.Run("a target outside the policy", func(t *testing.T) {
		outside := aw.login
		outside.Name, outside.Site = "outside", p.site
		outside.Settings = map[string]any{"host": "10.255.255.1", "port": 5432, "database": "x", "username": "x"}
		got := p.refused(p.admin, http.MethodPost, "/connections", outside,
			fault.Error{Code: fault.PolicyDenied, Hop: fault.HopPolicy, Scope: fault.ScopeConnection, Outcome: fault.NotSent})
		if !strings.Contains(got.Advice, "gantry-agent policy allow target 10.255.255.1:5432") {
			t.Errorf("the advice does not name the command: %s", got.Advice)
		}
	})

	t.Run("a right taken away", func(t *testing.T) {
		aw.as(t, "REVOKE SELECT ON purchaseorderheader FROM "+aw.username())
		p.refused(aw.client, http.MethodGet, "/purchase-orders", nil,
			fault.Error{Code: fault.PermissionDenied, Hop: fault.HopSystem, Scope: fault.ScopeEntity})
		p.expect(aw.client, http.MethodGet, "/vendors", nil, 200, nil)
		aw.as(t, "GRANT SELECT ON purchaseorderheader TO "+aw.username())
		p.expect(aw.client, http.MethodGet, "/purchase-orders", nil, 200, nil)
	})

	t.Run("a statement that sleeps", func(t *testing.T) {
		lock, err := aw.database.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = lock.Rollback() }()
		if _, err := lock.ExecContext(t.Context(), "LOCK TABLE vendor IN ACCESS EXCLUSIVE MODE"); err != nil {
			t.Fatal(err)
		}
		p.refused(aw.client, http.MethodGet, "/vendors", nil,
			fault.Error{Code: fault.SystemTimeout, Hop: fault.HopSystem, Scope: fault.ScopeOperation})
	})

	t.Run("the database stopped", func(t *testing.T) {
		aw.server.Stop(t)
		defer aw.server.Start(t)
		p.refused(aw.client, http.MethodGet, "/vendors", nil,
			fault.Error{Code: fault.SystemUnreachable, Hop: fault.HopNetwork, Scope: fault.ScopeConnection})
		p.refused(aw.client, http.MethodPost, "/purchase-orders", newOrder("1"),
			fault.Error{Code: fault.SystemUnreachable, Hop: fault.HopNetwork, Scope: fault.ScopeConnection, Outcome: fault.NotSent})
	})
	t.Run("and started again", func(t *testing.T) {
		took := eventually(t, 30*time.Second, "the connection answers", func() error { return aw.answers(t.Context()) })
		t.Logf("healed %s after the start", took.Round(time.Millisecond))
	})

	t.Run("the agent killed", func(t *testing.T) {
		p.agent.kill()
		took := eventually(t, 15*time.Second, "AGENT_OFFLINE", func() error {
			answer, err := aw.client.Do(t.Context(), http.MethodGet, "/vendors", nil)
			if err != nil {
				return err
			}
			if got := answer.Problem(); got == nil || got.Code != fault.AgentOffline {
				return fmt.Errorf("%d %s", answer.Status, answer.Body)
			}
			return nil
		})
		t.Logf("AGENT_OFFLINE %s after the kill", took.Round(time.Millisecond))
		p.refused(aw.client, http.MethodPost, "/purchase-orders", newOrder("1"),
			fault.Error{Code: fault.AgentOffline, Hop: fault.HopTunnel, Scope: fault.ScopeSite, Outcome: fault.NotSent})
		p.startAgent()
		took = eventually(t, 30*time.Second, "the connection answers", func() error { return aw.answers(t.Context()) })
		t.Logf("healed %s after the restart", took.Round(time.Millisecond))
	})
}

// answers makes one cheap call.
func (aw *adventureWorks) answers(ctx context.Context) error {
	answer, err := aw.client.Do(ctx, http.MethodGet, "/vendors?limit=1", nil)
	if err != nil {
		return err
	}
	if p := answer.Problem(); p != nil {
		return p
	}
	var page Page
	return json.Unmarshal(answer.Body, &page)
}

func (aw *adventureWorks) username() string { return aw.login.Settings["username"].(string) }
