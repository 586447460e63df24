package relay_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gantry/configs"
	"gantry/tunnel"
	"gantry/tunnel/enrol"
	"gantry/tunnel/pki"
)

// TestOneAddressTwoProtocols: on one HTTPS address the API speaks HTTP/2 and the tunnel, which is a websocket, HTTP/1.1;
// an agent comes in whose roots hold the relay's own authority, and none without it.
func TestOneAddressTwoProtocols(t *testing.T) {
	files, roots := webCertificate(t)
	c := startCloud(t, func(r *configs.Relay) { r.TLS = files })
	url := "https://" + c.relay.Addr()

	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport}).Get(url + "/livez")
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.ProtoMajor != 2 || answer.StatusCode != http.StatusNoContent {
		t.Errorf("the API answered %s by %s", answer.Status, answer.Proto)
	}

	identity, pin := c.enrolOver(t, roots)
	dialer := &tunnel.Dialer{URL: url, Pin: pin, Roots: roots, Handler: http.NotFoundHandler(),
		Identity: func() (tls.Certificate, error) { return identity, nil }}
	hello := tunnel.Hello{InstanceID: "instance-1", MachineID: "machine-1", Lane: tunnel.LaneCalls}
	session, err := dialer.Dial(t.Context(), hello)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close("the test is over")
	if _, err := session.Ping(t.Context()); err != nil {
		t.Error(err)
	}

	if sight, err := dialer.Look(t.Context()); err != nil || sight.Outer != tunnel.OuterSame {
		t.Errorf("the outer TLS of agent and relay: %s, %v", sight.Outer, err)
	}

	dialer.Roots = x509.NewCertPool()
	_, err = dialer.Dial(t.Context(), hello)
	if failed, ok := errors.AsType[*tunnel.DialError](err); !ok || failed.Stage != tunnel.StageTLS || failed.Issuer != "CN=Works" {
		t.Errorf("without the authority: %v", err)
	}
}

// enrolOver makes an agent over HTTPS.
func (c *cloud) enrolOver(t *testing.T, roots *x509.CertPool) (tls.Certificate, pki.Pin) {
	t.Helper()
	site := c.postOver(t, roots, "/sites", `{"name":"Works 1"}`)
	token, err := enrol.Parse(site.Token)
	if err != nil {
		t.Fatal(err)
	}
	key, err := pki.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	csr, err := pki.NewCSR(key)
	if err != nil {
		t.Fatal(err)
	}
	dialer := &tunnel.Dialer{URL: token.Relay, Pin: token.Pin, Roots: roots}
	made, err := enrol.Call(t.Context(), dialer, token, enrol.Request{CSR: csr, MachineID: "machine-1"})
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{made.Certificate}, PrivateKey: key}, token.Pin
}

func (c *cloud) postOver(t *testing.T, roots *x509.CertPool, path, body string) (made siteMade) {
	t.Helper()
	c.url = "https://" + c.relay.Addr()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	defer transport.CloseIdleConnections()
	answer, err := transport.RoundTrip(c.request(t.Context(), c.key, http.MethodPost, "/api/v1"+path, body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if err := json.NewDecoder(answer.Body).Decode(&made); err != nil || answer.StatusCode != http.StatusCreated {
		t.Fatalf("%s: %v", answer.Status, err)
	}
	return made
}

// webCertificate makes an authority's certificate that serves 127.0.0.1 itself, as files, and the roots that trust it.
func webCertificate(t *testing.T) (configs.TLS, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Works"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	files := configs.TLS{Cert: filepath.Join(folder, "relay.crt"), Key: filepath.Join(folder, "relay.key")}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, content := range map[string][]byte{
		files.Cert: certificate, files.Key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}),
	} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certificate)
	return files, roots
}
