package house

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// tool finds a program that a test needs, or skips; with GANTRY_REQUIRE_ALL it fails instead.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("GANTRY_REQUIRE_ALL") != "" {
		t.Fatalf("GANTRY_REQUIRE_ALL is set, and %s is not installed", name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// TestThroughAProxyWithAPassword goes through tinyproxy, which asks for basic authentication.
func TestThroughAProxyWithAPassword(t *testing.T) {
	path := tool(t, "tinyproxy")
	folder := t.TempDir()
	address := freeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	config := filepath.Join(folder, "tinyproxy.conf")
	writeFile(t, config, fmt.Sprintf("Port %s\nListen 127.0.0.1\nTimeout 600\nBasicAuth plant s3cret-of-the-proxy\nLogFile \"%s/proxy.log\"\nLogLevel Info\n", port, folder))
	start(t, filepath.Join(folder, "out.log"), path, []string{"-d", "-c", config})
	awaitPort(t, address)
	writeFile(t, filepath.Join(folder, "password"), "s3cret-of-the-proxy\n")

	aw := openAdventureWorks(t, "postgres", withAgent(fmt.Sprintf(
		"proxy: {url: \"http://%s\", username: plant, password_file: %s}\n", address, filepath.Join(folder, "password"))))
	records, err := aw.client.All(t.Context(), "/vendors", 50)
	if err != nil || len(records) != 104 {
		t.Fatalf("%d vendors: %v", len(records), err)
	}
	log := read(t, filepath.Join(folder, "proxy.log"))
	if !bytes.Contains(log, []byte("CONNECT")) {
		t.Errorf("the proxy saw no CONNECT:\n%s", log)
	}
}

// TestThroughAProxyThatInspectsTLS goes through mitmproxy, which opens the outer TLS with a certificate authority that
// the agent was given, records everything, and must have recorded neither a record nor a secret.
func TestThroughAProxyThatInspectsTLS(t *testing.T) {
	path := tool(t, "mitmdump")
	folder := t.TempDir()
	address := freeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	capture := filepath.Join(folder, "capture")
	start(t, filepath.Join(folder, "out.log"), path, []string{
		"--listen-host", "127.0.0.1", "--listen-port", port, "--set", "confdir=" + folder, "--ssl-insecure", "-w", capture,
	})
	awaitPort(t, address)
	authority := filepath.Join(folder, "mitmproxy-ca-cert.pem")
	eventually(t, 30*time.Second, "mitmproxy has its authority", func() error { _, err := os.Stat(authority); return err })

	certificate, key := selfSigned(t, folder)
	aw := openAdventureWorks(t, "postgres",
		withTLS(certificate, key),
		withAgent(fmt.Sprintf("proxy: {url: \"http://%s\"}\nca_file: %s\n", address, authority)))
	count, err := aw.client.Stream(t.Context(), "/vendors", func([]byte) error { return nil })
	if err != nil || count != 104 {
		t.Fatalf("%d vendors: %v", count, err)
	}
	aw.plant.expect(aw.client, http.MethodPost, "/purchase-orders", newOrder("3"), 201, nil)
	aw.plant.agent.stop() // the capture is written when the flow ends
	time.Sleep(time.Second)

	seen := read(t, capture)
	if !bytes.Contains(seen, []byte("/tunnel")) || len(seen) < 20_000 {
		t.Fatalf("the capture of %d bytes does not hold the tunnel: the test tells nothing", len(seen))
	}
	for _, text := range []string{"Australia Bike Retailer", "vendor_id", "purchase-orders", aw.login.Credentials["password"]} {
		if bytes.Contains(seen, []byte(text)) {
			t.Errorf("the proxy saw %q", text)
		}
	}
	t.Logf("the capture holds %d bytes of the tunnel", len(seen))
}

func awaitPort(t *testing.T, address string) {
	t.Helper()
	eventually(t, 30*time.Second, address+" listens", func() error {
		c, err := net.Dial("tcp", address)
		if err == nil {
			err = c.Close()
		}
		return err
	})
}

func writeFile(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// selfSigned makes a certificate for localhost and gives its files.
func selfSigned(t *testing.T, folder string) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key = filepath.Join(folder, "relay.crt"), filepath.Join(folder, "relay.key")
	writeFile(t, certificate, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	writeFile(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})))
	return certificate, key
}

// withTLS lets the relay speak HTTPS, and the test's own clients trust it.
func withTLS(certificate, key string) option {
	return func(b *blueprint) {
		b.relay += fmt.Sprintf("tls: {cert: %s, key: %s}\n", certificate, key)
		b.https = true
	}
}

// trusting is a client that accepts the test's own certificate.
func trusting() *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} // a test's own loopback server
}
