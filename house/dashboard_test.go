package house

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"gantry/connectors/seal"
)

// browser is a person at the dashboard, as far as one can be without a window.
type browser struct {
	t    testing.TB
	http *http.Client
	url  string
}

func newBrowser(t testing.TB, p *plant) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, &http.Client{Jar: jar}, p.url}
}

// get gives a page, after redirections.
func (b *browser) get(path string, status int) string {
	b.t.Helper()
	answer, err := b.http.Get(b.url + path)
	return b.read(answer, err, path, status)
}

// post submits a form.
func (b *browser) post(path string, form url.Values, status int) string {
	b.t.Helper()
	answer, err := b.http.PostForm(b.url+path, form)
	return b.read(answer, err, path, status)
}

func (b *browser) read(answer *http.Response, err error, path string, status int) string {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close() //nolint:errcheck // it was only read
	page, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if answer.StatusCode != status {
		b.t.Fatalf("%s: %s\n%s", path, answer.Status, page)
	}
	if csp := answer.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		b.t.Errorf("%s: content security policy %q", path, csp)
	}
	if strings.Contains(string(page), " style=") || strings.Contains(string(page), " onclick=") || len(page) > 100_000 {
		b.t.Errorf("%s: inline style or script, or %d bytes", path, len(page))
	}
	return string(page)
}

func (b *browser) shows(page string, words ...string) {
	b.t.Helper()
	for _, word := range words {
		if !strings.Contains(page, word) {
			b.t.Errorf("the page lacks %q:\n%s", word, page)
		}
	}
}

// TestDashboard goes from the sign-in to a connection's end, by forms alone.
func TestDashboard(t *testing.T) {
	t.Parallel()
	d := connected(t, withRelay("webhooks: {allow_private: [127.0.0.0/8], allow_http: true}\n"))
	b := newBrowser(t, d.plant)
	b.shows(b.get("/", http.StatusOK), "Organisation key")
	b.shows(b.post("/sign-in", url.Values{"key": {"gok_nonsense"}}, http.StatusUnauthorized), "The token is not whole")
	b.shows(b.post("/sign-in", url.Values{"key": {d.client.Token}}, http.StatusUnauthorized), "connection&#39;s token")
	b.shows(b.post("/sign-in", url.Values{"key": {d.admin.Token}}, http.StatusOK), "plant", "Gantry Demo Plant", "active")

	b.shows(b.get("/?q=nothing", http.StatusOK), "No connection is like that")
	b.shows(b.get("/?q=north+demo&order=-name&state=active", http.StatusOK), "Plant North", `aria-sort="descending"`)
	b.shows(b.get("/connect", http.StatusOK), "Gantry Demo Plant", "/connect/demo-plant?site="+d.site)
	b.shows(b.get("/connect/demo-plant?site="+d.site, http.StatusOK), "Database file", "data-key=", "gantry-agent status")
	b.shows(b.post("/connect", b.login(d, "/nowhere/plant.db"), http.StatusForbidden), "Nothing was kept", "POLICY_DENIED", "/nowhere/plant.db")
	b.shows(b.post("/connect", b.login(d, d.login.Settings["path"].(string)), http.StatusOK), "The new token", "gct_")
	b.shows(b.post("/connect", url.Values{"settings": {"{}"}}, http.StatusBadRequest), "was not sealed")

	here := "/connections/" + d.id
	b.shows(b.get(here, http.StatusOK), "What works", "connected", "Disconnect", here+"/events")
	b.shows(b.post(here+"/pause", nil, http.StatusOK), "paused", "Resume")
	b.shows(b.post(here+"/resume", nil, http.StatusOK), "Pause")
	b.shows(b.get("/sites/"+d.site, http.StatusOK), "connected", "Fingerprint of its key", "Diagnose this agent")
	b.shows(b.post("/sites", url.Values{"name": {"Plant South"}}, http.StatusOK), "install --token-file -", "msiexec /i", "get_", "Waiting for the agent")
	b.shows(b.post("/sites", url.Values{"name": {" "}}, http.StatusBadRequest), "INVALID_REQUEST")
	b.shows(b.get("/webhooks", http.StatusOK), "No webhook yet")
	b.shows(b.post("/webhooks", url.Values{"url": {"http://10.0.0.1/hook"}, "events": {"connection.*"}}, http.StatusBadRequest), "INVALID_REQUEST")
	page := b.post("/webhooks", url.Values{"url": {"http://127.0.0.1:9/hook"}, "events": {"connection.*, sync.failed"}}, http.StatusOK)
	b.shows(page, "whsec_", "sync.failed", "Nothing was sent yet")
	b.shows(b.get("/webhooks", http.StatusOK), "http://127.0.0.1:9/hook")
	b.shows(b.post("/keys", url.Values{"name": {"second line"}, "role": {"support"}}, http.StatusOK), "gok_", "second line", "support")
	b.shows(b.get("/credits", http.StatusOK), "available", `aria-sort="descending"`)
	b.shows(b.get("/audit", http.StatusOK), "connections.pause", "sites.create")
	for path, order := range map[string]string{"/sites": "-agents", "/webhooks": "state", "/keys": "role", "/credits": "name", "/audit": "who"} {
		b.shows(b.get(path+"?order="+order, http.StatusOK), "aria-sort=")
	}
	b.shows(b.get("/connections/con_0", http.StatusNotFound), "NOT_FOUND")
	b.shows(b.post(here+"/nothing", nil, http.StatusNotFound), "no such thing")

	b.shows(b.post(here+"/diagnose", nil, http.StatusOK), "The whole way is in order", "Tunnel to the plant", "Read vendors")
	b.shows(b.get(here+"/relink", http.StatusOK), "A new login for plant", "keeps its id", d.login.Settings["path"].(string))
	b.shows(b.post(here+"/relink", b.login(d, "/nowhere/plant.db"), http.StatusForbidden), "POLICY_DENIED", "Nothing was kept")
	b.shows(b.post(here+"/relink", b.login(d, d.login.Settings["path"].(string)), http.StatusOK), "What works")
	b.shows(b.post(here+"/token", nil, http.StatusOK), "The new token", "gct_", "curl", d.url+"/api/v1/")
	b.shows(b.get(here+"/disconnect", http.StatusOK), "This is for ever", "1 comes back", "Syncs")
	b.shows(b.post(here+"/disconnect", url.Values{"name": {"another"}}, http.StatusBadRequest), "nothing was disconnected")
	b.shows(b.post(here+"/disconnect", url.Values{"name": {"plant"}}, http.StatusOK), "disconnected", here+"/reconnect")
	b.shows(b.post(here+"/reconnect", b.login(d, d.login.Settings["path"].(string)), http.StatusOK), "plant is connected", "gct_")
	b.shows(b.post("/sign-out", nil, http.StatusOK), "Organisation key")
	b.shows(b.get(here, http.StatusOK), "Organisation key")
}

// login is what the browser's script makes of the form: the secrets sealed to the agent's key.
func (b *browser) login(d *demoPlant, file string) url.Values {
	b.t.Helper()
	var site struct {
		Organisation string
		Agents       []struct {
			ID         string
			SealingKey struct {
				PublicKey string `json:"public_key"`
			} `json:"sealing_key"`
		}
	}
	d.must(http.MethodGet, "/sites/"+d.site, nil, 200, &site)
	key, err := seal.ParsePublic(site.Agents[0].SealingKey.PublicKey)
	if err != nil {
		b.t.Fatal(err)
	}
	settings, err := json.Marshal(map[string]string{"path": file})
	if err != nil {
		b.t.Fatal(err)
	}
	place := seal.Place{Organisation: site.Organisation, Site: d.site, System: "demo-plant", Settings: settings}
	sealed, err := seal.Seal(key, place, []byte("{}"))
	if err != nil {
		b.t.Fatal(err)
	}
	text, err := json.Marshal(sealed)
	if err != nil {
		b.t.Fatal(err)
	}
	return url.Values{
		"site": {d.site}, "system": {"demo-plant"}, "agent": {site.Agents[0].ID}, "name": {"second"},
		"settings": {string(settings)}, "sealed": {string(text)},
	}
}

// TestDashboardKeepsStrangersOut submits a form from another site, and with a key that may not.
func TestDashboardKeepsStrangersOut(t *testing.T) {
	t.Parallel()
	d := connected(t)
	b := newBrowser(t, d.plant)
	b.post("/sign-in", url.Values{"key": {d.admin.Token}}, http.StatusOK)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.url+"/connections/"+d.id+"/pause", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Origin", "https://evil.example")
	request.Header.Set("Sec-Fetch-Site", "cross-site")
	answer, err := b.http.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close() //nolint:errcheck // it is not read
	if answer.StatusCode != http.StatusForbidden {
		t.Errorf("a form of another site: %s", answer.Status)
	}
	var key struct{ Token string }
	d.must(http.MethodPost, "/keys", map[string]string{"name": "watch", "role": "read"}, 201, &key)
	reader := newBrowser(t, d.plant)
	reader.post("/sign-in", url.Values{"key": {key.Token}}, http.StatusOK)
	reader.shows(reader.post("/connections/"+d.id+"/pause", nil, http.StatusForbidden), "FORBIDDEN")
	if err := d.answers(t.Context()); err != nil {
		t.Errorf("the connection: %v", err)
	}
}
