package pki

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"
)

const (
	authorityLife = 20 * 365 * 24 * time.Hour // a new authority means enrolling every agent anew
	serverLife    = 365 * 24 * time.Hour      // made anew at each start; agents do not look at the clock
	backdate      = time.Hour                 // the relay's clock may be set back a little
	maxRequest    = 8 << 10                   // bytes of a certificate request; a real one has about 250
	maxAgentID    = 128                       // bytes
)

// Authority signs the certificates of one relay and its agents. It is safe for concurrent use.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewAuthority makes an authority with a key of its own.
func NewAuthority() (*Authority, error) {
	key, err := NewKey()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	der, err := sign(&x509.Certificate{
		Subject:               pkix.Name{CommonName: "Gantry relay authority"},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(authorityLife),
		KeyUsage:              x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true, // it signs leaves, and no other authority
	}, nil, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("make authority: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make authority: %w", err)
	}
	return &Authority{cert: cert, key: key}, nil
}

// LoadAuthority reads what PEM wrote.
func LoadAuthority(certPEM, keyPEM []byte) (*Authority, error) {
	block, _ := pem.Decode(certPEM)
	if block == nil || block.Type != pemCertificate {
		return nil, errors.New("load authority: not a PEM certificate")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("load authority: %w", err)
	}
	key, err := ParseKey(keyPEM)
	if err != nil {
		return nil, fmt.Errorf("load authority: %w", err)
	}
	if !key.PublicKey.Equal(cert.PublicKey) || !cert.IsCA {
		return nil, errors.New("load authority: the certificate is not the key's, or not an authority's")
	}
	return &Authority{cert: cert, key: key}, nil
}

// PEM gives the certificate and the key; the key is a secret.
func (a *Authority) PEM() (cert, key []byte, err error) {
	key, err = MarshalKey(a.key)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemCertificate, Bytes: a.cert.Raw}), key, nil
}

// Pin is what agents know the authority by.
func (a *Authority) Pin() Pin { return PinOf(a.cert) }

// Certificate gives the authority's own certificate (DER), which an agent receives at enrolment.
func (a *Authority) Certificate() []byte { return a.cert.Raw }

// Server makes the relay's certificate with a fresh key. The chain holds the authority, so that an agent that knows
// only the pin can check it.
func (a *Authority) Server() (tls.Certificate, error) {
	key, err := NewKey()
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now()
	der, err := sign(&x509.Certificate{
		Subject:     pkix.Name{CommonName: ServerName},
		DNSNames:    []string{ServerName},
		NotBefore:   now.Add(-backdate),
		NotAfter:    now.Add(serverLife),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make the relay's certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key}, nil
}

// Sign makes an agent's certificate (DER) for the key in a certificate request, valid for life from now. Everything
// else that the request says is left aside.
func (a *Authority) Sign(csrDER []byte, agentID string, life time.Duration) (der []byte, notAfter time.Time, err error) {
	key, err := requestedKey(csrDER)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("sign certificate of agent %s: %w", agentID, err)
	}
	if agentID == "" || len(agentID) > maxAgentID || life <= 0 {
		return nil, time.Time{}, fmt.Errorf("sign certificate of agent %q: an id and a life are needed", agentID)
	}
	now := time.Now()
	notAfter = now.Add(life).Truncate(time.Second) // X.509 knows no fractions
	der, err = sign(&x509.Certificate{
		Subject:     pkix.Name{CommonName: agentID},
		NotBefore:   now.Add(-backdate),
		NotAfter:    notAfter,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, a.cert, key, a.key)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("sign certificate of agent %s: %w", agentID, err)
	}
	return der, notAfter, nil
}

func requestedKey(csrDER []byte) (*ecdsa.PublicKey, error) {
	if len(csrDER) > maxRequest {
		return nil, errors.New("the certificate request is too large")
	}
	csr, err := x509.ParseCertificateRequest(csrDER)
	if err != nil {
		return nil, fmt.Errorf("parse certificate request: %w", err)
	}
	if err := csr.CheckSignature(); err != nil { // else anybody's public key could be certified
		return nil, fmt.Errorf("check certificate request: %w", err)
	}
	return parsePublicP256(csr.PublicKey)
}

// sign completes a template and signs it; a nil parent means that it signs itself.
func sign(template, parent *x509.Certificate, public *ecdsa.PublicKey, key *ecdsa.PrivateKey) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial.Add(serial, big.NewInt(1))
	if parent == nil {
		parent = template
	}
	return x509.CreateCertificate(rand.Reader, template, parent, public, key)
}
