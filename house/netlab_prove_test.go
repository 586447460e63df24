//go:build prove

package house

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// netlab is a plant's network of its own: a namespace that is joined to this one, the cloud, by a pair of interfaces. The
// names that it knows are those that the test's DNS server tells it.
type netlab struct {
	t      *testing.T
	folder string
	space  string // of the plant

	authority *x509.Certificate // that the plant trusts, as it trusts those of the web
	key       *ecdsa.PrivateKey

	mu    sync.Mutex
	names map[string]string // what the DNS server answers: an address; what is missing does not exist
}

// The addresses. What the plant reaches in its own network is in the first, what it needs a route for in the second.
const (
	labPlant   = "10.213.77.2"
	labGateway = "10.213.77.1"  // also the DNS server
	labProxy   = "10.213.77.20" // in the plant's own network
	labRelay   = "10.213.78.10" // beyond the gateway
	labOther   = "10.213.78.30" // what stands in the relay's place
	labHost    = "relay.gantry.test"
)

// mustHave fails where the machine lacks a program: a proof that skips proves nothing.
func mustHave(t *testing.T, programs map[string]string) {
	t.Helper()
	for name, debian := range programs {
		if _, err := exec.LookPath(name); err != nil {
			t.Fatalf("%s is missing: apt-get install %s", name, debian)
		}
	}
	if os.Geteuid() != 0 {
		t.Fatal("network namespaces need root")
	}
}

func openNetlab(t *testing.T) *netlab {
	t.Helper()
	mustHave(t, map[string]string{"ip": "iproute2", "nft": "nftables", "tinyproxy": "tinyproxy", "squid": "squid", "mitmdump": "mitmproxy", "unshare": "util-linux"})
	folder, err := os.MkdirTemp("", "gantry-lab-")
	if err != nil {
		t.Fatal(err)
	}
	l := &netlab{t: t, folder: folder, space: fmt.Sprintf("gantry%d", os.Getpid()), names: map[string]string{}}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o755); err != nil { // squid reads in it as another account
		t.Fatal(err)
	}
	l.wire()
	l.makeAuthority()
	l.serveNames()
	return l
}

// wire makes the namespace, and takes it away in the end.
func (l *netlab) wire() {
	near, far := "gl"+fmt.Sprint(os.Getpid()), "gp"+fmt.Sprint(os.Getpid())
	resolv := filepath.Join("/etc/netns", l.space)
	l.t.Cleanup(func() {
		_ = exec.Command("ip", "link", "del", near).Run()
		_ = exec.Command("ip", "netns", "del", l.space).Run()
		_ = os.RemoveAll(resolv)
		_ = os.Remove("/etc/netns") // fails unless it is empty
	})
	l.sh("ip", "netns", "add", l.space)
	l.sh("ip", "link", "add", near, "type", "veth", "peer", "name", far)
	l.sh("ip", "link", "set", far, "netns", l.space)
	for _, address := range []string{labGateway + "/24", labProxy + "/24", labRelay + "/24", labOther + "/24"} {
		l.sh("ip", "addr", "add", address, "dev", near)
	}
	l.sh("ip", "link", "set", near, "up")
	l.in("ip", "link", "set", "lo", "up")
	l.in("ip", "addr", "add", labPlant+"/24", "dev", far)
	l.in("ip", "link", "set", far, "up")
	l.in("ip", "route", "add", "default", "via", labGateway)
	l.in("nft", "add", "table", "inet", "lab")
	l.in("nft", "add", "chain", "inet", "lab", "out", "{ type filter hook output priority 0; policy accept; }")
	l.in("nft", "add", "chain", "inet", "lab", "in", "{ type filter hook input priority 0; policy accept; }")
	if err := os.MkdirAll(resolv, 0o755); err != nil {
		l.t.Fatal(err)
	}
	writeFile(l.t, filepath.Join(resolv, "resolv.conf"), "nameserver "+labGateway+"\noptions timeout:2 attempts:1\n")
}

// sh runs a command in the cloud.
func (l *netlab) sh(name string, args ...string) {
	l.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		l.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// in runs a command in the plant.
func (l *netlab) in(name string, args ...string) {
	l.t.Helper()
	l.sh("ip", append([]string{"netns", "exec", l.space, name}, args...)...)
}

// agent runs a command of the agent in the plant, and gives its output and exit code.
func (l *netlab) agent(env []string, args ...string) (stdout string, code int) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), 2*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", l.space, program(l.t, "gantry-agent")}, args...)...)
	var out, talk bytes.Buffer
	command.Stdout, command.Stderr, command.Env = &out, &talk, append(os.Environ(), env...)
	err := command.Run()
	exit, ended := errors.AsType[*exec.ExitError](err)
	switch {
	case ctx.Err() != nil:
		l.t.Fatalf("gantry-agent %v did not end: %s%s", args, &out, &talk)
	case ended:
		code = exit.ExitCode()
	case err != nil:
		l.t.Fatalf("gantry-agent %v: %v", args, err)
	}
	if talk.Len() > 0 && out.Len() == 0 {
		return talk.String(), code
	}
	return out.String(), code
}

// resolve makes a name known, or with an empty address unknown.
func (l *netlab) resolve(name, address string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.names[name] = address
}

// serveNames is the plant's DNS server.
func (l *netlab) serveNames() {
	server, err := net.ListenPacket("udp", labGateway+":53")
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = server.Close() })
	go func() {
		buffer := make([]byte, 1500)
		for {
			n, from, err := server.ReadFrom(buffer)
			if err != nil {
				return
			}
			if answer := l.answer(buffer[:n]); answer != nil {
				_, _ = server.WriteTo(answer, from)
			}
		}
	}()
}

func (l *netlab) answer(query []byte) []byte {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	l.mu.Lock()
	text, known := l.names[strings.TrimSuffix(q.Name.String(), ".")]
	l.mu.Unlock()
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	address, err := netip.ParseAddr(text)
	switch {
	case !known || err != nil:
		m.RCode = dnsmessage.RCodeNameError
	case q.Type == dnsmessage.TypeA:
		m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
			Body: &dnsmessage.AResource{A: address.As4()}}}
	}
	packed, err := m.Pack()
	if err != nil {
		return nil
	}
	return packed
}

// makeAuthority makes what stands for the authorities of the web.
func (l *netlab) makeAuthority() {
	l.t.Helper()
	var err error
	if l.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		l.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Example Web CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: time.Now().AddDate(1, 0, 0), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, l.key.Public(), l.key)
	if err != nil {
		l.t.Fatal(err)
	}
	if l.authority, err = x509.ParseCertificate(der); err != nil {
		l.t.Fatal(err)
	}
	writeFile(l.t, l.path("web-ca.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
}

func (l *netlab) path(name string) string { return filepath.Join(l.folder, name) }

// certificate makes one of that authority for the relay's name.
func (l *netlab) certificate(name string, ends time.Time) (cert, key string) {
	l.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		l.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: labHost}, DNSNames: []string{labHost}, IPAddresses: []net.IP{net.ParseIP(labRelay)},
		NotBefore: time.Now().AddDate(0, -3, 0), NotAfter: ends, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, l.authority, private.Public(), l.key)
	if err != nil {
		l.t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		l.t.Fatal(err)
	}
	cert, key = l.path(name+".crt"), l.path(name+".key")
	writeFile(l.t, cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	writeFile(l.t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})))
	return cert, key
}

// inPlace serves HTTPS in the relay's place, for as long as the test runs.
func (l *netlab) inPlace(t *testing.T, cert, key string, handler http.Handler) {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := tls.Listen("tcp", labOther+":443", &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	l.resolve(labHost, labOther)
	t.Cleanup(func() { l.resolve(labHost, labRelay) })
}

// passing hands everything on to the relay, and lets its answers be changed.
func passing(change func(*http.Response) error) http.Handler {
	target := &url.URL{Scheme: "https", Host: labRelay}
	return &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:      &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, // the test's own way back
		ModifyResponse: change, ErrorLog: log.New(io.Discard, "", 0),
	}
}

// mitm starts mitmproxy in the plant, on a port of its own, with a script if there is one; it gives the proxy's URL and
// its authority's file. The relay's name is known to it by a hosts file of its own.
func (l *netlab) mitm(t *testing.T, port int, script string) (proxy, authority string) {
	t.Helper()
	home := filepath.Join(t.TempDir(), "mitm")
	hosts := filepath.Join(t.TempDir(), "hosts")
	writeFile(t, hosts, "127.0.0.1 localhost\n"+labRelay+" "+labHost+"\n")
	args := []string{"--mount", "sh", "-c", `mount --bind "$0" /etc/hosts && exec mitmdump "$@"`, hosts,
		"--listen-host", labProxy, "--listen-port", fmt.Sprint(port), "--set", "confdir=" + home, "--ssl-insecure"}
	if script != "" {
		file := filepath.Join(t.TempDir(), "script.py")
		writeFile(t, file, script)
		args = append(args, "-s", file)
	}
	start(t, l.path(fmt.Sprintf("mitm-%d.log", port)), "unshare", args)
	authority = filepath.Join(home, "mitmproxy-ca-cert.pem")
	awaitPort(t, fmt.Sprintf("%s:%d", labProxy, port))
	eventually(t, 30*time.Second, "mitmproxy has its authority", func() error { _, err := os.Stat(authority); return err })
	return fmt.Sprintf("http://%s:%d", labProxy, port), authority
}
