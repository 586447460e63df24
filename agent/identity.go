package agent

import (
	"context"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"gantry/agent/state"
	"gantry/connectors/seal"
	"gantry/tunnel/pki"
)

// Purposes bind the boxes of an identity to what they hold.
const (
	purposeTLSKey     = "identity tls key"
	purposeSealingKey = "identity sealing key"
	purposeCursorKey  = "identity cursor key"
)

// ErrVault is the answer when the secrets in the state were written with another vault key.
var ErrVault = errors.New("the vault key does not belong to this state: put the former vault.key back, or enrol again and relink the connections")

// identity is who the agent is, with its keys opened. They never leave the process.
type identity struct {
	state.Identity
	key     *ecdsa.PrivateKey
	pin     pki.Pin
	sealing seal.PrivateKey
	cursor  []byte
	current atomic.Pointer[tls.Certificate] // exchanged at renewal
}

// identity reads who the agent is, or state.ErrNotEnrolled.
func (s *store) identity(ctx context.Context) (*identity, error) {
	row, err := s.db.Identity(ctx)
	if err != nil {
		return nil, err
	}
	if row.Vault != s.vault.ID() {
		return nil, ErrVault
	}
	id := &identity{Identity: row}
	if err := id.open(s); err != nil {
		return nil, fmt.Errorf("open identity of agent %s: %w", row.Agent, err)
	}
	return id, nil
}

func (id *identity) open(s *store) error {
	tlsKey, err := s.vault.Decrypt(id.TLSKeyBox, purposeTLSKey)
	if err != nil {
		return err
	}
	if id.key, err = pki.ParseKey(tlsKey); err != nil {
		return err
	}
	sealing, err := s.vault.Decrypt(id.SealingKeyBox, purposeSealingKey)
	if err != nil {
		return err
	}
	if id.sealing, err = seal.ParseKey(sealing); err != nil {
		return err
	}
	if id.cursor, err = s.vault.Decrypt(id.CursorKeyBox, purposeCursorKey); err != nil {
		return err
	}
	if id.pin, err = pki.ParsePin(id.Pin); err != nil {
		return err
	}
	return id.setCertificate(id.Certificate)
}

// setCertificate puts a certificate in use for the sessions to come.
func (id *identity) setCertificate(der []byte) error {
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	id.current.Store(&tls.Certificate{Certificate: [][]byte{der, id.CA}, PrivateKey: id.key, Leaf: leaf})
	return nil
}

// certificate is what a session proves the agent with.
func (id *identity) certificate() (tls.Certificate, error) { return *id.current.Load(), nil }

// expires is the end of the certificate in use.
func (id *identity) expires() time.Time { return id.current.Load().Leaf.NotAfter }
