package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"strings"

	"gantry/relay/store"
)

// Kind is the kind of a token, and its prefix.
type Kind string

// The kinds. Enrolment tokens have a package of their own (tunnel/enrol).
const (
	OrganisationKey Kind = "gok_"
	ConnectionToken Kind = "gct_"
)

// A token is its prefix and, in base32, 160 random bits with 40 bits of checksum: 44 characters.
const (
	randomBytes   = 20
	checksumBytes = 5
	textLength    = 4 + (randomBytes+checksumBytes)*8/5
)

var base32Lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// What is wrong with a text that is no token.
var (
	ErrNoToken  = errors.New("it is not a Gantry token: those begin with gok_ or gct_")
	ErrCut      = errors.New("it is too short or too long: copy the whole token, and nothing else")
	ErrMistyped = errors.New("its checksum does not fit: copy the token again, rather than typing it")
)

// NewToken makes a token and the hash to store. The text is shown once.
func NewToken(kind Kind) (text string, hash store.Hash) {
	raw := make([]byte, randomBytes, randomBytes+checksumBytes)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	text = string(kind) + base32Lower.EncodeToString(append(raw, checksum(kind, raw)...))
	return text, sha256.Sum256([]byte(text))
}

// ParseToken checks a token's form and gives the hash under which it is stored. The error is ErrNoToken, ErrCut or
// ErrMistyped. Nothing here depends on a secret, so nothing needs constant time; the look-up is by the hash, of which a
// guesser learns nothing by timing.
func ParseToken(text string) (Kind, store.Hash, error) {
	kind := Kind(text[:min(len(text), 4)])
	switch {
	case kind != OrganisationKey && kind != ConnectionToken:
		return "", store.Hash{}, ErrNoToken
	case len(text) != textLength:
		return "", store.Hash{}, ErrCut
	case strings.ContainsAny(text, "\r\n"): // which base32 would skip
		return "", store.Hash{}, ErrMistyped
	}
	raw, err := base32Lower.DecodeString(text[4:])
	if err != nil || string(checksum(kind, raw[:randomBytes])) != string(raw[randomBytes:]) {
		return "", store.Hash{}, ErrMistyped
	}
	return kind, sha256.Sum256([]byte(text)), nil
}

// checksum catches typing errors; it covers the kind, so that one prefix cannot be put on the other's body.
func checksum(kind Kind, random []byte) []byte {
	sum := sha256.Sum256(append([]byte(kind), random...))
	return sum[:checksumBytes]
}
