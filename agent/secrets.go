package agent

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gantry/agent/bundle/proof"
	"gantry/agent/calls"
	"gantry/agent/state"
	"gantry/agent/vault"
	"gantry/configs"
	"gantry/tunnel/enrol"
)

// StoredSecrets are the secrets that the agent's folder, its configuration and this process's environment hold, for the proof that a
// bundle holds none of them. An agent that was never enrolled has few. The error says why not all
// can be known.
func StoredSecrets(ctx context.Context, config configs.Agent, configFile string) (all []proof.Secret, err error) {
	all = outerSecrets(config, configFile)
	if _, err := os.Stat(filepath.Join(config.StateDir, state.File)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return all, nil
		}
		return all, err
	}
	lock, err := state.Lock(config.StateDir)
	if err != nil {
		return all, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if _, err := vault.Peek(config.StateDir); err != nil { // Open would make a key
		return all, err
	}
	v, err := vault.Open(config.StateDir)
	if err != nil {
		return all, err
	}
	db, err := state.Open(ctx, config.StateDir)
	if err != nil {
		return all, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	inner, err := (&store{db: db, vault: v}).secrets(ctx)
	return append(all, inner...), err
}

// outerSecrets are those outside of the vault: the proxy's password, and enrolment tokens that lie about. A file that cannot be read is
// none that this process could put into a bundle.
func outerSecrets(config configs.Agent, configFile string) []proof.Secret {
	var all []proof.Secret
	if config.Proxy.PasswordFile != "" {
		if password, err := os.ReadFile(config.Proxy.PasswordFile); err == nil {
			all = append(all, proof.Secret{Name: "the proxy's password", Value: password})
		}
	}
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"} {
		if password := passwordOf(os.Getenv(name)); password != "" {
			all = append(all, proof.Secret{Name: "the proxy's password (" + name + ")", Value: []byte(password)})
		}
	}
	folders := []string{config.StateDir}
	if configFile != "" {
		folders = append(folders, filepath.Dir(configFile))
	}
	for _, folder := range slices.Compact(folders) {
		all = append(all, tokensIn(folder)...)
	}
	return all
}

// passwordOf finds the password in a proxy's address, with or without a scheme.
func passwordOf(address string) string {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	password, _ := u.User.Password()
	return password
}

// maxSmallFile bounds a file that may hold a token, and maxLookedAt how many files of a folder are looked at.
const (
	maxSmallFile = 8 << 10
	maxLookedAt  = 100
)

// tokensIn finds the enrolment tokens in the files of a folder.
func tokensIn(folder string) []proof.Secret {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil
	}
	var all []proof.Secret
	for _, entry := range entries[:min(len(entries), maxLookedAt)] {
		info, err := entry.Info()
		if err != nil || !info.Mode().IsRegular() || info.Size() > maxSmallFile {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil || !bytes.HasPrefix(bytes.TrimSpace(text), []byte(enrol.Prefix)) {
			continue
		}
		all = append(all, proof.Secret{Name: "an enrolment token", Value: text})
		if token, err := enrol.Parse(string(bytes.TrimSpace(text))); err == nil {
			all = append(all, proof.Secret{Name: "an enrolment token's secret", Value: token.Secret})
		}
	}
	return all
}

// secrets are those that the vault's key opens, and that key.
func (s *store) secrets(ctx context.Context) ([]proof.Secret, error) {
	all := []proof.Secret{{Name: "the vault's key", Value: s.vault.Key()}}
	id, err := s.db.Identity(ctx)
	switch {
	case errors.Is(err, state.ErrNotEnrolled):
		return all, nil
	case err != nil:
		return nil, err
	case id.Vault != s.vault.ID():
		return nil, ErrVault
	}
	for _, key := range []struct {
		name, purpose string
		box           []byte
	}{
		{"the agent's TLS key", purposeTLSKey, id.TLSKeyBox},
		{"the agent's sealing key", purposeSealingKey, id.SealingKeyBox},
		{"the agent's cursor key", purposeCursorKey, id.CursorKeyBox},
	} {
		value, err := s.vault.Decrypt(key.box, key.purpose)
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", key.name, err)
		}
		all = append(all, proof.Secret{Name: key.name, Value: value})
		if block, _ := pem.Decode(value); block != nil { // what the armour holds, and the base64 of it in any form
			all = append(all, proof.Secret{Name: key.name, Value: block.Bytes})
		}
	}
	logins, err := s.logins(ctx)
	return append(all, logins...), err
}

// logins are the credentials of all connections, each member by itself.
func (s *store) logins(ctx context.Context) ([]proof.Secret, error) {
	rows, err := s.db.Connections(ctx)
	if err != nil {
		return nil, err
	}
	var all []proof.Secret
	for _, row := range rows {
		login, err := calls.Secrets(s.vault, row)
		if err != nil {
			return nil, err
		}
		all = append(all, login...)
	}
	return all, nil
}
