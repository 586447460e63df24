package pki_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"gantry/tunnel/pki"
)

func newAuthority(t testing.TB) *pki.Authority {
	t.Helper()
	a, err := pki.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func issue(t testing.TB, a *pki.Authority, id string, life time.Duration) (*ecdsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	key, err := pki.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	csr, err := pki.NewCSR(key)
	if err != nil {
		t.Fatal(err)
	}
	der, _, err := a.Sign(csr, id, life)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return key, cert
}

func TestAgent(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	_, cert := issue(t, ours, "agt_1", time.Hour)
	_, foreign := issue(t, theirs, "agt_1", time.Hour)
	server, err := ours.Server()
	if err != nil {
		t.Fatal(err)
	}
	relay, err := x509.ParseCertificate(server.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	tests := []struct {
		name    string
		cert    *x509.Certificate
		now     time.Time
		id      string
		expired bool
		err     error
	}{
		{"valid", cert, now, "agt_1", false, nil},
		{"the relay's clock went back", cert, now.Add(-48 * time.Hour), "agt_1", false, nil},
		{"just ended", cert, now.Add(2 * time.Hour), "agt_1", true, nil},
		{"ended within the grace", cert, now.Add(pki.Grace), "agt_1", true, nil},
		{"ended long ago", cert, now.Add(pki.Grace + 2*time.Hour), "agt_1", true, pki.ErrTooOld},
		{"another authority's", foreign, now, "", false, pki.ErrForeign},
		{"the relay's own", relay, now, "", false, pki.ErrUnfit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id, expired, err := ours.Agent(tt.cert, tt.now)
			if id != tt.id || expired != tt.expired || !errors.Is(err, tt.err) {
				t.Errorf("Agent = %q, %v, %v; want %q, %v, %v", id, expired, err, tt.id, tt.expired, tt.err)
			}
		})
	}
}

func TestVerifyServer(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	chain := func(a *pki.Authority) []*x509.Certificate {
		server, err := a.Server()
		if err != nil {
			t.Fatal(err)
		}
		var chain []*x509.Certificate
		for _, der := range server.Certificate {
			cert, err := x509.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			chain = append(chain, cert)
		}
		return chain
	}
	good, bad := chain(ours), chain(theirs)
	_, agent := issue(t, ours, "agt_1", time.Hour)
	tests := []struct {
		name  string
		chain []*x509.Certificate
		err   error
	}{
		{"the relay", good, nil},
		{"another relay", bad, pki.ErrPin},
		{"another relay with our authority hung on", []*x509.Certificate{bad[0], good[1]}, pki.ErrUnfit},
		{"an agent in the relay's place", []*x509.Certificate{agent, good[1]}, pki.ErrUnfit},
		{"the authority alone", good[1:], pki.ErrPin},
		{"nothing", nil, pki.ErrUnfit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := pki.VerifyServer(tt.chain, ours.Pin()); !errors.Is(err, tt.err) {
				t.Errorf("VerifyServer = %v; want %v", err, tt.err)
			}
		})
	}
}

func TestAuthoritySurvivesPEM(t *testing.T) {
	a := newAuthority(t)
	cert, key, err := a.PEM()
	if err != nil {
		t.Fatal(err)
	}
	b, err := pki.LoadAuthority(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	if a.Pin() != b.Pin() {
		t.Error("the pin changed")
	}
	_, issued := issue(t, a, "agt_1", time.Hour)
	if _, _, err := b.Agent(issued, time.Now()); err != nil {
		t.Errorf("a certificate made before: %v", err)
	}
	_, otherKey, _ := newAuthority(t).PEM()
	if _, err := pki.LoadAuthority(cert, otherKey); err == nil {
		t.Error("took another authority's key")
	}
}

func TestSignRefuses(t *testing.T) {
	a := newAuthority(t)
	key, _ := pki.NewKey()
	good, _ := pki.NewCSR(key)
	forged := append([]byte(nil), good...)
	forged[len(forged)-1] ^= 1
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	other, _ := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, p384)
	tests := []struct {
		name string
		csr  []byte
		id   string
		life time.Duration
	}{
		{"no request", nil, "agt_1", time.Hour},
		{"forged signature", forged, "agt_1", time.Hour},
		{"another curve", other, "agt_1", time.Hour},
		{"no id", good, "", time.Hour},
		{"endless id", good, strings.Repeat("x", 200), time.Hour},
		{"no life", good, "agt_1", 0},
		{"too large", make([]byte, 1<<20), "agt_1", time.Hour},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, _, err := a.Sign(tt.csr, tt.id, tt.life); err == nil {
				t.Error("signed")
			}
		})
	}
}

func TestVerifyIssued(t *testing.T) {
	a, b := newAuthority(t), newAuthority(t)
	key, cert := issue(t, a, "agt_1", time.Hour)
	other, foreign := issue(t, b, "agt_1", time.Hour)
	tests := []struct {
		name     string
		cert, ca []byte
		key      *ecdsa.PublicKey
		err      error
	}{
		{"ours", cert.Raw, a.Certificate(), &key.PublicKey, nil},
		{"for another key", cert.Raw, a.Certificate(), &other.PublicKey, pki.ErrUnfit},
		{"another authority", foreign.Raw, b.Certificate(), &other.PublicKey, pki.ErrPin},
		{"signed by another", foreign.Raw, a.Certificate(), &other.PublicKey, pki.ErrForeign},
		{"rubbish", []byte("x"), a.Certificate(), &key.PublicKey, pki.ErrUnfit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := pki.VerifyIssued(tt.cert, tt.ca, a.Pin(), tt.key); !errors.Is(err, tt.err) {
				t.Errorf("VerifyIssued = %v; want %v", err, tt.err)
			}
		})
	}
}

func TestPinText(t *testing.T) {
	pin := newAuthority(t).Pin()
	got, err := pki.ParsePin(pin.String())
	if err != nil || got != pin {
		t.Errorf("ParsePin(%q) = %v, %v", pin.String(), got, err)
	}
	for _, text := range []string{"", "abc", pin.String() + "A", strings.Replace(pin.String(), pin.String()[:1], "*", 1)} {
		if _, err := pki.ParsePin(text); err == nil {
			t.Errorf("ParsePin(%q) took it", text)
		}
	}
}
