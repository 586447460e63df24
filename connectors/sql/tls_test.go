package sqldriver_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/pem"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	sqldriver "gantry/connectors/sql"
	"gantry/connectors/sql/sqltest"
)

// TestTLS turns on TLS at a real PostgreSQL and logs in with each setting.
func TestTLS(t *testing.T) {
	server := sqltest.Postgres(t)
	certificate := encrypt(t, server.Admin())
	for _, c := range []struct {
		name, mode, ca string
		encrypted      bool
		fails          bool
	}{
		{"disable", "disable", "", false, false},
		{"prefer takes what there is", "prefer", "", true, false},
		{"require takes any certificate", "require", "", true, false},
		{"require with a CA checks it", "require", foreign(t), false, true},
		{"verify-full trusts the CA that it is given", "verify-full", certificate, true, false},
		{"verify-full refuses another's certificate", "verify-full", foreign(t), false, true},
		{"verify-full refuses what the machine does not know", "verify-full", "", false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			database := server.Database(t)
			target := database.Target()
			target.Settings["tls"] = c.mode
			if c.ca != "" {
				target.Settings["ca"] = c.ca
			}
			conn, err := sqldriver.Driver{}.Open(t.Context(), target)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			_, err = conn.Check(t.Context())
			if failed := err != nil; failed != c.fails {
				t.Fatalf("logging in: %v", err)
			}
			if c.fails && !strings.Contains(err.Error(), "certificate is not trusted") {
				t.Errorf("the failure does not name the certificate: %v", err)
			}
			if !c.fails && encrypted(t, server.Admin(), database.Username) != c.encrypted {
				t.Errorf("encrypted: %v, want %v", !c.encrypted, c.encrypted)
			}
		})
	}
}

// encrypted asks the server whether the user's session is.
func encrypted(t *testing.T, admin *sql.DB, user string) bool {
	t.Helper()
	var is bool
	err := admin.QueryRowContext(t.Context(), `SELECT bool_or(s.ssl) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)
		WHERE a.usename = $1 AND a.application_name = 'gantry'`, user).Scan(&is)
	if err != nil {
		t.Fatal(err)
	}
	return is
}

// encrypt gives the server a certificate, by its own hand: the files must be its own.
func encrypt(t *testing.T, admin *sql.DB) (certificate string) {
	t.Helper()
	certificate, key := selfSigned(t)
	var folder string
	if err := admin.QueryRowContext(t.Context(), "SHOW data_directory").Scan(&folder); err != nil {
		t.Fatal(err)
	}
	statements := []string{"ALTER SYSTEM SET ssl = on"}
	for name, content := range map[string]string{"server.crt": certificate, "server.key": key} {
		statements = append(statements, "COPY (SELECT unnest(string_to_array('"+strings.TrimSpace(content)+"', E'\\n'))) TO PROGRAM 'umask 077; cat > "+folder+"/"+name+"'")
	}
	statements = append(statements[1:], statements[0], "SELECT pg_reload_conf()")
	for _, s := range statements {
		if _, err := admin.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 { // a reload is seen by the next sessions
		var on string
		if err := admin.QueryRowContext(t.Context(), "SHOW ssl").Scan(&on); err != nil {
			t.Fatal(err)
		}
		if on == "on" {
			return certificate
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the server did not turn TLS on")
	return ""
}

// foreign is the certificate of somebody else.
func foreign(t *testing.T) string {
	t.Helper()
	certificate, _ := selfSigned(t)
	return certificate
}

func selfSigned(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a test's database"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
}
