package agent

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
	"time"
)

// TestMustRenew: the relay's word counts for more than a clock that may be wrong by years.
func TestMustRenew(t *testing.T) {
	begun := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	leaf := &x509.Certificate{NotBefore: begun, NotAfter: begun.AddDate(0, 3, 0)}
	for name, tt := range map[string]struct {
		now     time.Time
		expired bool
		want    bool
	}{
		"young":                {now: begun.AddDate(0, 1, 0)},
		"past two thirds":      {now: begun.AddDate(0, 2, 15), want: true},
		"a clock years behind": {now: begun.AddDate(-5, 0, 0)},
		"a clock years behind, and the relay's no": {now: begun.AddDate(-5, 0, 0), expired: true, want: true},
		"young by our clock, ended by the relay's": {now: begun.AddDate(0, 1, 0), expired: true, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := &running{identity: &identity{}}
			r.identity.current.Store(&tls.Certificate{Leaf: leaf})
			r.expired.Store(tt.expired)
			if got := r.mustRenew(tt.now); got != tt.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

// TestWordOfExpiry: a session that the relay opens for renewal alone is noticed as such when it is dialled.
func TestWordOfExpiry(t *testing.T) {
	r, c := newRelay(t), config(t)
	r.life = time.Second
	enrolled, err := Enrol(t.Context(), c, r.token(), Enrolment{Options: quiet()})
	fatal(t, err)
	time.Sleep(time.Until(enrolled.CertificateExpiresAt) + 50*time.Millisecond)
	a, err := New(c, quiet())
	fatal(t, err)
	store, err := openStore(t.Context(), c.StateDir)
	fatal(t, err)
	defer store.close(a.logger)
	id, err := store.identity(t.Context())
	fatal(t, err)
	now := &running{identity: id}
	connect, err := a.connector(now, "ins_1")
	fatal(t, err)
	session, err := connect(t.Context(), 0, func() {})
	fatal(t, err)
	defer session.Close("the test is over")
	if !now.mustRenew(enrolled.CertificateExpiresAt.AddDate(-5, 0, 0)) {
		t.Error("a clock that is years behind keeps the agent from renewing")
	}
}
