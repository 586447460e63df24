package house

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gantry/agent/state"
	"gantry/tunnel/check"
	"gantry/tunnel/fault"
)

// TestLifeOfAConnection lives one through: paused and resumed, relinked, disconnected while its agent is away, reconnected.
func TestLifeOfAConnection(t *testing.T) {
	t.Parallel()
	w := openWorkshop(t)
	path := "/connections/" + w.id
	sessions := func() int {
		return count(t, w.server.Admin(), "SELECT count(*) FROM pg_stat_activity WHERE usename = $1", w.login.Settings["username"])
	}
	reads := func(c *Client) {
		t.Helper()
		w.expect(c, http.MethodGet, "/assets/1", nil, 200, nil)
	}
	paused := fault.Error{Code: fault.ConnectionPaused, Hop: fault.HopRelay, Scope: fault.ScopeConnection}

	reads(w.client)
	if sessions() == 0 {
		t.Fatal("the agent has no session at the database: this test looks for its end")
	}
	w.must(http.MethodPost, path+"/pause", nil, 200, nil)
	w.refused(w.client, http.MethodGet, "/assets/1", nil, paused)
	eventually(t, 10*time.Second, "a paused connection has no session", func() error {
		if n := sessions(); n > 0 {
			return fmt.Errorf("it has %d", n)
		}
		return nil
	})

	var held struct{ Connections []struct{ ID, State string } }
	w.agentCommand(t, &held, "connections", "list")
	if len(held.Connections) != 1 || held.Connections[0].State != "paused" {
		t.Errorf("the agent shows %+v", held)
	}
	var report check.Report
	w.agentCommand(t, &report, "connections", "check", "erp")
	for _, r := range report.Results {
		if r.Connection == w.id && r.Status != check.Skipped && !strings.HasSuffix(r.Check, ".calls") {
			t.Errorf("the doctor looks at a paused connection: %+v", r)
		}
	}
	if n := sessions(); n > 0 {
		t.Errorf("a paused connection has %d sessions after the doctor", n)
	}

	// While it is paused its password changes. A wrong login changes nothing, the right one is taken and not used yet.
	if _, err := w.server.Admin().ExecContext(t.Context(), fmt.Sprintf("ALTER ROLE %s PASSWORD 'second'", w.login.Settings["username"])); err != nil {
		t.Fatal(err)
	}
	refusal := fault.Error{Code: fault.CredentialsExpired, Hop: fault.HopSystem, Scope: fault.ScopeConnection, Outcome: fault.Rejected}
	with := func(password string) map[string]any {
		return map[string]any{"credentials": map[string]string{"password": password}}
	}
	w.refused(w.admin, http.MethodPut, path+"/credentials", with("third"), refusal)
	w.must(http.MethodPut, path+"/credentials", with("second"), 200, nil)
	w.refused(w.client, http.MethodGet, "/assets/1", nil, paused)
	w.must(http.MethodPost, path+"/resume", nil, 200, nil)
	reads(w.client)
	w.refused(w.admin, http.MethodPut, path+"/credentials", with("third"), refusal)
	reads(w.client)

	sealed := map[string]any{"sealed_credentials": w.seal(t, w.place(t, w.login.Settings), "second")}
	w.must(http.MethodPut, path+"/credentials", sealed, 200, nil)
	reads(w.client)

	w.expectKinds(t, w.id, "created", "paused", "relinked", "resumed", "relinked")
	w.byTheOwner(t)
	w.expect(w.admin, http.MethodPut, "/syncs/assets", map[string]string{"every": "1h"}, 200, nil, w.keyed())
	eventually(t, 30*time.Second, "the records are synced", func() error { return w.hasRecords(20) })
	w.endWhileAway(t, path)
	if err := w.hasRecords(20); err != nil {
		t.Errorf("the records of a disconnected connection: %v", err)
	}
	w.must(http.MethodDelete, path+"/records", nil, 204, nil)
	w.refused(w.admin, http.MethodGet, "/records/assets", nil, placed(want(fault.NotFound, ""), fault.HopClient, fault.ScopeEntity), w.keyed())
	var again struct {
		Connection struct{ ID string }
		Token      string
	}
	w.must(http.MethodPost, path+"/reconnect", with("second"), 201, &again)
	if again.Connection.ID == w.id || again.Token == w.client.Token {
		t.Errorf("the new connection is the old one: %+v", again)
	}
	reads(&Client{URL: w.url, Token: again.Token, HTTP: w.http})
	w.refused(w.client, http.MethodGet, "/assets/1", nil, want(fault.ConnectionDisconnected, ""))
	w.expectKinds(t, w.id, "created", "paused", "relinked", "resumed", "relinked", "paused", "resumed", "relinked", "token_replaced", "disconnected")
	w.expectKinds(t, again.Connection.ID, "created")
}

// agentCommand runs a command of the agent, and decodes what it answers.
func (p *plant) agentCommand(t *testing.T, into any, args ...string) {
	t.Helper()
	out := run(t, "gantry-agent", append(args, "--config", p.path("agent.yaml"), "--json")...)
	if err := json.Unmarshal([]byte(out), into); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

// keyed names the connection for the organisation's key.
func (w *workshop) keyed() Header { return Header{"Gantry-Connection", w.id} }

// hasRecords expects so many synced assets, as the organisation's key reads them.
func (w *workshop) hasRecords(n int) error {
	answer, err := w.admin.Do(w.t.Context(), http.MethodGet, "/records/assets", nil, w.keyed())
	if err != nil {
		return err
	}
	var page Page
	if err := answer.JSON(&page); err != nil {
		return err
	}
	if len(page.Data) != n {
		return fmt.Errorf("%d records: %s", len(page.Data), answer.Body)
	}
	return nil
}

// byTheOwner does the same as whoever owns the relay, on the command line.
func (w *workshop) byTheOwner(t *testing.T) {
	t.Helper()
	var shown struct {
		Connection struct{ ID, State string }
		Token      string
	}
	w.relayCommand(&shown, "connections", "pause", "erp")
	if shown.Connection.ID != w.id || shown.Connection.State != "paused" {
		t.Errorf("paused: %+v", shown)
	}
	w.relayCommand(&shown, "connections", "resume", w.id)
	w.write("login.json", `{"credentials":{"password":"second"}}`)
	w.relayCommand(&shown, "connections", "relink", "erp", "--login", w.path("login.json"))
	w.relayCommand(&shown, "connections", "token", "erp", "--yes")
	w.refused(w.client, http.MethodGet, "/assets/1", nil, want(fault.TokenRevoked, ""))
	w.client.Token = shown.Token
	w.expect(w.client, http.MethodGet, "/assets/1", nil, 200, nil)
}

// expectKinds checks what the events tell of a connection's life.
func (w *workshop) expectKinds(t *testing.T, id string, want ...string) {
	t.Helper()
	var page struct{ Data []struct{ Kind string } }
	w.must(http.MethodGet, "/connections/"+id+"/events?kind=connection", nil, 200, &page)
	var kinds []string
	for _, e := range page.Data {
		if kind := strings.TrimPrefix(e.Kind, "connection."); kind != "state_changed" && kind != "reauth_required" {
			kinds = append(kinds, kind)
		}
	}
	if !slices.Equal(kinds, want) {
		t.Errorf("events tell %v, want %v", kinds, want)
	}
}

// endWhileAway disconnects while the agent does not run. When it comes back it has erased the login before it takes calls:
// neither what it was sealed into nor its user's name stands in its files.
func (w *workshop) endWhileAway(t *testing.T, path string) {
	t.Helper()
	w.agent.stop()
	w.awaitAgent("offline")
	db, err := state.Open(t.Context(), w.path("agent"))
	if err != nil {
		t.Fatal(err)
	}
	row, err := db.Connection(t.Context(), w.id)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	secrets := [][]byte{row.Credentials, []byte(w.login.Settings["username"].(string))}
	if !stands(t, w.path("agent"), secrets[0]) || !stands(t, w.path("agent"), secrets[1]) {
		t.Fatal("the login is not where this test looks for it")
	}
	w.must(http.MethodPost, path+"/disconnect", nil, 200, nil)
	var credits struct{ Used int }
	if w.must(http.MethodGet, "/credits", nil, 200, &credits); credits.Used != 0 {
		t.Errorf("%d credits are used", credits.Used)
	}
	w.startAgent()
	w.awaitAgent("connected")
	for _, secret := range secrets {
		if stands(t, w.path("agent"), secret) {
			t.Errorf("%d bytes of the login still stand in the agent's files", len(secret))
		}
	}
}

// stands reports whether an agent's database holds the bytes, in whatever file of it.
func stands(t *testing.T, folder string, secret []byte) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, state.File+"*"))
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		if content, err := os.ReadFile(file); err == nil && bytes.Contains(content, secret) {
			return true
		}
	}
	return false
}
