package house

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"net/http"
	"path/filepath"
	"testing"

	"gantry/connectors/seal"
	"gantry/tunnel/fault"
)

// TestSealedCredentials connects as a browser does that trusts the relay with nothing: the login is sealed to the agent's
// key, for one organisation, site, system and these settings.
func TestSealedCredentials(t *testing.T) {
	w := openWorkshop(t)
	password := w.login.Credentials["password"]
	sealed := w.seal(t, w.place(t, w.login.Settings), password)
	wish := func(name string, settings map[string]any, sealed any) map[string]any {
		return map[string]any{"site": w.site, "system": "workshop", "name": name, "settings": settings, "sealed_credentials": sealed}
	}

	t.Run("a login that is sealed works", func(t *testing.T) {
		var made struct{ Token string }
		w.must(http.MethodPost, "/connections", wish("sealed", w.login.Settings, sealed), 201, &made)
		w.expect(&Client{URL: w.url, Token: made.Token, HTTP: w.http}, http.MethodGet, "/assets/1", nil, 200, nil)
	})
	refusal := fault.Error{Code: fault.ValidationFailed, Hop: fault.HopAgent, Scope: fault.ScopeConnection, Outcome: fault.NotSent}
	t.Run("the same seal for another host is refused", func(t *testing.T) {
		elsewhere := copied(w.login.Settings)
		elsewhere["host"] = "attacker.example.com"
		w.refused(w.admin, http.MethodPost, "/connections", wish("elsewhere", elsewhere, sealed), refusal)
	})
	t.Run("a seal for another site is refused", func(t *testing.T) {
		place := w.place(t, w.login.Settings)
		place.Site = "sit_another"
		w.refused(w.admin, http.MethodPost, "/connections", wish("another site", w.login.Settings, w.seal(t, place, password)), refusal)
	})
	t.Run("a seal to another key is refused", func(t *testing.T) {
		other, err := seal.NewKey()
		if err != nil {
			t.Fatal(err)
		}
		box, err := seal.Seal(other.Public(), w.place(t, w.login.Settings), []byte(`{"password":"x"}`))
		if err != nil {
			t.Fatal(err)
		}
		w.refused(w.admin, http.MethodPost, "/connections", wish("another key", w.login.Settings, box), refusal)
	})
	t.Run("the relay keeps nothing of it", func(t *testing.T) {
		box, err := json.Marshal(sealed)
		if err != nil {
			t.Fatal(err)
		}
		var members struct{ Ciphertext string }
		if err := json.Unmarshal(box, &members); err != nil {
			t.Fatal(err)
		}
		w.isNotKept(t, members.Ciphertext)
	})
}

// place is where a login of the workshop may be used.
func (w *workshop) place(t *testing.T, settings map[string]any) seal.Place {
	t.Helper()
	raw, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	var site struct{ Organisation string }
	w.must(http.MethodGet, "/sites/"+w.site, nil, 200, &site)
	return seal.Place{Organisation: site.Organisation, Site: w.site, System: "workshop", Settings: raw}
}

// seal seals a password to the key that the relay shows for the agent.
func (w *workshop) seal(t *testing.T, place seal.Place, password string) seal.Sealed {
	t.Helper()
	var site struct {
		Agents []struct {
			SealingKey struct {
				PublicKey   string `json:"public_key"`
				Fingerprint string `json:"fingerprint"`
			} `json:"sealing_key"`
		}
	}
	w.must(http.MethodGet, "/sites/"+w.site, nil, 200, &site)
	key, err := seal.ParsePublic(site.Agents[0].SealingKey.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if key.Fingerprint() != site.Agents[0].SealingKey.Fingerprint {
		t.Errorf("the relay shows fingerprint %s for a key of %s", site.Agents[0].SealingKey.Fingerprint, key.Fingerprint())
	}
	raw, err := json.Marshal(map[string]string{"password": password})
	if err != nil {
		t.Fatal(err)
	}
	box, err := seal.Seal(key, place, raw)
	if err != nil {
		t.Fatal(err)
	}
	return box
}

// isNotKept looks for a text in the relay's folder and in both logs.
func (p *plant) isNotKept(t *testing.T, text string) {
	t.Helper()
	for _, log := range []string{"relay.log", "agent.log"} {
		if bytes.Contains(read(t, p.path(log)), []byte(text)) {
			t.Errorf("it stands in %s", log)
		}
	}
	err := filepath.WalkDir(p.path("relay"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() && bytes.Contains(read(t, path), []byte(text)) {
			t.Errorf("it stands in %s", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
