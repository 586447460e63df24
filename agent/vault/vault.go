// Package vault encrypts the secrets that an agent keeps: the logins of its connections, its TLS key, its sealing key.
//
// A vault is AES-256-GCM under one random key. Where the key lives depends on the machine:
//
//   - a systemd credential named gantry-vault-key (32 bytes), where the service has one;
//   - on Windows vault.key in the state folder, sealed by DPAPI to the machine with an entropy of ours;
//   - elsewhere vault.key in the state folder, mode 0600, refused when anybody else may read it.
//
// Every box is bound to a purpose, such as a connection's id: a box moved to another row does not open.
//
// The package never logs, and keeps no secret but its key.
package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	keySize  = 32
	keyFile  = "vault.key"
	credFile = "gantry-vault-key" // within $CREDENTIALS_DIRECTORY
	boxV1    = 1                  // first byte of a box
)

// ErrBox is the error of a box that does not open: of another vault, another purpose, or damaged.
var ErrBox = errors.New("the box does not open with this vault's key")

// Vault encrypts and decrypts. It is safe for concurrent use.
type Vault struct {
	aead cipher.AEAD
	id   string
	key  []byte
}

// Open reads the vault's key; where there is none it makes one in dir, which must exist.
func Open(dir string) (*Vault, error) {
	key, err := loadKey(dir)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = makeKey(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("open vault: %w", err)
	}
	return newVault(key)
}

func newVault(key []byte) (*Vault, error) {
	if len(key) != keySize {
		return nil, fmt.Errorf("open vault: the key has %d bytes instead of %d", len(key), keySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("open vault: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block) // 2^32 boxes per key are safe; an agent makes thousands
	if err != nil {
		return nil, fmt.Errorf("open vault: %w", err)
	}
	sum := sha256.Sum256(append([]byte("gantry vault id\x00"), key...))
	return &Vault{aead: aead, id: hex.EncodeToString(sum[:8]), key: key}, nil
}

// ID names the key without giving it away, so that a database can say which vault it belongs to.
func (v *Vault) ID() string { return v.id }

// Key is the key itself. It is for the proof that a bundle does not hold it, and for nothing else.
func (v *Vault) Key() []byte { return v.key }

// Encrypt gives a box that Decrypt opens for the same purpose alone.
func (v *Vault) Encrypt(plain []byte, purpose string) []byte {
	return v.aead.Seal([]byte{boxV1}, nil, plain, []byte(purpose))
}

// Decrypt opens a box. Its error is ErrBox.
func (v *Vault) Decrypt(box []byte, purpose string) ([]byte, error) {
	if len(box) < 1 || box[0] != boxV1 {
		return nil, ErrBox
	}
	plain, err := v.aead.Open(nil, nil, box[1:], []byte(purpose))
	if err != nil {
		return nil, ErrBox
	}
	return plain, nil
}

// loadKey reads the key from the service manager or from the file. fs.ErrNotExist: there is none yet.
func loadKey(dir string) ([]byte, error) {
	if creds := os.Getenv("CREDENTIALS_DIRECTORY"); creds != "" {
		key, err := os.ReadFile(filepath.Join(creds, credFile))
		if !errors.Is(err, fs.ErrNotExist) {
			return key, err
		}
	}
	path := filepath.Join(dir, keyFile)
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if err := checkKeyFile(path, info); err != nil {
		return nil, err
	}
	wrapped, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return unwrapKey(wrapped)
}

// makeKey writes a new key beside its place and links it there, so that of two starters both end with the same key
// and a half-written one is never seen.
func makeKey(dir string) ([]byte, error) {
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // never fails: crypto/rand
	wrapped, err := wrapKey(key)
	if err != nil {
		return nil, err
	}
	temp, err := os.CreateTemp(dir, keyFile+".*") // mode 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(temp.Name())
	if err := writeAll(temp, wrapped); err != nil {
		return nil, err
	}
	err = os.Link(temp.Name(), filepath.Join(dir, keyFile))
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return loadKey(dir)
}

func writeAll(f *os.File, content []byte) error {
	_, err := f.Write(content)
	return errors.Join(err, f.Sync(), f.Close())
}
