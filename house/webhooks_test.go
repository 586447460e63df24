package house

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"gantry/tunnel/fault"
)

// receiver is a cloud application that is told what happens. It verifies every message with the library of the Standard
// Webhooks specification.
type receiver struct {
	t   testing.TB
	url string

	mu      sync.Mutex
	secret  string
	failing bool
	got     []message
}

// message is one that was received.
type message struct {
	id      string
	Type    string
	Data    map[string]any
	refused bool // answered with a failure
}

func startReceiver(t testing.TB) *receiver {
	t.Helper()
	r := &receiver{t: t}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.url = server.URL + "/gantry"
	return r
}

// ServeHTTP takes a message, or fails for a while.
func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return // the relay was killed
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	m := message{id: request.Header.Get("webhook-id"), refused: r.failing}
	if verifier, err := standardwebhooks.NewWebhook(r.secret); err != nil {
		r.t.Errorf("secret: %v", err)
	} else if err := verifier.Verify(body, request.Header); err != nil {
		r.t.Errorf("%s: %v", m.id, err)
	}
	if err := json.Unmarshal(body, &m); err != nil {
		r.t.Errorf("%s: %v", body, err)
	}
	r.got = append(r.got, m)
	if r.failing {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

func (r *receiver) fail(failing bool) { r.mu.Lock(); defer r.mu.Unlock(); r.failing = failing }

func (r *receiver) trust(secret string) { r.mu.Lock(); defer r.mu.Unlock(); r.secret = secret }

func (r *receiver) messages() []message { r.mu.Lock(); defer r.mu.Unlock(); return slices.Clone(r.got) }

// await waits for a message of a type that was taken, the n-th of them.
func (r *receiver) await(kind string, n int) (found message) {
	r.t.Helper()
	eventually(r.t, 30*time.Second, fmt.Sprintf("message %d of the type %s", n, kind), func() error {
		left := n
		for _, m := range r.messages() {
			if m.Type == kind && !m.refused {
				if left--; left == 0 {
					found = m
					return nil
				}
			}
		}
		return fmt.Errorf("got %v", r.messages())
	})
	return found
}

// hooked is a webhook as the API shows it.
type hooked struct {
	ID, URL, State, Secret string
	Reason                 string `json:"reason"`
	LastError              string `json:"last_error"`
}

// subscribe makes a webhook that leads to the receiver.
func (p *plant) subscribe(r *receiver, events ...string) hooked {
	p.t.Helper()
	var made hooked
	p.must(http.MethodPost, "/webhooks", map[string]any{"url": r.url, "events": events}, 201, &made)
	r.trust(made.Secret)
	return made
}

// onLoopback lets webhooks lead to the receivers of tests.
const onLoopback = "webhooks: {allow_private: [127.0.0.0/8], allow_http: true}\n"

// TestWebhookTellsOfAnAgent: from an agent that comes to a verified signature, by the secret before a rotation and by the new one.
func TestWebhookTellsOfAnAgent(t *testing.T) {
	p := openRelay(t, withRelay(onLoopback))
	r := startReceiver(t)
	made := p.subscribe(r, "agent.*")
	p.must(http.MethodPost, "/webhooks/"+made.ID+"/test", nil, 202, nil)
	r.await("webhook.test", 1)

	p.enrol()
	p.startAgent()
	connected := r.await("agent.connected", 1)
	if connected.Data["site_id"] != p.site || !strings.HasPrefix(connected.id, "evt_") {
		t.Errorf("got %+v", connected)
	}

	old := made.Secret
	p.must(http.MethodPost, "/webhooks/"+made.ID+"/rotate", nil, 200, &made)
	if made.Secret == old || made.Secret == "" {
		t.Fatal("the secret was not changed")
	}
	p.relayCommand(&struct{}{}, "webhooks", "resend", made.ID, connected.id)
	if again := r.await("agent.connected", 2); again.id != connected.id { // verified with the secret before
		t.Errorf("sent again as %s, wanted %s", again.id, connected.id)
	}
	r.trust(made.Secret)
	p.must(http.MethodPost, "/webhooks/"+made.ID+"/test", nil, 202, nil)
	r.await("webhook.test", 2)

	var page struct {
		Data []struct{ ID, Type, State string }
	}
	p.relayCommand(&page, "webhooks", "deliveries", made.ID)
	if len(page.Data) != 3 || page.Data[0].Type != "webhook.test" || page.Data[2].State != "delivered" {
		t.Errorf("listed are %+v", page.Data)
	}
	var one struct{ Payload struct{ Type string } }
	p.must(http.MethodGet, fmt.Sprintf("/webhooks/%s/deliveries/%s", made.ID, connected.id), nil, 200, &one)
	if one.Payload.Type != "agent.connected" {
		t.Errorf("shown is %+v", one)
	}
	p.must(http.MethodDelete, "/webhooks/"+made.ID, nil, 204, nil)
	p.refused(p.admin, http.MethodGet, "/webhooks/"+made.ID, nil, fault.Error{Code: fault.NotFound, Hop: fault.HopClient, Scope: fault.ScopeRecord})
}

// TestWebhookGoesNowhereInside: private addresses are refused when the webhook is made, and when a name turns out to lead
// to one.
func TestWebhookGoesNowhereInside(t *testing.T) {
	p := openRelay(t)
	for _, url := range []string{"https://127.0.0.1/", "https://[::ffff:10.0.0.1]/", "https://169.254.169.254/latest", "http://93.184.216.34/", "https://localhost:1234/"} {
		problem := p.refused(p.admin, http.MethodPost, "/webhooks", map[string]any{"url": url, "events": []string{"*"}},
			fault.Error{Code: fault.InvalidRequest, Hop: fault.HopClient, Scope: fault.ScopeOperation})
		if len(problem.Fields) != 1 || problem.Fields[0].Name != "url" {
			t.Errorf("%s: %+v", url, problem.Fields)
		}
	}
	problem := p.refused(p.admin, http.MethodPost, "/webhooks", map[string]any{"url": "https://93.184.216.34/", "events": []string{"records"}},
		fault.Error{Code: fault.InvalidRequest, Hop: fault.HopClient, Scope: fault.ScopeOperation})
	if len(problem.Fields) != 1 || problem.Fields[0].Name != "events" {
		t.Errorf("%+v", problem.Fields)
	}
}

// TestWebhookIsCheckedWhenItIsDialled: what was allowed when the webhook was made, and is not any more, is refused by the dialer,
// which is what counts for names that change.
func TestWebhookIsCheckedWhenItIsDialled(t *testing.T) {
	p := openRelay(t, withRelay(onLoopback))
	r := startReceiver(t)
	made := p.subscribe(r, "*")
	p.relay.stop()
	config, err := os.ReadFile(p.path("relay.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	p.write("relay.yaml", strings.ReplaceAll(string(config), onLoopback, "webhooks: {allow_http: true}\n"))
	p.startRelay()
	p.must(http.MethodPost, "/webhooks/"+made.ID+"/test", nil, 202, nil)
	eventually(t, 30*time.Second, "the refusal is told", func() error {
		answer, err := p.admin.Do(context.Background(), http.MethodGet, "/webhooks/"+made.ID, nil)
		if err != nil {
			return err
		}
		var now hooked
		if err := answer.JSON(&now); err != nil || !strings.Contains(now.LastError, "webhooks.allow_private") {
			return fmt.Errorf("%s: %w", answer.Body, err)
		}
		return nil
	})
	if got := r.messages(); len(got) > 0 {
		t.Errorf("it came to %v", got)
	}
}
