package agent

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gantry/agent/bundle"
	"gantry/agent/control"
	"gantry/agent/state"
)

const plantedPassword = `Pl4nted+p&ss"word`

// plantLog gives the running agent a login, and a log and a crash in which its password and all its keys stand.
func plantLog(t *testing.T, p *plant) {
	t.Helper()
	r := p.agent.running.Load()
	login, err := json.Marshal(map[string]any{"username": "user-of-the-plant", "password": plantedPassword, "pin": 48151623})
	fatal(t, err)
	store := p.agent.store
	fatal(t, r.db.PutConnection(t.Context(), state.Connection{
		ID: "con_9", Organisation: "org_1", Site: "sit_1", System: "demo-plant", Name: "erp", Settings: []byte("{}"),
		Credentials: store.vault.Encrypt(login, "connection con_9"), OpenedAt: time.Now(),
	}))
	tlsKey, err := store.vault.Decrypt(r.identity.TLSKeyBox, purposeTLSKey)
	fatal(t, err)
	sealing, err := r.identity.sealing.Bytes()
	fatal(t, err)
	folder := t.TempDir()
	p.agent.opts.LogFile = filepath.Join(folder, "agent.log")
	lines := []string{
		fmt.Sprintf("time=2026-03-01T10:00:01Z level=WARN msg=x error=%q", "login failed: "+plantedPassword),
		"dsn=" + base64.StdEncoding.EncodeToString([]byte("postgres://gantry:"+plantedPassword+"@db")),
		fmt.Sprintf("pem=%q", tlsKey), "sealing=" + hex.EncodeToString(sealing), fmt.Sprint("cursor=", r.identity.cursor),
		"vault=" + base64.RawURLEncoding.EncodeToString(store.vault.Key()), "pin 48151623",
	}
	fatal(t, os.WriteFile(p.agent.opts.LogFile, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	fatal(t, os.WriteFile(filepath.Join(folder, "crash-20260301T100000.000Z.txt"), []byte("panic: "+plantedPassword+"\n\ngoroutine 1"), 0o600))
	token := p.relay.token()
	fatal(t, os.WriteFile(filepath.Join(p.agent.config.StateDir, TokenFile), []byte(token), 0o600))
	lines = append(lines, "token="+token)
	fatal(t, os.WriteFile(p.agent.opts.LogFile, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
}

// TestBundleOfTheRunningAgent asks over the control channel, as the command line does.
func TestBundleOfTheRunningAgent(t *testing.T) {
	p := newPlant(t)
	plantLog(t, p)
	asked := control.BundleRequest{Contents: []byte(`{"report":{"results":[]},"journal":"systemd: agent said Pl4nted%2Bp%26ss%22word"}`)}
	archive, err := control.NewClient(p.agent.config.StateDir).Bundle(t.Context(), asked)
	fatal(t, err)
	files := map[string]string{}
	fatal(t, bundle.Each(archive, func(name string, content []byte) error {
		files[name] = string(content)
		return nil
	}))
	for name, content := range files {
		for _, part := range []string{"Pl4nted", "UGw0bnRlZ", "BEGIN PRIVATE", "MHcCAQEE", "48151623", hex.EncodeToString(p.agent.store.vault.Key())} {
			if strings.Contains(content, part) {
				t.Errorf("%s holds %q", name, part)
			}
		}
	}
	for _, name := range []string{"status.json", "config.yaml", "inside.json", "writes.json", "metrics.json", "goroutines.txt", "trace.out", "logs/agent.log", "logs/journal.log", "crashes/crash-20260301T100000.000Z.txt", "manifest.json"} {
		if files[name] == "" {
			t.Errorf("%s is missing", name)
		}
	}
	var m bundle.Manifest
	fatal(t, json.Unmarshal([]byte(files["manifest.json"]), &m))
	if m.Proof.Unproved != "" || m.Proof.Secrets < 8 || m.Proof.Redacted < 9 {
		t.Errorf("%+v", m.Proof)
	}
}

// TestStoredSecretsAreTheSame has the command line read from the disk what the running agent knows.
func TestStoredSecretsAreTheSame(t *testing.T) {
	p := newPlant(t)
	plantLog(t, p)
	running, err := p.agent.secrets(t.Context())
	fatal(t, err)
	config := p.agent.config
	if _, err := StoredSecrets(t.Context(), config, ""); !errors.Is(err, state.ErrInUse) {
		t.Errorf("while the agent runs: %v", err)
	}
	p.stop()
	stored, err := StoredSecrets(t.Context(), config, "")
	fatal(t, err)
	if len(stored) != len(running) {
		t.Errorf("%d stored, %d of the running agent", len(stored), len(running))
	}
	fatal(t, os.Remove(filepath.Join(config.StateDir, "vault.key")))
	if _, err := StoredSecrets(t.Context(), config, ""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without the vault's key: %v", err)
	}
	if _, err := os.Stat(filepath.Join(config.StateDir, "vault.key")); err == nil {
		t.Error("a key was made")
	}
}

// TestARunningAgentLeavesNoCrashFile ends well.
func TestARunningAgentLeavesNoCrashFile(t *testing.T) {
	p := newPlant(t)
	dir := p.agent.config.StateDir
	all, err := filepath.Glob(filepath.Join(dir, "crash-*"))
	if err != nil || len(all) != 1 {
		t.Errorf("while it runs: %v, %v", all, err)
	}
	p.stop()
	if all, err = filepath.Glob(filepath.Join(dir, "crash-*")); err != nil || len(all) != 0 {
		t.Errorf("after its end: %v, %v", all, err)
	}
	var b bytes.Buffer
	if err := p.agent.Bundle(t.Context(), &b, control.BundleRequest{Contents: []byte(`{"report":{}}`)}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "manifest.json") {
		t.Error("no archive")
	}
}
