package doctor

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"gantry/configs"
	"gantry/relay/admin"
	"gantry/relay/store/sqlite"
	"gantry/tunnel/check"
)

// TestDoctor breaks a relay's machine in one way after the other, and expects the one finding.
func TestDoctor(t *testing.T) {
	for _, tt := range []struct {
		name  string
		wreck func(t *testing.T, s *Server)
		want  string // id; empty: nothing
	}{
		{"nothing", func(*testing.T, *Server) {}, ""},
		{"a faulty configuration", func(_ *testing.T, s *Server) { s.Problem = errors.New("line 3") }, "SRV-CONFIG"},
		{"no data", func(t *testing.T, s *Server) { s.Config.DataDir = t.TempDir() }, "SRV-NODATA"},
		{"open to others", func(t *testing.T, s *Server) { must(t, os.Chmod(filepath.Join(s.Config.DataDir, sqlite.File), 0o644)) }, "SRV-MODES"},
		{"damaged", damage, "SRV-DATABASE"},
		{"clock set back", func(t *testing.T, s *Server) {
			ahead := time.Now().Add(time.Hour)
			must(t, os.Chtimes(filepath.Join(s.Config.DataDir, sqlite.File), ahead, ahead))
		}, "SRV-CLOCK"},
		{"not running", func(_ *testing.T, s *Server) { s.Status = answering(admin.ErrNotRunning) }, "SRV-STOPPED"},
		{"no answer", func(_ *testing.T, s *Server) { s.Status = answering(admin.ErrNoAccess) }, "SRV-ADMIN"},
		{"certificate missing", func(_ *testing.T, s *Server) { s.Config.TLS.Cert = "/nowhere.pem" }, "SRV-TLS"},
		{"certificate expired", certified("relay.test", -time.Hour), "SRV-TLS-EXPIRED"},
		{"certificate ends soon", certified("relay.test", 24*time.Hour), "SRV-TLS-SOON"},
		{"certificate of another", certified("other.test", 90*24*time.Hour), "SRV-TLS-NAME"},
		{"certificate in order", certified("relay.test", 90*24*time.Hour), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if runtime.GOOS == "windows" && tt.want == "SRV-MODES" {
				t.Skip("decided by access lists there")
			}
			s := healthy(t)
			tt.wreck(t, s)
			var found []string
			for _, r := range check.Run(t.Context(), s.Checks(), check.Options{}).Results {
				if r.ID != "" {
					found = append(found, r.ID)
				}
			}
			if len(found) != min(len(tt.want), 1) || len(found) == 1 && found[0] != tt.want {
				t.Errorf("found %v, want %s", found, tt.want)
			}
		})
	}
}

// TestAddressTaken listens where the relay would.
func TestAddressTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	s := Server{Config: configs.Relay{Listen: l.Addr().String()}, Status: answering(admin.ErrNotRunning)}
	report := check.Run(t.Context(), []check.Check{{Name: "server.listen", Run: s.listen}}, check.Options{})
	if r := report.Results[0]; r.ID != "SRV-LISTEN" {
		t.Errorf("found %+v", r)
	}
}

// healthy is a machine where everything is in order.
func healthy(t *testing.T) *Server {
	t.Helper()
	dir := t.TempDir()
	store, err := sqlite.Open(t.Context(), dir, nil)
	must(t, err)
	must(t, store.Close())
	must(t, os.Chmod(dir, 0o700))
	return &Server{Config: configs.Relay{DataDir: dir, Listen: "127.0.0.1:0", PublicURL: "https://relay.test"}, Status: answering(nil)}
}

func answering(err error) func(context.Context) (admin.Status, error) {
	return func(context.Context) (admin.Status, error) { return admin.Status{Listen: "127.0.0.1:1"}, err }
}

// damage overwrites the middle of the database.
func damage(t *testing.T, s *Server) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(s.Config.DataDir, sqlite.File), os.O_RDWR, 0)
	must(t, err)
	_, err = f.WriteAt(make([]byte, 8192), 8192)
	must(t, errors.Join(err, f.Close()))
}

// certified gives the relay a certificate for a name, which ends after a time.
func certified(name string, life time.Duration) func(*testing.T, *Server) {
	return func(t *testing.T, s *Server) {
		t.Helper()
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(t, err)
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
			NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(life),
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		must(t, err)
		private, err := x509.MarshalPKCS8PrivateKey(key)
		must(t, err)
		folder := t.TempDir()
		s.Config.TLS = configs.TLS{Cert: filepath.Join(folder, "cert.pem"), Key: filepath.Join(folder, "key.pem")}
		must(t, os.WriteFile(s.Config.TLS.Cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
		must(t, os.WriteFile(s.Config.TLS.Key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
