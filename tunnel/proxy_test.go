package tunnel_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"gantry/tunnel"
)

// proxy is a small CONNECT proxy with basic authentication.
type proxy struct {
	target   string // the one address that it connects to; empty: all
	answer   string // said instead of connecting, if set
	closes   bool   // the connection after each answer
	connects atomic.Int64
}

func (p *proxy) serve(c net.Conn) {
	reader := bufio.NewReader(c)
	for p.request(c, reader) {
	}
}

// request serves one, and tells whether there may be another.
func (p *proxy) request(c net.Conn, reader *bufio.Reader) bool {
	r, err := http.ReadRequest(reader)
	if err != nil {
		return false
	}
	user, password, ok := basicAuth(r)
	switch {
	case p.answer != "":
		_, _ = io.WriteString(c, p.answer)
		return false
	case !ok || user != "plant" || password != "s3cret":
		_, _ = io.WriteString(c, "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Digest realm=\"a, b\", nonce=\"x\"\r\nProxy-Authenticate: Basic realm=\"plant\"\r\nContent-Length: 6\r\n\r\ndenied")
		return !p.closes
	case r.Method != http.MethodConnect || r.Host != p.target:
		_, _ = io.WriteString(c, "HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\nforbidden")
		return false
	}
	p.connects.Add(1)
	pipe(c, reader, r.Host)
	return false
}

// pipe is the tunnel of a proxy, until one end closes.
func pipe(c net.Conn, reader io.Reader, address string) {
	far, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer far.Close()
	_, _ = io.WriteString(c, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() { _, _ = io.Copy(far, reader); far.Close() }()
	_, _ = io.Copy(c, far)
}

func basicAuth(r *http.Request) (string, string, bool) {
	r.Header.Set("Authorization", r.Header.Get("Proxy-Authorization"))
	return r.BasicAuth()
}

func TestProxy(t *testing.T) {
	long := "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("long ", 20000)
	tests := []struct {
		name    string
		user    *url.Userinfo
		target  string
		said    string
		closes  bool
		status  int
		schemes []string
		answer  string
	}{
		{name: "with the right password", user: url.UserPassword("plant", "s3cret")},
		{name: "of a proxy that closes after each answer", user: url.UserPassword("plant", "s3cret"), closes: true},
		{name: "with a wrong one", user: url.UserPassword("plant", "hunter2"), status: 407, schemes: []string{"Digest", "Basic"}, answer: "denied"},
		{name: "without one", status: 407, schemes: []string{"Digest", "Basic"}, answer: "denied"},
		{name: "not to the relay", user: url.UserPassword("plant", "s3cret"), target: "elsewhere:443", status: 403, answer: "forbidden"},
		{name: "a long answer", user: url.UserPassword("plant", "s3cret"), said: long, status: 502, answer: "long"},
		{name: "not a proxy", user: url.UserPassword("plant", "s3cret"), said: "SSH-2.0-OpenSSH_9.2\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t, echo("relay"), nil)
			p := &proxy{target: tt.target, answer: tt.said, closes: tt.closes}
			if p.target == "" {
				p.target = h.address()
			}
			at := startRaw(t, p.serve)
			d := h.dialer(t, echo("agent"))
			d.Proxy = func(*url.URL) (*url.URL, error) { return &url.URL{Scheme: "http", Host: at, User: tt.user}, nil }
			if tt.status == 0 && p.answer == "" {
				_, relay := h.connect(t, d, tunnel.LaneCalls)
				if code, _ := call(t, relay, "GET", "/", ""); code != 200 || p.connects.Load() != 1 {
					t.Errorf("call: %d, %d connections through the proxy", code, p.connects.Load())
				}
				return
			}
			failed, ok := errors.AsType[*tunnel.DialError](dialFails(t, d))
			if !ok || failed.Stage != tunnel.StageProxy || !failed.Proxy || failed.Status != tt.status || failed.Address != at ||
				!slices.Equal(failed.Schemes, tt.schemes) || !strings.HasPrefix(failed.Answer, tt.answer) {
				t.Errorf("dial: %#v", failed)
			}
			if text := fmt.Sprintf("%v %+v", failed, failed); strings.Contains(text, "s3cret") || strings.Contains(text, "hunter2") {
				t.Errorf("the password is in the error: %s", text)
			}
		})
	}
}

func TestProxyAddressUnreadable(t *testing.T) {
	h := newHouse(t, echo("relay"), nil)
	d := h.dialer(t, echo("agent"))
	d.Proxy = func(*url.URL) (*url.URL, error) {
		return url.Parse(strings.ReplaceAll("http://plant:s3c#ret@proxy:3128", "#", "%"))
	}
	err := dialFails(t, d)
	if failed, ok := errors.AsType[*tunnel.DialError](err); !ok || failed.Stage != tunnel.StageProxy || strings.Contains(err.Error(), "s3c") {
		t.Errorf("dial: %v", err)
	}
}
