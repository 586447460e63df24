package house

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"gantry/connectors/seal"
)

// open asks for something of the dashboard that comes piece by piece.
func (b *browser) open(method, path, accept string, form url.Values, headers ...Header) *http.Response {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Accept", accept)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, h := range headers {
		r.Header.Set(h[0], h[1])
	}
	answer, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = answer.Body.Close() })
	if kind := answer.Header.Get("Content-Type"); answer.StatusCode != http.StatusOK || !strings.HasPrefix(kind, accept) {
		b.t.Fatalf("%s: %s, %s", path, answer.Status, kind)
	}
	return answer
}

// row is an event of a page's stream.
type row struct{ id, event, data string }

// rows reads events until one comes that ends it.
func rows(t *testing.T, lines *bufio.Scanner) row {
	t.Helper()
	var r row
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		switch value = strings.TrimPrefix(value, " "); name {
		case "id":
			r.id = value
		case "event":
			r.event = value
		case "data":
			r.data += value
		case "":
			if r.event != "" {
				return r
			}
		}
	}
	t.Fatalf("the stream ended: %v", lines.Err())
	return r
}

// ofConnection reads a row of the log that is not about the agent: that one has connected is told some time before or after the
// connection is made.
func ofConnection(t *testing.T, lines *bufio.Scanner) row {
	t.Helper()
	r := rows(t, lines)
	for strings.Contains(r.data, "agent.connected") {
		r = rows(t, lines)
	}
	return r
}

// TestDashboardEventsLive follows a page's events over a pause and a lost line, until somebody signs out everywhere.
func TestDashboardEventsLive(t *testing.T) {
	d := connected(t)
	b, other := newBrowser(t, d.plant), newBrowser(t, d.plant)
	for _, who := range []*browser{b, other} {
		who.post("/sign-in", url.Values{"key": {d.admin.Token}}, http.StatusOK)
	}
	here := "/connections/" + d.id
	stream := bufio.NewScanner(b.open(http.MethodGet, here+"/events/stream", "text/event-stream", nil).Body)
	first := ofConnection(t, stream)
	if first.event != "row" || !strings.HasPrefix(first.data, "<tr") || !strings.Contains(first.data, "was made by the key") {
		t.Fatalf("the first event is %+v", first)
	}
	d.must(http.MethodPost, here+"/pause", nil, 200, nil)
	paused := ofConnection(t, stream)
	if !strings.Contains(paused.data, "connection.paused") {
		t.Errorf("a pause comes as %+v", paused)
	}
	again := b.open(http.MethodGet, here+"/events/stream", "text/event-stream", nil, Header{"Last-Event-ID", first.id})
	if next := ofConnection(t, bufio.NewScanner(again.Body)); next.id != paused.id {
		t.Errorf("a browser that comes back gets %+v, want %s", next, paused.id)
	}
	part := b.part(here, "now")
	if b.shows(part, "paused", "aria-live"); strings.Contains(part, "<html") {
		t.Error("a part of a page is a whole one")
	}
	b.shows(other.post("/sign-out/everywhere", nil, http.StatusOK), "Organisation key")
	for last := (row{}); last.event != "end"; {
		last = rows(t, stream)
	}
	b.shows(b.get(here, http.StatusOK), "Organisation key")
	b.shows(b.post("/sign-in", url.Values{"key": {d.admin.Token}}, http.StatusOK), "plant")
	if got := d.audited("key.sign_out"); got != "OK" {
		t.Errorf("the audit says %q", got)
	}
}

// part asks for a part of a page alone.
func (b *browser) part(path, name string) string {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.url+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Gantry-Part", name)
	answer, err := b.http.Do(r)
	return b.read(answer, err, path, http.StatusOK)
}

// TestDashboardShowsSteps watches a login that the policy refuses, one that works, and an agent's doctor without consent.
func TestDashboardShowsSteps(t *testing.T) {
	t.Parallel()
	d := connected(t)
	b := newBrowser(t, d.plant)
	b.post("/sign-in", url.Values{"key": {d.admin.Token}}, http.StatusOK)
	steps, end := b.watched("/connect", b.login(d, "/nowhere/plant.db"))
	b.shows(steps["hop-tunnel"], "✓", "Tunnel to the plant")
	b.shows(steps["hop-policy"], "✕", "For the plant&#39;s IT", "gantry-agent policy allow path")
	b.shows(end, "POLICY_DENIED", "Nothing was kept")
	steps, end = b.watched("/connect", b.login(d, d.login.Settings["path"].(string)))
	b.shows(steps["hop-login"], "✓")
	b.shows(end, "second is connected", "gct_", "curl")
	steps, end = b.watched("/connections/"+d.id+"/diagnose", nil)
	b.shows(steps["hop-read-vendors"], "✓", "Read vendors")
	b.shows(end, "The whole way is in order")
	agent := b.login(d, "").Get("agent")
	_, end = b.watched("/sites/"+d.site+"/agents/"+agent+"/diagnose", nil)
	b.shows(end, "Ask the plant", "gantry-agent support on --for 4h")
	b.shows(b.part("/sites/"+d.site, "agents"), "has arrived", "127.0.0.1")
}

// watched submits a form, and gives the steps that were told and the end.
func (b *browser) watched(path string, form url.Values) (steps map[string]string, end string) {
	b.t.Helper()
	answer := b.open(http.MethodPost, path, "application/x-ndjson", form)
	steps = map[string]string{}
	for lines := json.NewDecoder(answer.Body); lines.More(); {
		var line struct{ ID, HTML, End string }
		if err := lines.Decode(&line); err != nil {
			b.t.Fatal(err)
		}
		if line.ID != "" {
			steps[line.ID] = line.HTML
		}
		end = line.End
	}
	return steps, end
}

// TestDashboardWithAnotherKey serves a page whose key is not the agent's, as whoever stands on the way would: the browser's
// own script shows a fingerprint that the agent does not print, and the agent opens nothing that was sealed so.
func TestDashboardWithAnotherKey(t *testing.T) {
	t.Parallel()
	d := connected(t)
	b := newBrowser(t, d.plant)
	b.post("/sign-in", url.Values{"key": {d.admin.Token}}, http.StatusOK)
	page := b.get("/connect/demo-plant?site="+d.site, http.StatusOK)
	served := regexp.MustCompile(`data-key="([^"]+)"`)
	stranger, err := seal.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	forged := served.ReplaceAllString(page, `data-key="`+stranger.Public().String()+`"`)
	prints := run(t, "gantry-agent", "status", "--config", d.path("agent.yaml"))
	if own := shownFingerprint(t, served.FindStringSubmatch(page)[1]); !strings.Contains(prints, own) {
		t.Errorf("the browser shows %q, and the agent prints\n%s", own, prints)
	}
	shown := shownFingerprint(t, served.FindStringSubmatch(forged)[1])
	if shown != stranger.Public().Fingerprint() || strings.Contains(prints, shown) {
		t.Errorf("for another key the browser shows %q, and the agent prints\n%s", shown, prints)
	}
}

// shownFingerprint runs what the page's script makes of a key.
func shownFingerprint(t *testing.T, key string) string {
	t.Helper()
	script := `import {fingerprint} from "../relay/dashboard/static/seal.mjs"; console.log(await fingerprint(process.argv[1]));`
	out, err := exec.Command("node", "--input-type=module", "-e", script, key).CombinedOutput()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}
