package enrol

import (
	"crypto/x509"
	"fmt"

	"gantry/tunnel/pki"
)

// checkAuthority makes sure that a certificate (DER) is the pinned authority's.
func checkAuthority(der []byte, pin pki.Pin) error {
	ca, err := x509.ParseCertificate(der)
	if err != nil {
		return fmt.Errorf("parse authority: %w", err)
	}
	if pki.PinOf(ca) != pin {
		return pki.ErrPin
	}
	return nil
}
