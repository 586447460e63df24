//go:build browser

package house

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"gantry/connectors/seal"
	"gantry/house/chromium"
)

// between is a proxy before the relay, which keeps what browsers send and may change what they get.
type between struct {
	*httptest.Server
	mu     sync.Mutex
	sent   bytes.Buffer
	tamper *strings.Replacer // of pages; nil: none
}

func (p *plant) between() *between {
	relay, err := url.Parse(p.url)
	if err != nil {
		p.t.Fatal(err)
	}
	b := &between{}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(relay)
			r.Out.Host = r.In.Host
			r.Out.Header.Del("Accept-Encoding") // what is changed is not packed
		},
		ModifyResponse: b.change,
	}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request, err := httputil.DumpRequest(r, true)
		if err != nil {
			p.t.Error(err)
		}
		b.mu.Lock()
		b.sent.Write(request)
		b.mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	p.t.Cleanup(b.Close)
	return b
}

func (b *between) change(r *http.Response) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tamper == nil || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") {
		return nil
	}
	page, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	changed := b.tamper.Replace(string(page))
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(changed)), int64(len(changed))
	r.Header.Del("Content-Length")
	return nil
}

// TestBrowserSealsCredentials types a password into the page. Nobody on the way can read it, and nothing keeps it.
func TestBrowserSealsCredentials(t *testing.T) {
	w := openWorkshop(t)
	canary := "Can4ry+pass/w?rd&=" + strings.Repeat("y", 8)
	user := w.base.Login(t, "GRANT SELECT ON machine TO %s")
	if _, err := w.server.Admin().ExecContext(t.Context(), "ALTER ROLE "+user.Username+" PASSWORD '"+canary+"'"); err != nil {
		t.Fatal(err)
	}
	proxy := w.between()
	tab := chromium.Open(t)
	p := &person{plant: w.plant, tab: tab, hand: chromium.Mouse{Tab: tab}}
	p.signInAt(proxy.URL)
	tab.Sees("heading", "Connections")
	fill := func(password string) {
		tab.Go(proxy.URL + "/connect/workshop?site=" + w.site)
		p.hand.Type("textbox", "Name of the connection", "from the page")
		for field, name := range map[string]string{"host": "Database server", "database": "Database needed", "username": "User name"} {
			p.hand.Type("textbox", name, user.Settings()[field].(string))
		}
		p.hand.Type("textbox", "Password", password)
		if port, set := user.Settings()["port"]; set {
			tab.Fill("#f-port", port)
		}
		p.hand.Press("button", "Log in and connect")
	}
	fill(canary + "?")
	tab.Says("The database refuses the login", "Nothing was kept")
	fill(canary)
	tab.Sees("heading", "The new token")
	proxy.mu.Lock()
	sent := bytes.Clone(proxy.sent.Bytes())
	proxy.mu.Unlock()
	if !bytes.Contains(sent, []byte("ciphertext")) || !bytes.Contains(sent, []byte(p.admin.Token)) {
		t.Fatalf("the requests were not kept: %d bytes", len(sent))
	}
	w.lacks(canary, map[string][]byte{"the requests": sent})
}

// TestBrowserShowsForeignKey serves the form with a key that is not the agent's: whoever compares sees it.
func TestBrowserShowsForeignKey(t *testing.T) {
	d := connected(t)
	proxy := d.between()
	tab := chromium.Open(t)
	p := &person{plant: d.plant, tab: tab, hand: chromium.Mouse{Tab: tab}}
	p.signInAt(proxy.URL)
	tab.Sees("heading", "Connections")
	form := proxy.URL + "/connect/demo-plant?site=" + d.site
	var status struct {
		Identity struct {
			SealingKey string `json:"sealing_key"`
		}
	}
	d.agentCommand(t, &status, "status")
	printed := status.Identity.SealingKey
	if printed == "" {
		t.Fatal("the agent prints no fingerprint")
	}
	tab.Go(form)
	tab.Says(printed)

	stranger, err := seal.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	var site struct {
		Agents []struct {
			SealingKey struct {
				PublicKey string `json:"public_key"`
			} `json:"sealing_key"`
		}
	}
	d.must(http.MethodGet, "/sites/"+d.site, nil, 200, &site)
	key, err := seal.ParsePublic(site.Agents[0].SealingKey.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	foreign := stranger.Public()
	for name, also := range map[string][]string{"the key": nil, "the key and what is said of it": {key.Fingerprint(), foreign.Fingerprint()}} {
		proxy.mu.Lock()
		proxy.tamper = strings.NewReplacer(append(also, key.String(), foreign.String(), key.ID(), foreign.ID())...)
		proxy.mu.Unlock()
		tab.Go(form)
		tab.Says(foreign.Fingerprint())
		if strings.Contains(tab.Text(), printed) {
			t.Errorf("%s changed: the page still shows what the agent prints", name)
		}
		if also == nil {
			tab.Says("another fingerprint")
		}
	}
}
