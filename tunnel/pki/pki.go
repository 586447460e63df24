// Package pki is the relay's own certificate authority: small, private, and known to nobody but its agents.
//
// Agents and relay prove themselves to each other inside the websocket, with certificates of this authority and no
// other. An agent learns the authority at enrolment as a Pin, the SHA-256 of its public key, which travels in the
// enrolment token; so no public certificate, no proxy's certificate and no clock of the plant takes part in the trust.
//
// The key of an agent is made at the site (NewKey), asked to be signed (NewCSR) and never leaves it. All keys are ECDSA
// P-256: fast to sign with on every machine that an agent runs on, and accepted by every TLS library.
//
// The package keeps nothing on disk and knows nothing of sites or revocation: that is the relay's.
package pki

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
)

// ServerName is the name in the relay's certificate. It is a role rather than a host: where the relay is reached is no
// part of who it is.
const ServerName = "gantry-relay"

// Pin is the SHA-256 of an authority's public key (SubjectPublicKeyInfo, RFC 7469). Its text is base64url without
// padding, 43 characters.
type Pin [sha256.Size]byte

// PinOf computes the pin of a certificate's key.
func PinOf(cert *x509.Certificate) Pin { return sha256.Sum256(cert.RawSubjectPublicKeyInfo) }

// String gives the text form.
func (p Pin) String() string { return base64.RawURLEncoding.EncodeToString(p[:]) }

// MarshalText implements encoding.TextMarshaler.
func (p Pin) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the text form.
func (p *Pin) UnmarshalText(text []byte) error {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(string(text))
	if err != nil || len(raw) != len(p) {
		return errors.New("a pin is 43 characters of base64url")
	}
	copy(p[:], raw)
	return nil
}

// ParsePin reads the text form of a pin.
func ParsePin(text string) (Pin, error) {
	var p Pin
	if err := p.UnmarshalText([]byte(text)); err != nil {
		return Pin{}, fmt.Errorf("parse pin: %w", err)
	}
	return p, nil
}
