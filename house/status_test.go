package house

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"gantry/connectors/wire"
	"gantry/relay/status"
	"gantry/tunnel/fault"
)

// status asks how a connection is.
func (p *plant) status(id string) status.ConnectionStatus {
	p.t.Helper()
	var s status.ConnectionStatus
	p.must(http.MethodGet, "/connections/"+id+"/status", nil, 200, &s)
	return s
}

// becomes waits for a state, and gives the status that shows it.
func (p *plant) becomes(id string, state status.State, within time.Duration) (s status.ConnectionStatus) {
	p.t.Helper()
	took := eventually(p.t, within, fmt.Sprint("the connection is ", state), func() error {
		if s = p.status(id); s.State != state {
			return fmt.Errorf("it is %s: %s", s.State, s.Message)
		}
		return nil
	})
	p.t.Logf("%s after %s: %s", state, took.Round(10*time.Millisecond), s.Message)
	return s
}

// happened is an event as the command line shows it.
type happened struct {
	Kind, Code, Entity, Operation, Message string
	RequestID                              string `json:"request_id"`
	Data                                   struct{ From, To string }
}

// events are the newest ones of a connection.
func (p *plant) events(id string, args ...string) []happened {
	p.t.Helper()
	var all struct{ Data []happened }
	p.relayCommand(&all, append([]string{"connections", "events", id}, args...)...)
	return all.Data
}

// awaitEvent waits for one.
func (p *plant) awaitEvent(what string, is func(happened) bool, id string, args ...string) {
	p.t.Helper()
	eventually(p.t, 10*time.Second, "the event of "+what, func() error {
		all := p.events(id, args...)
		if slices.ContainsFunc(all, is) {
			return nil
		}
		return fmt.Errorf("there are %+v", all)
	})
}

func moved(from, to status.State) func(happened) bool {
	return func(e happened) bool { return e.Data.From == string(from) && e.Data.To == string(to) }
}

// TestStatusOfAConnection lives through what can happen to one: a right is lost, the password changes, the agent freezes.
// Each shows in the status within seconds, as the evidence has it, and among the events.
func TestStatusOfAConnection(t *testing.T) {
	t.Parallel()
	w := openWorkshop(t)
	role := w.login.Settings["username"]
	run := func(db *sql.DB, statement string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), fmt.Sprintf(statement, role)); err != nil {
			t.Fatal(err)
		}
	}
	reads := func(status int) (request string) {
		t.Helper()
		return w.expect(w.client, http.MethodGet, "/assets?limit=1", nil, status, nil).Header.Get("Request-Id")
	}
	reads(200)
	eventually(t, 5*time.Second, "that it works is known", func() error {
		if s := w.status(w.id); s.State != status.Active || s.Message != "Everything works." || s.System.State != wire.SystemReachable {
			return fmt.Errorf("%+v", s)
		}
		return nil
	})

	run(w.base.DB, "REVOKE SELECT ON machine FROM %s")
	request := reads(403)
	s := w.becomes(w.id, status.Degraded, 5*time.Second)
	cell := s.Entities["assets"]["list"]
	if cell.State != wire.OperationDenied || cell.LastError == nil || cell.LastError.Code != "PERMISSION_DENIED" || cell.LastError.RequestID == nil || *cell.LastError.RequestID != request {
		t.Errorf("the evidence of %s is %+v", request, cell)
	}
	if !strings.HasPrefix(s.Message, "Reading assets fails since ") {
		t.Errorf("the sentence: %s", s.Message)
	}
	w.awaitEvent("the call", func(e happened) bool {
		return e.Kind == "call.failed" && e.Code == "PERMISSION_DENIED" && e.RequestID == request
	}, w.id, "--request", request)
	w.awaitEvent("the state", moved(status.Active, status.Degraded), w.id, "--kind", "connection")
	for _, log := range []string{"relay.log", "agent.log"} {
		if content, err := os.ReadFile(w.path(log)); err != nil || !strings.Contains(string(content), request) {
			t.Errorf("%s does not know the request %s", log, request)
		}
	}
	run(w.base.DB, "GRANT SELECT ON machine TO %s")
	reads(200)
	w.becomes(w.id, status.Active, 5*time.Second)

	run(w.server.Admin(), "ALTER ROLE %s PASSWORD 'second'")
	run(w.server.Admin(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '%s'")
	eventually(t, 10*time.Second, "the login is refused", func() error {
		answer, err := w.client.Do(t.Context(), http.MethodGet, "/assets?limit=1", nil)
		if err == nil && answer.Status != 424 {
			err = fmt.Errorf("it answers %d", answer.Status)
		}
		return err
	})
	if s := w.becomes(w.id, status.ReauthRequired, 5*time.Second); !s.ReauthRequired || s.Affects != status.Everything {
		t.Errorf("refused: %+v", s)
	}
	w.awaitEvent("the login", func(e happened) bool { return e.Kind == "connection.reauth_required" }, w.id)
	w.must(http.MethodPut, "/connections/"+w.id+"/credentials", map[string]any{"credentials": map[string]string{"password": "second"}}, 200, nil)
	reads(200)
	w.becomes(w.id, status.Active, 5*time.Second)
	w.must(http.MethodPost, "/connections/"+w.id+"/circuits/reset", nil, 204, nil)

	w.onTheCommandLine(t)
	w.remembers(t)
	w.freezes(t)
}

func (w *workshop) onTheCommandLine(t *testing.T) {
	var all struct {
		Data []struct{ ID, Name, State string }
	}
	w.relayCommand(&all, "connections", "list", "--state", "active", "--site", "Plant North")
	if len(all.Data) != 1 || all.Data[0].ID != w.id || all.Data[0].Name != "erp" {
		t.Errorf("listed: %+v", all)
	}
	said := run(t, "gantry-relay", "connections", "status", "erp", "-v", "--config", w.path("relay.yaml"))
	if !strings.HasPrefix(said, "Everything works.") || !strings.Contains(said, "assets") || !strings.Contains(said, "active since") {
		t.Errorf("status says\n%s", said)
	}
	var s struct {
		Connection struct{ ID string }
		status.ConnectionStatus
	}
	w.relayCommand(&s, "connections", "status", w.id)
	if s.Connection.ID != w.id || s.State != status.Active || s.Entities["assets"]["list"].State != wire.OperationWorking {
		t.Errorf("status --json: %+v", s)
	}
	diagnose := func(args ...string) string {
		out, err := exec.Command(program(t, "gantry-relay"), append([]string{"connections", "diagnose", "erp", "--config", w.path("relay.yaml")}, args...)...).Output()
		if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 1 { // the workshop's vendors and items are broken
			t.Errorf("diagnose: %v", err)
		}
		return string(out)
	}
	if text := diagnose(); !strings.Contains(text, "tunnel") || !strings.Contains(text, "read vendors") {
		t.Errorf("diagnose says\n%s", text)
	}
	t.Logf("%s\n%s\n%s", said, diagnose(), run(t, "gantry-relay", "connections", "events", "erp", "--config", w.path("relay.yaml")))
	w.followsOnTheCommandLine(t)
	var d struct {
		BrokenAt string `json:"broken_at"`
		Hops     []struct{ Hop string }
	}
	if err := json.Unmarshal([]byte(diagnose("--json")), &d); err != nil || d.BrokenAt != "read" || len(d.Hops) < 8 {
		t.Errorf("diagnose --json: %+v, %v", d, err)
	}
}

// followsOnTheCommandLine sees a failed call come.
func (w *workshop) followsOnTheCommandLine(t *testing.T) {
	follower := start(t, w.path("events.out"), program(t, "gantry-relay"),
		[]string{"connections", "events", "erp", "-f", "-n", "1", "--kind", "call", "--json", "--config", w.path("relay.yaml")})
	shows := func(what, text string) {
		t.Helper()
		eventually(t, 20*time.Second, what, func() error {
			content, err := os.ReadFile(w.path("events.out"))
			if err == nil && !strings.Contains(string(content), text) {
				err = fmt.Errorf("it says\n%s", content)
			}
			return err
		})
	}
	shows("the last event is shown", "CREDENTIALS_EXPIRED")
	request := w.expect(w.client, http.MethodGet, "/assets/999", nil, 404, nil).Header.Get("Request-Id")
	shows("a new event is shown", `"request_id":"`+request+`"`)
	follower.stop()
}

// remembers restarts the relay while the agent is frozen: it knows what it knew, and shows it as no fresher than it is.
func (w *workshop) remembers(t *testing.T) {
	before := w.status(w.id).Entities["assets"]["list"]
	events := len(w.events(w.id, "--kind", "connection.state_changed"))
	freeze, thaw := w.agent.freezing(t)
	freeze()
	w.relay.stop()
	w.startRelay()
	s := w.status(w.id)
	if now := s.Entities["assets"]["list"]; s.State != status.AgentOffline || now.State != before.State || now.CheckedAt == nil || now.CheckedAt.Before(*before.CheckedAt) || time.Since(*now.CheckedAt) < time.Second {
		t.Errorf("before the restart %+v, after it %+v", before, s)
	}
	thaw()
	w.becomes(w.id, status.Active, 60*time.Second)
	if now := w.events(w.id, "--kind", "connection.state_changed"); len(now) != events {
		t.Errorf("a relay that restarts is told as %+v", now[events:])
	}
}

// freezing stops a process without ending it, and lets it go on.
func (d *daemon) freezing(t *testing.T) (freeze, thaw func()) {
	signal := func(s syscall.Signal) func() {
		return func() {
			if err := d.command.Process.Signal(s); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Cleanup(func() { _ = d.command.Process.Signal(syscall.SIGCONT) })
	return signal(syscall.SIGSTOP), signal(syscall.SIGCONT)
}

// freezes stops the agent's process without ending it, as a suspended machine does: its sockets stay.
func (w *workshop) freezes(t *testing.T) {
	freeze, thaw := w.agent.freezing(t)
	freeze()
	s := w.becomes(w.id, status.AgentOffline, 30*time.Second) // the contract's time
	if s.Agent.State != "offline" || s.Entities["assets"]["list"].CheckedAt == nil || s.Affects != status.Everything {
		t.Errorf("frozen: %+v", s)
	}
	w.refused(w.client, http.MethodGet, "/assets/1", nil, fault.Error{Code: fault.AgentOffline, Hop: fault.HopTunnel, Scope: fault.ScopeSite})
	w.awaitEvent("the agent's absence", moved(status.Active, status.AgentOffline), w.id)
	thaw()
	w.becomes(w.id, status.Active, 60*time.Second)
	w.awaitEvent("its return", moved(status.AgentOffline, status.Active), w.id)
}
