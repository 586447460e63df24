package house

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"gantry/agent"
	"gantry/configs"
	"gantry/connectors/catalogue"
	"gantry/connectors/definition"
	"gantry/tunnel/fault"
)

// TestEnrolmentTokens shows bad tokens to the command line: each has a message of its own, an exit code, and leaves nothing.
func TestEnrolmentTokens(t *testing.T) {
	p := open(t)
	good := p.enrolmentToken(t, 3600)
	used := p.enrolmentToken(t, 3600)
	if code, said := p.enrolAs(t, "first", used); code != 0 {
		t.Fatalf("a good token: exit %d: %s", code, said)
	}
	middle := len(good) / 2
	mistyped := good[:middle] + map[bool]string{true: "B", false: "A"}[good[middle] == 'A'] + good[middle+1:]
	messages := map[string]string{}
	for name, bad := range map[string]struct {
		token string
		exit  int
		says  string
	}{
		"one that was used":          {used, 7, "used already"},
		"one that is cut":            {good[:len(good)-9], 2, "cut short"},
		"one with a wrong character": {mistyped, 2, "mistyped"},
		"another kind of token":      {p.admin.Token, 2, "not an enrolment token"},
	} {
		t.Run(name, func(t *testing.T) {
			code, said := p.enrolAs(t, "second", bad.token)
			if code != bad.exit || !strings.Contains(said, bad.says) {
				t.Errorf("exit %d, want %d, and %q in:\n%s", code, bad.exit, bad.says, said)
			}
			if before, twice := messages[said]; twice {
				t.Errorf("it says the same as %s", before)
			}
			messages[said] = name
			if strings.Contains(said, bad.token) {
				t.Error("the message repeats the token")
			}
		})
	}
	t.Run("one that is good still works after the bad", func(t *testing.T) {
		if code, said := p.enrolAs(t, "second", good); code != 0 {
			t.Errorf("exit %d: %s", code, said)
		}
	})
}

// enrolmentToken makes one more token for the site; life in seconds.
func (p *plant) enrolmentToken(t *testing.T, life int) string {
	t.Helper()
	var made struct {
		Token string `json:"enrolment_token"`
	}
	p.must(http.MethodPost, "/sites/"+p.site+"/enrolment-tokens", map[string]int{"ttl": life}, 201, &made)
	return made.Token
}

// enrolAs enrols an agent with a folder of its own and gives the exit code and what was said.
func (p *plant) enrolAs(t *testing.T, name, token string) (int, string) {
	t.Helper()
	p.write(name+".yaml", "state_dir: "+p.path(name)+"\n")
	command := exec.CommandContext(t.Context(), program(t, "gantry-agent"), "enroll", "--token-file", "-", "--config", p.path(name+".yaml"))
	command.Stdin = strings.NewReader(token)
	out, err := command.CombinedOutput()
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		t.Fatal(err)
	}
	return command.ProcessState.ExitCode(), string(out)
}

// agentStatus is what `gantry-agent status --json` says; the command's exit code differs by state and is not looked at.
func (p *plant) agentStatus(t *testing.T) (status struct {
	State    string
	Sessions []struct {
		State   string
		Refusal string
	}
}) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program(t, "gantry-agent"), "status", "--json", "--config", p.path("agent.yaml")).Output()
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &status); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return status
}

// isRefused waits until the agent's status names the reason.
func (p *plant) isRefused(t *testing.T, reason string) time.Duration {
	t.Helper()
	return eventually(t, 30*time.Second, "the agent is refused as "+reason, func() error {
		status := p.agentStatus(t)
		for _, session := range status.Sessions {
			if status.State == "refused" && session.Refusal == reason {
				return nil
			}
		}
		return fmt.Errorf("%+v", status)
	})
}

// TestARevokedAgentStaysOut deletes an agent in the middle of its work.
func TestARevokedAgentStaysOut(t *testing.T) {
	t.Parallel()
	d := connected(t)
	var site struct{ Agents []struct{ ID string } }
	d.must(http.MethodGet, "/sites/"+d.site, nil, 200, &site)
	begin := time.Now()
	d.expect(d.admin, http.MethodDelete, "/sites/"+d.site+"/agents/"+site.Agents[0].ID, nil, 204, nil)
	answer, err := d.client.Do(t.Context(), http.MethodGet, "/vendors", nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer.Status < 400 {
		t.Errorf("a call right after the revocation: %d", answer.Status)
	}
	t.Logf("refused %s after the call, told by %s", time.Since(begin).Round(time.Millisecond), answer.Problem().Code)
	d.isRefused(t, "revoked")
	if log := string(read(t, d.path("agent.log"))); !strings.Contains(log, "revoked") {
		t.Error("the agent's log does not say why")
	}
	t.Run("also after its restart", func(t *testing.T) {
		d.agent.stop()
		d.startAgent()
		d.isRefused(t, "revoked")
	})
}

// TestACopiedIdentityIsRefused starts a copy of the agent's state as another machine.
func TestACopiedIdentityIsRefused(t *testing.T) {
	t.Parallel()
	p := open(t)
	p.agent.stop() // a folder is copied whole only while nobody writes to it
	if out, err := exec.CommandContext(t.Context(), "cp", "-a", p.path("agent"), p.path("copy")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p.startAgent()
	p.awaitAgent("connected")
	p.write("copy.yaml", "state_dir: "+p.path("copy")+"\n")
	config, err := configs.LoadAgent(p.path("copy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	definitions, err := definition.Load(catalogue.FS)
	if err != nil {
		t.Fatal(err)
	}
	var log lockedBuffer
	stranger, err := agent.New(config, agent.Options{MachineID: "another machine", Definitions: definitions, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- stranger.Run(ctx) }()
	eventually(t, 30*time.Second, "the copy is refused", func() error {
		select {
		case err := <-ended:
			t.Fatalf("the copy ended by itself: %v", err)
		default:
		}
		if !strings.Contains(log.String(), "identity_in_use") {
			return errors.New("its log says: " + log.String())
		}
		return nil
	})
	if state, err := p.agentState(); err != nil || state != "connected" {
		t.Errorf("the agent itself is %s: %v", state, err)
	}
	if !bytes.Contains(read(t, p.path("relay.log")), []byte("identity_in_use")) {
		t.Error("the relay raises no event")
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu      sync.Mutex
	content bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.content.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.content.String()
}

// TestStopsLoseNoCall stops relay and agent gracefully while eight writers write. A call is answered, or it was never
// taken: the relay's port is closed, or was closed while the connection still stood in the kernel's line, or the answer
// says `not_sent`. Nothing is unknown, and nothing exists twice: what was done is what was answered, to the record.
func TestStopsLoseNoCall(t *testing.T) {
	d := connected(t, withRelay("limits: {rate_per_token: 5000, burst_per_token: 5000}\n"))
	before := count(t, d.database, "SELECT count(*) FROM SVCREQ")
	s := &senders{d: d}
	s.start(8)
	for range 2 {
		time.Sleep(500 * time.Millisecond)
		took := d.relay.stop()
		d.startRelay()
		back := d.awaitAgent("connected")
		t.Logf("the relay stopped in %s, the agent was back %s after its start", took.Round(time.Millisecond), back.Round(time.Millisecond))
		time.Sleep(500 * time.Millisecond)
		took = d.agent.stop()
		d.startAgent()
		back = d.awaitAgent("connected")
		t.Logf("the agent stopped in %s, and was back after %s", took.Round(time.Millisecond), back.Round(time.Millisecond))
	}
	time.Sleep(500 * time.Millisecond)
	s.stop()
	made := count(t, d.database, "SELECT count(*) FROM SVCREQ") - before
	t.Logf("%d calls: %d done, %d records, %d not sent, %d met a closed port", s.calls.Load(), s.done.Load(), made, s.notSent.Load(), s.closed.Load())
	if int64(made) != s.done.Load() || made == 0 {
		t.Errorf("%d calls succeeded, %d records were made", s.done.Load(), made)
	}
}

// senders create records without a second try, each call with a key of its own.
type senders struct {
	d                            *demoPlant
	running                      sync.WaitGroup
	ending                       atomic.Bool
	calls, done, notSent, closed atomic.Int64
}

func (s *senders) start(n int) {
	for i := range n {
		s.running.Go(func() {
			for j := 0; !s.ending.Load(); j++ {
				if !s.send(fmt.Sprintf("sender-%d-%d", i, j)) {
					time.Sleep(50 * time.Millisecond)
				}
			}
		})
	}
}

func (s *senders) stop() {
	s.ending.Store(true)
	s.running.Wait()
}

// send makes one call and judges how it ended.
func (s *senders) send(key string) (done bool) {
	s.calls.Add(1)
	body := map[string]any{"title": "Noise " + key, "asset_id": "9"}
	answer, err := s.d.client.Do(s.d.t.Context(), http.MethodPost, "/service-requests", body, Header{"Idempotency-Key", key})
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF):
		s.closed.Add(1)
	case err != nil:
		s.d.t.Errorf("%s was lost: %v", key, err)
	case answer.Status == http.StatusCreated:
		s.done.Add(1)
		return true
	case answer.Problem().Outcome == fault.NotSent:
		s.notSent.Add(1)
	default:
		s.d.t.Errorf("%s: %d %s", key, answer.Status, answer.Body)
	}
	return false
}
