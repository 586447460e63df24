package bundle

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"gantry/agent/bundle/proof"
	"gantry/agent/control"
	"gantry/configs"
	"gantry/tunnel/check"
)

// The secrets of the plant in these tests. They are easy to find, and hard to write down.
const (
	dbPassword    = `Can4ry+pass/w?rd&="x'<y>`
	proxyPassword = "pr0xy p%ss:word"
	apiKey        = "sk-live-0123456789abcdef"
)

func secrets() []proof.Secret {
	return []proof.Secret{
		{Name: "the login of connection con_1 (password)", Value: []byte(dbPassword)},
		{Name: "the proxy's password", Value: []byte(proxyPassword)},
		{Name: "the login of connection con_2 (api_key)", Value: []byte(apiKey)},
		{Name: "the vault's key", Value: bytes.Repeat([]byte{0xde, 0xad, 7, 0}, 8)},
		{Name: "the login of connection con_3 (pin)", Value: []byte("123")},
	}
}

// planted is a plant in which every secret stands wherever somebody may have written it.
func planted(t *testing.T) Contents {
	t.Helper()
	t.Setenv("HTTPS_PROXY", (&url.URL{Scheme: "http", Host: "proxy.plant.local:3128", User: url.UserPassword("bob", proxyPassword)}).String())
	jsonForm, err := json.Marshal(dbPassword)
	if err != nil {
		t.Fatal(err)
	}
	config := configs.DefaultAgent()
	config.Proxy.URL = "http://proxy.plant.local:3128"
	config.Policy.Targets = []string{"db.plant.local:5432", "10.20.30.40:1433"}
	log := []string{
		`time=2026-03-01T10:00:00Z level=WARN msg="open failed" error="dial postgres://gantry:` + url.QueryEscape(dbPassword) + `@db.plant.local:5432/erp: refused"`,
		`{"time":"2026-03-01T10:00:01Z","level":"WARN","msg":"x","error":` + string(jsonForm) + `}`,
		"base64 " + base64.StdEncoding.EncodeToString([]byte("gantry:"+dbPassword)),
		"hex " + hex.EncodeToString([]byte(apiKey)),
		"proxy CONNECT http://bob:" + url.PathEscape(proxyPassword) + "@proxy.plant.local:3128 said 407, from 10.20.30.40",
		"a login of somebody else: password=unknown-to-us token: abc",
		fmt.Sprint("bytes ", []byte(apiKey)),
	}
	return Contents{
		Report:     &check.Report{Results: []check.Result{{Check: "network.proxy", Status: check.Failed, Evidence: []string{"user " + dbPassword}}}},
		Status:     &control.Status{State: control.Connecting, Problem: "proxy: " + proxyPassword, Connections: []control.Connection{{Name: "erp-north", LastError: "login " + apiKey}}},
		Config:     &config,
		Host:       Here(t.TempDir()),
		Definition: "[Service]\nEnvironment=PGPASSWORD=" + dbPassword + "\n",
		Journal:    "agent[1]: panic: " + apiKey,
		Log:        strings.Join(log, "\n"),
		Goroutines: []byte("goroutine 1 [running]:\n"),
		Crashes:    []Crash{{"crash-1.txt", []byte("panic: dsn " + apiKey + " " + base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{0xde, 0xad, 7, 0}, 8)))}},
	}
}

func made(t *testing.T, c Contents, o Options) map[string]string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(t.Context(), &b, c, o); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	if err := Each(b.Bytes(), func(name string, content []byte) error {
		all[name] = string(content)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestPlantedSecretsAreNotInTheArchive(t *testing.T) {
	c := planted(t)
	files := made(t, c, Options{Secrets: secrets(), Version: "1.2.3", By: "command"})
	// This search is not the scanner's: parts of the secrets, in the forms in which they were planted.
	for name, content := range files {
		for _, part := range []string{"Can4ry", "pr0xy", "sk-live", "unknown-to-us", hex.EncodeToString([]byte("sk-live")), "bob:p", "115 107 45 108", "3q0HAN6tBw"} {
			if strings.Contains(content, part) {
				t.Errorf("%s holds %q:\n%s", name, part, content)
			}
		}
		if strings.HasSuffix(name, ".json") && !json.Valid([]byte(content)) {
			t.Errorf("%s is no JSON any more:\n%s", name, content)
		}
	}
	var m Manifest
	if err := json.Unmarshal([]byte(files["manifest.json"]), &m); err != nil {
		t.Fatal(err)
	}
	if m.Proof.Secrets != 4 || m.Proof.Short != 1 || m.Proof.Redacted < 10 || len(m.Files) != len(files)-1 {
		t.Errorf("%+v", m)
	}
	if !strings.Contains(files["logs/agent.log"], "@db.plant.local:5432/erp: refused") {
		t.Errorf("the log lost what support needs:\n%s", files["logs/agent.log"])
	}
}

// TestAMissRefusesTheArchive has a redactor that passes over one file after the other: the proof finds what it left.
func TestAMissRefusesTheArchive(t *testing.T) {
	c := planted(t)
	for _, name := range []string{"report.json", "status.json", "service.txt", "logs/agent.log", "logs/journal.log", "crashes/crash-1.txt"} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			err := Write(t.Context(), &b, c, Options{Secrets: secrets(), miss: name})
			leak, ok := errors.AsType[*Leak](err)
			if !ok || leak.File != name || leak.Secret == "" {
				t.Fatalf("%v", err)
			}
			if b.Len() > 0 {
				t.Error("something was written")
			}
			for _, s := range secrets() {
				if strings.Contains(err.Error(), string(s.Value)) && len(s.Value) > 3 {
					t.Errorf("the error tells the secret: %v", err)
				}
			}
		})
	}
}

// TestASecretInWhatCannotBeRedacted leaves the file out. A login that is a word of the program itself is in every recording.
func TestASecretInWhatCannotBeRedacted(t *testing.T) {
	c := Contents{Trace: []byte("go 1.26 trace\x00" + apiKey)}
	files := made(t, c, Options{Secrets: secrets()})
	if _, ok := files["trace.out"]; ok || !strings.Contains(files["manifest.json"], "it would hold the login of connection con_2 (api_key)") {
		t.Errorf("%v", files)
	}
	err := Write(t.Context(), new(bytes.Buffer), c, Options{Secrets: secrets(), miss: "trace.out"})
	if leak, ok := errors.AsType[*Leak](err); !ok || leak.File != "trace.out" {
		t.Errorf("%v", err)
	}
}

func TestTheNamesOfFilesAreSearched(t *testing.T) {
	secret := func(value string) []proof.Secret { return []proof.Secret{{Name: "a weak login", Value: []byte(value)}} }
	files := made(t, Contents{Status: &control.Status{}}, Options{Secrets: secret("status.json")})
	if _, ok := files[proof.Gap]; !ok {
		t.Errorf("%v", files)
	}
	err := Write(t.Context(), new(bytes.Buffer), Contents{}, Options{Secrets: secret("manifest.json")})
	if leak, ok := errors.AsType[*Leak](err); !ok || leak.File != "(its name)" {
		t.Errorf("%v", err)
	}
}

func TestWithoutAVaultForeignTextsStayBehind(t *testing.T) {
	files := made(t, planted(t), Options{Unproved: "the vault does not open"})
	for name := range files {
		if strings.HasPrefix(name, "logs/") || strings.HasPrefix(name, "crashes/") || name == "service.txt" {
			t.Errorf("%s is there", name)
		}
	}
	if !strings.Contains(files["manifest.json"], "the vault does not open") {
		t.Error("the manifest does not say why")
	}
}

func TestAnonymize(t *testing.T) {
	files := made(t, planted(t), Options{Secrets: secrets(), Anonymize: true})
	for name, content := range files {
		for _, word := range []string{"plant.local", "10.20.30.40", "erp-north", "db.plant"} {
			if strings.Contains(content, word) {
				t.Errorf("%s names %s:\n%s", name, word, content)
			}
		}
	}
	if log := files["logs/agent.log"]; strings.Count(log, "host-")+strings.Count(log, "address-") < 3 {
		t.Error(log)
	}
}

func TestAliasesAreTheSameEverywhere(t *testing.T) {
	a := aliasesOf(Contents{Config: &configs.Agent{Policy: configs.Policy{Targets: []string{"db.plant.local:1"}}}})
	first := string(a.in([]byte("db.plant.local 10.1.2.3 fe80::1 127.0.0.1 ::1 00:11:22:33:44:55 bob@plant.local 10:00:00")))
	second := string(a.in([]byte("DB.plant.LOCAL 10.1.2.3 fe80::1 127.0.0.1 ::1 00:11:22:33:44:55 bob@plant.local 10:00:00")))
	if first != second || first != "host-1 address-1 address-2 127.0.0.1 ::1 mac-1 mail-1 10:00:00" {
		t.Errorf("%s\n%s", first, second)
	}
}

func TestFilesAreBounded(t *testing.T) {
	text := strings.Repeat("a line that is long enough\n", maxDefinition/27+100)
	files := made(t, Contents{Definition: text}, Options{Now: time.Unix(0, 0)})
	if n := len(files["service.txt"]); n > maxDefinition || n < maxDefinition-27 || !strings.HasPrefix(files["service.txt"], "a line") {
		t.Errorf("%d bytes", n)
	}
	if !strings.Contains(files["manifest.json"], `"cut": true`) {
		t.Error("the manifest does not say that it was cut")
	}
}

func TestHere(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://u:hidden@proxy:3128")
	t.Setenv("NO_PROXY", "u:hidden@x")
	h := Here()
	data, err := json.Marshal(h)
	if err != nil || strings.Contains(string(data), "hidden") || len(h.Interfaces) == 0 {
		t.Errorf("%s, %v", data, err)
	}
	if len(Metrics()) < 20 || len(Goroutines()) < 100 {
		t.Error("the runtime says nothing")
	}
}
