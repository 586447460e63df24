package installer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The vault's key as a systemd credential: 32 bytes that systemd-creds sealed to this machine, its TPM where it has one.
// The units take it up by its name; without it the agent keeps a key in its state folder, and a state that began with
// that key keeps it.
const (
	vaultKey   = "gantry-vault-key"
	vaultSize  = 32
	vaultState = "agent.db" // which exists as soon as an agent has run
)

// sealedFolder is where systemd looks for sealed credentials.
const sealedFolder = "/etc/credstore.encrypted"

// vault gives the step that seals a key for the vault.
func (i Installation) vault() Plan {
	path := filepath.Join(sealedFolder, vaultKey)
	return Plan{{Name: "vault", Line: "seal a key for the vault to this machine, in " + path, Do: func(ctx context.Context) (Undo, error) {
		for _, there := range []string{path, filepath.Join(i.Spec.Layout.State, vaultState), filepath.Join(i.Spec.Layout.State, "vault.key")} {
			if _, err := os.Lstat(there); !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
		}
		if _, err := exec.LookPath("systemd-creds"); err != nil {
			return nil, nil //nolint:nilerr // an older systemd: the agent keeps the key itself
		}
		if err := seal(ctx, path); err != nil {
			return nil, err
		}
		return func(context.Context) error { return unseal(path) }, nil
	}}}
}

// seal lets systemd-creds encrypt a fresh key. The key itself is never on a disk or a command line.
func seal(ctx context.Context, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	c := exec.CommandContext(ctx, "systemd-creds", "encrypt", "--name="+vaultKey, "-", path)
	c.Stdin = strings.NewReader(freshKey())
	if out, err := c.CombinedOutput(); err != nil {
		return errors.Join(fmt.Errorf("systemd-creds encrypt: %w %s", err, strings.TrimSpace(string(out))), unseal(path))
	}
	return os.Chmod(path, 0o600)
}

func freshKey() string {
	key := make([]byte, vaultSize)
	_, _ = rand.Read(key) // never fails: crypto/rand
	return string(key)
}

// unseal removes the sealed key, and its folder if nobody else has one there.
func unseal(path string) error {
	if _, err := remove(path); err != nil {
		return err
	}
	_ = os.Remove(filepath.Dir(path)) // it fails where there are others
	return nil
}

// withoutVault gives the step that removes the sealed key.
func (i Installation) withoutVault() Plan {
	path := filepath.Join(sealedFolder, vaultKey)
	return Plan{{Name: "vault", Line: "remove " + path, Do: func(context.Context) (Undo, error) {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return Kept, unseal(path)
	}}}
}
