package house

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNoPasswordIsLeftAnywhere connects with a password that is easy to find, makes good and bad calls, and then looks
// for it, in every form, in the relay's folder, in both logs and in the errors.
func TestNoPasswordIsLeftAnywhere(t *testing.T) {
	aw := openAdventureWorks(t, "postgres")
	p := aw.plant
	canary := "Can4ry+pass/w?rd&=" + strings.Repeat("x", 8)
	if _, err := aw.server.Admin().ExecContext(t.Context(), "CREATE USER canary PASSWORD '"+canary+"'"); err != nil {
		t.Fatal(err)
	}
	aw.as(t, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO canary")
	t.Cleanup(func() {
		if _, err := aw.database.Exec("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM canary"); err != nil {
			t.Error(err)
		}
		if _, err := aw.server.Admin().Exec("DROP USER canary"); err != nil {
			t.Error(err)
		}
	})

	with := aw.login
	with.Site, with.Name = p.site, "canary"
	with.Settings, with.Credentials = copied(aw.login.Settings), map[string]string{"password": canary}
	with.Settings["username"] = "canary"
	client, id := p.connect(with)
	p.expect(client, http.MethodGet, "/vendors?limit=3&include=remote_data", nil, 200, nil)

	var errors bytes.Buffer
	fail := func(c *Client, method, path string, body any) {
		answer, err := c.Do(t.Context(), method, path, body)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Status < 400 {
			t.Errorf("%s %s succeeded", method, path)
		}
		errors.Write(answer.Body)
	}
	for name, change := range map[string]func(*login){
		"wrong user":         func(l *login) { l.Settings["username"] = "nobody" },
		"no such database":   func(l *login) { l.Settings["database"] = "nowhere" },
		"outside the policy": func(l *login) { l.Settings["host"] = "10.255.255.1" },
		"no such setting":    func(l *login) { l.Settings["pasword"] = canary },
		"secret as setting":  func(l *login) { l.Settings["port"] = canary },
		"no such system":     func(l *login) { l.System = "nothing" },
	} {
		bad := with
		bad.Name = name
		bad.Settings, bad.Credentials = copied(with.Settings), copied(with.Credentials)
		change(&bad)
		fail(p.admin, http.MethodPost, "/connections", bad)
	}
	fail(client, http.MethodPost, "/purchase-orders", newOrder("1")) // no right to write
	p.must(http.MethodPost, "/connections/"+id+"/disconnect", nil, 200, nil)
	fail(client, http.MethodGet, "/vendors", nil)

	p.lacks(canary, map[string][]byte{"an error": errors.Bytes()})
}

// lacks looks for a secret, in every form, in both logs, in the relay's folder and in what else was seen.
func (p *plant) lacks(secret string, seen map[string][]byte) {
	p.t.Helper()
	seen["relay.log"], seen["agent.log"] = read(p.t, p.path("relay.log")), read(p.t, p.path("agent.log"))
	err := filepath.WalkDir(p.path("relay"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			seen[path] = read(p.t, path)
		}
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	searched := 0
	for where, content := range seen {
		searched += len(content)
		for form, text := range forms(secret) {
			if bytes.Contains(content, []byte(text)) {
				p.t.Errorf("the secret stands in %s, %s", where, form)
			}
		}
	}
	p.t.Logf("searched %d bytes", searched)
}

func copied[V any](m map[string]V) map[string]V {
	c := map[string]V{}
	maps.Copy(c, m)
	return c
}

// forms are the ways in which a secret may have been written down.
func forms(secret string) map[string]string {
	return map[string]string{
		"raw":             secret,
		"base64":          strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(secret)), "="),
		"base64url":       strings.TrimRight(base64.URLEncoding.EncodeToString([]byte(secret)), "="),
		"hex":             hex.EncodeToString([]byte(secret)),
		"URL query":       url.QueryEscape(secret),
		"URL path":        url.PathEscape(secret),
		"JSON, HTML-safe": strings.ReplaceAll(secret, "&", `\u0026`),
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
