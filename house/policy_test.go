package house

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gantry/tunnel/fault"
)

// TestAdviceOfThePolicyWorks begins with an agent that may do nothing. It makes a call, reads in the refusal the command
// that would allow it, runs the command as it stands there, and makes the call again, until everything works.
func TestAdviceOfThePolicyWorks(t *testing.T) {
	t.Parallel()
	d := openDemoPlant(t)
	var made struct {
		Connection struct{ ID string }
		Token      string
	}
	t.Run("a folder", func(t *testing.T) {
		answer := d.allowedByAdvice(t, d.admin, http.MethodPost, "/connections", d.login, fault.ScopeConnection)
		if err := answer.JSON(&made); err != nil {
			t.Fatal(err)
		}
	})
	d.client, d.id = &Client{URL: d.url, Token: made.Token, HTTP: d.http}, made.Connection.ID

	request := map[string]any{"title": "Noise in the pump", "asset_id": "9"}
	t.Run("writes", func(t *testing.T) {
		d.allowedByAdvice(t, d.client, http.MethodPost, "/service-requests", request, fault.ScopeSite)
	})
	for _, denied := range []struct {
		name         string
		command      []string
		method, path string
		body         any
		scope        fault.Scope
	}{
		{"a system", []string{"system", "demo-plant"}, http.MethodGet, "/vendors", nil, fault.ScopeConnection},
		{"an entity", []string{"entity", "vendors"}, http.MethodGet, "/vendors", nil, fault.ScopeEntity},
		{"an operation", []string{"operation", "service-requests:create"}, http.MethodPost, "/service-requests", request, fault.ScopeOperation},
		{"an action", []string{"operation", "purchase-orders:approve"}, http.MethodPost, "/purchase-orders/" + d.pendingOrder(t) + "/actions/approve", nil, fault.ScopeOperation},
		{"an entity of one connection", []string{"entity", "vendors", "--connection", "plant"}, http.MethodGet, "/vendors", nil, fault.ScopeEntity},
		{"an operation of one connection, by its id", []string{"operation", "items:list", "--connection", d.id}, http.MethodGet, "/items", nil, fault.ScopeOperation},
		{"a field that is asked for", []string{"field", "vendors.tax_id"}, http.MethodGet, "/vendors?fields=tax_id", nil, fault.ScopeOperation},
	} {
		t.Run(denied.name+", denied and allowed again", func(t *testing.T) {
			d.deny(t, denied.command...)
			d.allowedByAdvice(t, d.client, denied.method, denied.path, denied.body, denied.scope)
		})
	}
	t.Run("a denied field is not shown, and capabilities say who denies", d.hidesFields)
}

func (p *plant) deny(t *testing.T, what ...string) {
	t.Helper()
	run(t, "gantry-agent", append(append([]string{"policy", "deny"}, what...), "--config", p.path("agent.yaml"))...)
}

// pendingOrder finds an order that can be approved.
func (d *demoPlant) pendingOrder(t *testing.T) string {
	t.Helper()
	return fmt.Sprint(count(t, d.database, "SELECT min(po_no) FROM PO_HDR WHERE stat = 20"))
}

// allowedByAdvice makes a call that the policy refuses, runs the command of the advice, and makes it again.
func (d *demoPlant) allowedByAdvice(t *testing.T, c *Client, method, path string, body any, scope fault.Scope) Answer {
	t.Helper()
	var outcome fault.Outcome
	if method != http.MethodGet {
		outcome = fault.NotSent
	}
	got := d.refused(c, method, path, body, fault.Error{Code: fault.PolicyDenied, Hop: fault.HopPolicy, Scope: scope, Outcome: outcome})
	command := d.obey(t, got.Advice)
	answer, err := c.Do(t.Context(), method, path, body)
	if err != nil {
		t.Fatal(err)
	}
	if answer.Status >= 300 {
		t.Fatalf("after `%s`, %s %s: %d %s", command, method, path, answer.Status, answer.Body)
	}
	return answer
}

// obey runs the command that an advice of the policy holds, as it stands there.
func (p *plant) obey(t *testing.T, advice string) (command string) {
	t.Helper()
	_, command, found := strings.Cut(advice, "gantry-agent ")
	if !found {
		t.Fatalf("the advice holds no command: %s", advice)
	}
	command = "gantry-agent " + command
	shell := exec.CommandContext(t.Context(), "sh", "-c", command+` --config "$CONFIG"`)
	shell.Env = append(os.Environ(), "PATH="+filepath.Dir(program(t, "gantry-agent"))+":"+os.Getenv("PATH"), "CONFIG="+p.path("agent.yaml"))
	if out, err := shell.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return command
}

func (d *demoPlant) hidesFields(t *testing.T) {
	d.deny(t, "field", "purchase-orders.lines.price")
	d.deny(t, "entity", "meter-readings")
	answer := d.expect(d.client, http.MethodGet, "/purchase-orders?limit=5", nil, 200, nil)
	if body := string(answer.Body); !strings.Contains(body, `"quantity"`) || strings.Contains(body, `"price"`) {
		t.Errorf("lines without quantities, or with prices: %.2000s", body)
	}
	d.refused(d.client, http.MethodGet, "/purchase-orders?include=remote_data", nil,
		fault.Error{Code: fault.PolicyDenied, Hop: fault.HopPolicy, Scope: fault.ScopeOperation})
	may := d.capabilities(t, d.client)
	if v := may.Entities["meter-readings"].Operations["list"]; v.Allowed || v.DeniedBy != "policy" || v.Advice == "" {
		t.Errorf("list of a denied entity: %+v", v)
	}
	if v := may.Entities["sites"].Operations["create"]; v.Allowed || v.DeniedBy != "definition" {
		t.Errorf("an operation that the definition has not: %+v", v)
	}
	if v := may.Entities["purchase-orders"].Fields["lines"].Fields["price"]; v.DeniedBy != "policy" {
		t.Errorf("a denied field: %+v", v)
	}
}

// capabilityDocument is what these tests look at in GET /connection/capabilities.
type capabilityDocument struct {
	Entities map[string]struct {
		Operations map[string]verdict
		Fields     map[string]capabilityField
	}
}

type verdict struct {
	Allowed  bool
	DeniedBy string `json:"denied_by"`
	Reason   string
	Advice   string
}

type capabilityField struct {
	DeniedBy string `json:"denied_by"`
	Fields   map[string]capabilityField
}

func (p *plant) capabilities(t *testing.T, c *Client) (document capabilityDocument) {
	t.Helper()
	answer := p.expect(c, http.MethodGet, "/connection/capabilities", nil, 200, nil)
	if err := json.Unmarshal(answer.Body, &document); err != nil {
		t.Fatal(err)
	}
	return document
}

// TestRulesOfOneConnection gives two connections to one system different caps.
func TestRulesOfOneConnection(t *testing.T) {
	w := openWorkshop(t, withAgent("policy:\n  connections:\n    slow:\n      rate: 2/s\n    narrow:\n      concurrency: 1\n      operations: [list]\n"))
	slow, _ := w.connect(w.named("slow"))
	narrow, _ := w.connect(w.named("narrow"))

	t.Run("a flood over the rate is told when to come again", func(t *testing.T) {
		codes := w.flood(t, slow, 16)
		if codes[fault.RateLimitExceeded] == 0 || codes[""] == 0 {
			t.Errorf("16 calls at once at 2/s: %v", codes)
		}
		if codes := w.flood(t, w.client, 16); codes[""] != 16 {
			t.Errorf("16 calls of another connection: %v", codes)
		}
	})
	t.Run("operations that the connection has not", func(t *testing.T) {
		w.refused(narrow, http.MethodGet, "/assets/1", nil, fault.Error{Code: fault.PolicyDenied, Hop: fault.HopPolicy, Scope: fault.ScopeOperation})
		w.expect(w.client, http.MethodGet, "/assets/1", nil, 200, nil)
	})
	t.Run("more calls at once than the plant allows", func(t *testing.T) {
		release := w.hold(t)
		first := make(chan error)
		go func() { _, err := narrow.Do(t.Context(), http.MethodGet, "/assets", nil); first <- err }()
		w.awaitWaiting(t, 1)
		w.refused(narrow, http.MethodGet, "/assets", nil, fault.Error{Code: fault.Overloaded, Hop: fault.HopPolicy, Scope: fault.ScopeConnection})
		release()
		if err := <-first; err != nil {
			t.Error(err)
		}
	})
	t.Run("a right that the login was seen to lack shows as the probe's no, until it has it", func(t *testing.T) {
		w.refused(w.client, http.MethodGet, "/vendors", nil, fault.Error{Code: fault.PermissionDenied, Hop: fault.HopSystem, Scope: fault.ScopeEntity})
		if v := w.capabilities(t, w.client).Entities["vendors"].Operations["list"]; v.Allowed || v.DeniedBy != "probe" || v.Advice == "" {
			t.Errorf("list without the right to SELECT: %+v", v)
		}
		w.base.Run(t, "GRANT SELECT ON secret TO "+w.login.Settings["username"].(string))
		w.expect(w.client, http.MethodGet, "/vendors", nil, 200, nil)
		if v := w.capabilities(t, w.client).Entities["vendors"].Operations["list"]; !v.Allowed {
			t.Errorf("list with the right to SELECT: %+v", v)
		}
	})
}

// flood makes n calls at once and counts their codes; the empty one is success.
func (p *plant) flood(t *testing.T, c *Client, n int) map[fault.Code]int {
	t.Helper()
	codes, mu, calls := map[fault.Code]int{}, sync.Mutex{}, sync.WaitGroup{}
	for range n {
		calls.Go(func() {
			answer, err := c.Do(t.Context(), http.MethodGet, "/assets?limit=1", nil)
			if err != nil {
				t.Error(err)
				return
			}
			var code fault.Code
			if problem := answer.Problem(); problem != nil {
				code = problem.Code
			}
			mu.Lock()
			defer mu.Unlock()
			codes[code]++
		})
	}
	calls.Wait()
	return codes
}
