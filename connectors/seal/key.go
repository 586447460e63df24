package seal

import (
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

func kem() hpke.KEM { return hpke.DHKEM(ecdh.P256()) }

// PrivateKey opens what was sealed to its public half. It never leaves the agent.
type PrivateKey struct{ key hpke.PrivateKey }

// NewKey makes a key pair.
func NewKey() (PrivateKey, error) {
	key, err := kem().GenerateKey()
	if err != nil {
		return PrivateKey{}, fmt.Errorf("make sealing key: %w", err)
	}
	return PrivateKey{key}, nil
}

// ParseKey reads what Bytes gave: 32 bytes.
func ParseKey(raw []byte) (PrivateKey, error) {
	key, err := kem().NewPrivateKey(raw)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("parse sealing key: %w", err)
	}
	return PrivateKey{key}, nil
}

// Bytes is the secret scalar as RFC 9180 serialises it.
func (k PrivateKey) Bytes() ([]byte, error) { return k.key.Bytes() }

// Public is the half that clients seal to.
func (k PrivateKey) Public() PublicKey { return PublicKey{k.key.PublicKey()} }

// PublicKey is what clients seal to.
type PublicKey struct{ key hpke.PublicKey }

// ParsePublic reads the text form of a public key: an uncompressed point in base64url without padding.
func ParsePublic(text string) (PublicKey, error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return PublicKey{}, fmt.Errorf("parse sealing public key: %w", err)
	}
	key, err := kem().NewPublicKey(raw)
	if err != nil {
		return PublicKey{}, fmt.Errorf("parse sealing public key: %w", err)
	}
	return PublicKey{key}, nil
}

// String is the text form, as the relay publishes it.
func (p PublicKey) String() string { return base64.RawURLEncoding.EncodeToString(p.key.Bytes()) }

// ID names the key in a sealed login: the first 16 hex digits of the key's SHA-256.
func (p PublicKey) ID() string {
	sum := sha256.Sum256(p.key.Bytes())
	return hex.EncodeToString(sum[:8])
}

// Fingerprint is for people to compare: the first 16 bytes of the key's SHA-256, in eight groups of four hex digits.
func (p PublicKey) Fingerprint() string {
	sum := sha256.Sum256(p.key.Bytes())
	digits := hex.EncodeToString(sum[:16])
	groups := make([]string, 0, 8)
	for i := 0; i < len(digits); i += 4 {
		groups = append(groups, digits[i:i+4])
	}
	return strings.Join(groups, " ")
}
