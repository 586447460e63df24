package relay_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"gantry/configs"
	"gantry/tunnel/fault"
)

// TestNothingAnswersInPlainText speaks to the relay without a HTTP client, as broken clients and scanners do.
func TestNothingAnswersInPlainText(t *testing.T) {
	files, roots := webCertificate(t)
	for name, c := range map[string]*cloud{
		"http":  startCloud(t, nil),
		"https": startCloud(t, func(r *configs.Relay) { r.TLS = files }),
	} {
		t.Run(name, func(t *testing.T) {
			dial := func() (net.Conn, error) { return net.Dial("tcp", c.relay.Addr()) }
			if name == "https" {
				dial = func() (net.Conn, error) { return tls.Dial("tcp", c.relay.Addr(), &tls.Config{RootCAs: roots}) }
			}
			speaksProblems(t, dial)
		})
	}
}

// TestPlainHTTPToHTTPS is the most common mistake with an address.
func TestPlainHTTPToHTTPS(t *testing.T) {
	files, _ := webCertificate(t)
	c := startCloud(t, func(r *configs.Relay) { r.TLS = files })
	dial := func() (net.Conn, error) { return net.Dial("tcp", c.relay.Addr()) }
	response, body := speak(t, dial, "GET /api/v1/sites HTTP/1.1\r\nHost: x\r\n\r\n")
	problem, err := fault.Decode(strings.NewReader(body))
	if err != nil || response.StatusCode != http.StatusBadRequest || !strings.Contains(problem.Advice, "https://") {
		t.Errorf("%s: %s, %v", response.Status, body, err)
	}
}

// speaksProblems says what no client says, and expects problem documents.
func speaksProblems(t *testing.T, dial func() (net.Conn, error)) {
	const path = "GET /api/v1/sites HTTP/1.1\r\nHost: x\r\n"
	for _, test := range []struct {
		name, request string
		want          fault.Code
	}{
		{"a header over our limit", path + "A: " + strings.Repeat("x", 40<<10) + "\r\n\r\n", fault.PayloadTooLarge},
		{"a header over any limit", path + "A: " + strings.Repeat("x", 1<<20) + "\r\n\r\n", fault.PayloadTooLarge},
		{"an endless line", "GET /" + strings.Repeat("x", 1<<20), fault.PayloadTooLarge},
		{"no HTTP", "hello\r\n\r\n", fault.InvalidRequest},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", fault.InvalidRequest},
		{"another version", "GET / HTTP/3.0\r\nHost: x\r\n\r\n", fault.InvalidRequest},
		{"no host", "GET /api/v1/sites HTTP/1.1\r\n\r\n", fault.InvalidRequest},
		{"a malformed host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", fault.InvalidRequest},
		{"a malformed header", path + "bad header: x\r\n\r\n", fault.InvalidRequest},
		{"two lengths", path + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", fault.InvalidRequest},
		{"an encoding", path + "Transfer-Encoding: zip\r\n\r\n", fault.InvalidRequest},
		{"an expectation", path + "Expect: miracles\r\n\r\n", fault.InvalidRequest},
		{"a path of nobody", "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", fault.NotFound},
		{"a path of no API", "GET /api/v1/a/b/c/d/e/f HTTP/1.1\r\nHost: x\r\n\r\n", fault.NotFound},
		{"a method of nobody", "BREW /api/v1/sites HTTP/1.1\r\nHost: x\r\n\r\n", fault.MethodNotAllowed},
		{"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", fault.NotFound},
		{"a tunnel without a websocket", "GET /tunnel HTTP/1.1\r\nHost: x\r\n\r\n", fault.InvalidRequest},
		{"a tunnel posted to", "POST /tunnel HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", fault.MethodNotAllowed},
		{"half a websocket", "GET /tunnel HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n", fault.InvalidRequest},
	} {
		t.Run(test.name, func(t *testing.T) {
			response, body := speak(t, dial, test.request)
			if kind := response.Header.Get("Content-Type"); kind != fault.ContentType {
				t.Fatalf("%s, %q: %s", response.Status, kind, body)
			}
			problem, err := fault.Decode(strings.NewReader(body))
			if err != nil || problem.Code != test.want || response.StatusCode != test.want.Spec().Status {
				t.Errorf("%s: %s, %v", response.Status, body, err)
			}
			if len(body) > 2<<10 {
				t.Errorf("the answer has %d bytes", len(body))
			}
		})
	}
}

// speak writes a request, byte for byte, and reads the answer. The relay may close while the request is still written.
func speak(t *testing.T, dial func() (net.Conn, error), request string) (*http.Response, string) {
	t.Helper()
	conn, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	go func() { _, _ = io.WriteString(conn, request) }()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", response.Status, err))
	}
	return response, string(body)
}
