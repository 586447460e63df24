package pki

import (
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Grace is how long after its end an agent's certificate still serves to ask for a new one.
const Grace = 365 * 24 * time.Hour

// What can be wrong with a certificate.
var (
	ErrForeign = errors.New("the certificate is of another authority")
	ErrUnfit   = errors.New("the certificate is not of the right kind")
	ErrTooOld  = errors.New("the certificate ended more than a year ago")
	ErrPin     = errors.New("the relay is not the one that this agent was enrolled with")
)

// Agent tells whose certificate it is. expired means that it ended, and may still be used to ask for a new one.
// The error is, or wraps, ErrForeign, ErrUnfit or ErrTooOld; with the last the id is given too. now is the relay's time,
// which is the time that the certificate was made by.
func (a *Authority) Agent(cert *x509.Certificate, now time.Time) (agentID string, expired bool, err error) {
	if err := cert.CheckSignatureFrom(a.cert); err != nil {
		return "", false, fmt.Errorf("%w: %w", ErrForeign, err)
	}
	id := cert.Subject.CommonName
	if id == "" || cert.IsCA || !slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageClientAuth) {
		return "", false, fmt.Errorf("%w: not an agent's", ErrUnfit)
	}
	if now.After(cert.NotAfter.Add(Grace)) {
		return id, true, ErrTooOld
	}
	return id, now.After(cert.NotAfter), nil
}

// VerifyServer checks the chain that a relay presents, leaf first, against the pin. The plant's clock may be wrong by
// years, so the certificate is judged at a moment of its own validity: what proves the relay is its key, which is
// renewed by pinning a new authority and not by the passing of time.
//
// The error is, or wraps, ErrPin or ErrUnfit.
func VerifyServer(chain []*x509.Certificate, pin Pin) error {
	if len(chain) == 0 || len(chain) > 4 {
		return fmt.Errorf("%w: %d certificates", ErrUnfit, len(chain))
	}
	i := slices.IndexFunc(chain[1:], func(c *x509.Certificate) bool { return PinOf(c) == pin })
	if i < 0 {
		return ErrPin
	}
	roots := x509.NewCertPool()
	roots.AddCert(chain[1+i])
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots:       roots,
		DNSName:     ServerName,
		CurrentTime: later(chain[0].NotBefore, chain[1+i].NotBefore),
		KeyUsages:   []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnfit, err)
	}
	return nil
}

// VerifyIssued checks a certificate that an enrolment or a renewal gave: made by the pinned authority, for this key.
// certDER and caDER are DER; public is the agent's own.
func VerifyIssued(certDER, caDER []byte, pin Pin, public *ecdsa.PublicKey) error {
	ca, err := x509.ParseCertificate(caDER)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnfit, err)
	}
	if PinOf(ca) != pin {
		return ErrPin
	}
	cert, err := x509.ParseCertificate(certDER)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnfit, err)
	}
	if err := cert.CheckSignatureFrom(ca); err != nil {
		return fmt.Errorf("%w: %w", ErrForeign, err)
	}
	if !public.Equal(cert.PublicKey) {
		return fmt.Errorf("%w: made for another key", ErrUnfit)
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
