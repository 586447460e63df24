package sqlite

import (
	"os"
	"testing"
	"time"

	"gantry/relay/store"
)

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// benchStore opens a store with one agent.
func benchStore(b *testing.B) (*Store, string) {
	b.Helper()
	s, err := Open(b.Context(), b.TempDir(), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	o, err := s.CreateOrganisation(b.Context(), "Plant", 1)
	if err != nil {
		b.Fatal(err)
	}
	site, err := s.CreateSite(b.Context(), o.ID, "Plant 1")
	if err != nil {
		b.Fatal(err)
	}
	until := time.Now().Add(time.Hour)
	if _, err := s.CreateEnrolment(b.Context(), o.ID, site.ID, store.Hash{1}, until); err != nil {
		b.Fatal(err)
	}
	agent, err := s.Enrol(b.Context(), store.Hash{1}, store.NewAgent{ID: "agt_1", CertificateExpiresAt: until})
	if err != nil {
		b.Fatal(err)
	}
	return s, agent.ID
}
