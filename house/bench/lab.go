package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"gantry/configs"
)

// lab keeps the servers and the certificate of one run, and stops them all.
type lab struct {
	certificate tls.Certificate
	roots       *x509.CertPool
	closers     []func()
}

func newLab() (*lab, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bench"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	l := &lab{certificate: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, roots: x509.NewCertPool()}
	l.roots.AddCert(leaf)
	return l, nil
}

func (l *lab) clientTLS() *tls.Config { return &tls.Config{RootCAs: l.roots} }

func (l *lab) close() {
	for i := len(l.closers) - 1; i >= 0; i-- {
		l.closers[i]()
	}
}

// serve starts a plain HTTP server and gives its address.
func (l *lab) serve(h http.Handler) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err) // no free loopback port: nothing can be measured
	}
	l.run(listener, h)
	return listener.Addr().String()
}

// serveTLS starts an HTTPS server, HTTP/1.1 only: the roads differ in the tunnel, not in the client's protocol.
func (l *lab) serveTLS(h http.Handler) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{l.certificate}, NextProtos: []string{"http/1.1"}}
	l.run(tls.NewListener(listener, config), h)
	return listener.Addr().String()
}

func (l *lab) run(listener net.Listener, h http.Handler) {
	server := &http.Server{Handler: h, ErrorLog: log.New(discard{}, "", 0)}
	go func() { _ = server.Serve(listener) }()
	l.closers = append(l.closers, func() { _ = server.Close() })
}

// files writes the lab's certificate and key for programs that read files, and gives their names.
func (l *lab) files(folder string) (configs.TLS, error) {
	key, err := x509.MarshalPKCS8PrivateKey(l.certificate.PrivateKey)
	if err != nil {
		return configs.TLS{}, err
	}
	names := configs.TLS{Cert: filepath.Join(folder, "bench.crt"), Key: filepath.Join(folder, "bench.key")}
	for name, block := range map[string]*pem.Block{
		names.Cert: {Type: "CERTIFICATE", Bytes: l.certificate.Certificate[0]},
		names.Key:  {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			return configs.TLS{}, err
		}
	}
	return names, nil
}

// labFrom reads what files wrote.
func labFrom(folder string) (*lab, error) {
	certificate, err := tls.LoadX509KeyPair(filepath.Join(folder, "bench.crt"), filepath.Join(folder, "bench.key"))
	if err != nil {
		return nil, err
	}
	l := &lab{certificate: certificate, roots: x509.NewCertPool()}
	l.roots.AddCert(certificate.Leaf)
	return l, nil
}
