package tunnel_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // MS-NLMP's
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"unicode/utf16"

	"gantry/tunnel"
)

// ntlmProxy is a CONNECT proxy that asks for NTLM, and checks the answer by MS-NLMP itself, not by the library that makes
// it: the response must be the user's, to this connection's challenge.
type ntlmProxy struct {
	scheme   string // NTLM, or Negotiate with NTLM in it
	others   string // further headers of the 407
	cuts     bool   // the connection in the middle of the login
	connects atomic.Int64
	basics   atomic.Int64 // passwords that were sent in clear
}

// The user of MS-NLMP, 4.2: name, domain, and NTOWFv1 of the password "Password" (4.2.2.1.2).
const (
	ntlmUser   = "User"
	ntlmDomain = "Domain"
	ntlmHash   = "a4f49c406510bdcab6824ee7c30fd852"
)

var ntlmChallenge = []byte{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef}

func (p *ntlmProxy) serve(c net.Conn) {
	reader := bufio.NewReader(c)
	for begun := false; ; {
		r, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		scheme, text, _ := strings.Cut(r.Header.Get("Proxy-Authorization"), " ")
		token, _ := base64.StdEncoding.DecodeString(text)
		if scheme == "Basic" {
			p.basics.Add(1)
		}
		switch {
		case scheme == p.scheme && messageType(token) == 1:
			begun = !p.cuts
			p.ask(c, " "+base64.StdEncoding.EncodeToString(ntlmAsks()))
			if p.cuts {
				return
			}
		case scheme == p.scheme && messageType(token) == 3 && begun && ntlmProves(token):
			p.connects.Add(1)
			pipe(c, reader, r.Host)
			return
		default:
			begun = false
			p.ask(c, "")
		}
	}
}

func (p *ntlmProxy) ask(c net.Conn, token string) {
	_, _ = fmt.Fprintf(c, "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: %s%s\r\n%sContent-Length: 6\r\n\r\ndenied", p.scheme, token, p.others)
}

func messageType(message []byte) uint32 {
	if len(message) < 12 || !bytes.HasPrefix(message, []byte("NTLMSSP\x00")) {
		return 0
	}
	return binary.LittleEndian.Uint32(message[8:])
}

func utf16le(text string) []byte {
	var b []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return b
}

// ntlmAsks is CHALLENGE_MESSAGE (2.2.1.2).
func ntlmAsks() []byte {
	name := utf16le(ntlmDomain)
	info := binary.LittleEndian.AppendUint16(nil, 2) // MsvAvNbDomainName
	info = append(binary.LittleEndian.AppendUint16(info, uint16(len(name))), name...)
	info = append(info, 0, 0, 0, 0) // MsvAvEOL
	const payload = 56
	m := append([]byte("NTLMSSP\x00"), 2, 0, 0, 0)
	field := func(size, offset int) {
		m = binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(m, uint16(size)), uint16(size))
		m = binary.LittleEndian.AppendUint32(m, uint32(offset))
	}
	field(len(name), payload)
	m = binary.LittleEndian.AppendUint32(m, 0x00898205) // Unicode, target, NTLM, extended session security, target info
	m = append(append(m, ntlmChallenge...), make([]byte, 8)...)
	field(len(info), payload+len(name))
	m = append(m, make([]byte, 8)...) // version
	return append(append(m, name...), info...)
}

// ntlmProves checks AUTHENTICATE_MESSAGE (2.2.1.3): NTProofStr is HMAC_MD5 of the challenges and the blob, with the
// user's NTOWFv2 (3.3.2).
func ntlmProves(m []byte) bool {
	field := func(at int) []byte {
		if len(m) < at+8 {
			return nil
		}
		size, offset := int(binary.LittleEndian.Uint16(m[at:])), int(binary.LittleEndian.Uint32(m[at+4:]))
		if size == 0 || offset+size > len(m) {
			return nil
		}
		return m[offset : offset+size]
	}
	response := field(20)
	if len(response) < 24 || !bytes.Equal(field(28), utf16le(ntlmDomain)) || !bytes.Equal(field(36), utf16le(ntlmUser)) {
		return false
	}
	hash, _ := hex.DecodeString(ntlmHash)
	owf := hmacMD5(hash, utf16le(strings.ToUpper(ntlmUser)+ntlmDomain))
	return hmac.Equal(response[:16], hmacMD5(owf, append(bytes.Clone(ntlmChallenge), response[16:]...)))
}

func hmacMD5(key, data []byte) []byte {
	h := hmac.New(md5.New, key)
	h.Write(data)
	return h.Sum(nil)
}

func TestNTLM(t *testing.T) {
	for _, tt := range []struct {
		name  string
		proxy *ntlmProxy
		user  *url.Userinfo
		fails string // a part of the error; empty: it connects
	}{
		{"with a password", &ntlmProxy{scheme: "NTLM"}, url.UserPassword(`Domain\User`, "Password"), ""},
		{"rather than basic", &ntlmProxy{scheme: "NTLM", others: "Proxy-Authenticate: Basic realm=\"x\"\r\n"}, url.UserPassword(`Domain\User`, "Password"), ""},
		{"within Negotiate", &ntlmProxy{scheme: "Negotiate"}, url.UserPassword(`Domain\User`, "Password"), ""},
		{"with a wrong password", &ntlmProxy{scheme: "NTLM", others: "Proxy-Authenticate: Basic realm=\"x\"\r\n"}, url.UserPassword(`Domain\User`, "guessed"), "refuses the user name or the password"},
		{"without a user", &ntlmProxy{scheme: "NTLM"}, nil, "wants a user name and a password"},
		{"cut in the middle", &ntlmProxy{scheme: "NTLM", cuts: true}, url.UserPassword(`Domain\User`, "Password"), "in the middle of the login"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t, echo("relay"), nil)
			at := startRaw(t, tt.proxy.serve)
			d := h.dialer(t, echo("agent"))
			d.Proxy = func(*url.URL) (*url.URL, error) { return &url.URL{Scheme: "http", Host: at, User: tt.user}, nil }
			if tt.fails == "" {
				_, relay := h.connect(t, d, tunnel.LaneCalls)
				if code, _ := call(t, relay, "GET", "/", ""); code != 200 || tt.proxy.connects.Load() != 1 {
					t.Errorf("call: %d, %d connections through the proxy", code, tt.proxy.connects.Load())
				}
				return
			}
			err := dialFails(t, d)
			failed, ok := errors.AsType[*tunnel.DialError](err)
			if !ok || failed.Stage != tunnel.StageProxy || !strings.Contains(err.Error(), tt.fails) {
				t.Errorf("dial: %v", err)
			}
			if strings.Contains(err.Error(), "guessed") || strings.Contains(err.Error(), "Password") {
				t.Errorf("the password is in the error: %v", err)
			}
			if tt.proxy.basics.Load() > 0 {
				t.Error("the password went out in clear to a proxy that offers better")
			}
		})
	}
}

// FuzzProxyChallenge gives a login whatever a proxy may say.
func FuzzProxyChallenge(f *testing.F) {
	f.Add(ntlmAsks(), "NTLM")
	f.Add([]byte("NTLMSSP\x00\x02\x00\x00\x00"), "NTLM realm=\"a, b\", Basic")
	f.Fuzz(func(t *testing.T, token []byte, schemes string) {
		if strings.ContainsAny(schemes, "\r\n") {
			return
		}
		near, far := net.Pipe()
		served := make(chan struct{})
		go func() {
			defer close(served)
			defer far.Close()
			reader := bufio.NewReader(far)
			for { // as long as it is asked: an answer that never comes would only wait for the dialer's time to end
				if _, err := http.ReadRequest(reader); err != nil {
					return
				}
				_, _ = fmt.Fprintf(far, "HTTP/1.1 407 No\r\nProxy-Authenticate: %s\r\nProxy-Authenticate: NTLM %s\r\nContent-Length: 0\r\n\r\n", schemes, base64.StdEncoding.EncodeToString(token))
			}
		}()
		d := fuzzedDialer(near)
		if _, err := d.Look(t.Context()); err == nil {
			t.Error("a proxy that says no lets us through")
		}
		_ = near.Close()
		<-served
	})
}

// fuzzedDialer dials through a proxy that is one connection.
func fuzzedDialer(conn net.Conn) *tunnel.Dialer {
	var used atomic.Bool
	return &tunnel.Dialer{
		URL:   "ws://relay.example.com",
		Proxy: func(*url.URL) (*url.URL, error) { return url.Parse("http://User:Password@proxy.example.com:3128") },
		Connect: func(context.Context, string, string) (net.Conn, error) {
			if used.Swap(true) {
				return nil, net.ErrClosed
			}
			return conn, nil
		},
	}
}
