package enrol_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gantry/tunnel/enrol"
	"gantry/tunnel/fault"
	"gantry/tunnel/pki"
)

// answering is a dialer whose far end reads a request and gives raw bytes as the answer.
type answering string

func (a answering) DialEnrol(context.Context) (net.Conn, error) {
	near, far := net.Pipe()
	go func() {
		defer far.Close()
		if r, err := http.ReadRequest(bufio.NewReader(far)); err == nil {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(far, string(a))
		}
	}()
	return near, nil
}

func ok(body string) answering {
	return answering("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body)
}

func TestCallRefusesBadAnswers(t *testing.T) {
	authority, err := pki.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	tok := token()
	tok.Pin = authority.Pin()
	tests := []struct {
		name   string
		answer answering
		code   fault.Code
	}{
		{"silence", "", fault.TunnelLost},
		{"not HTTP", "hello", fault.TunnelLost},
		{"a page instead of a problem", "HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n<html>", fault.Internal},
		{"an empty document", ok("{}"), fault.Internal},
		{"not JSON", ok("yes"), fault.Internal},
		{"two documents", ok("{}{}"), fault.Internal},
		{"no authority", ok(`{"agent_id":"a","site_id":"s","certificate":"AAAA"}`), fault.Internal},
		{"endless", ok(`{"agent_id":"` + strings.Repeat("x", 1<<20)), fault.Internal},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := enrol.Call(t.Context(), tt.answer, tok, enrol.Request{CSR: []byte("x")}); !fault.Is(err, tt.code) {
				t.Errorf("Call: %v", err)
			}
		})
	}
}

func TestCallEndsWithItsContext(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := enrol.Call(ctx, pipe{near}, token(), enrol.Request{})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Call: %v", err)
	}
}

type pipe struct{ net.Conn }

func (p pipe) DialEnrol(context.Context) (net.Conn, error) { return p.Conn, nil }

func TestHandlerBounds(t *testing.T) {
	handler := enrol.Handler(func(context.Context, enrol.Request, string) (enrol.Response, error) {
		return enrol.Response{}, errors.New("secret cause")
	})
	good := `{"secret":"` + strings.Repeat("AAAA", 8) + `","csr":"AAAA"}`
	tests := []struct {
		name, method, path, media, body string
		code                            fault.Code
	}{
		{"another path", "POST", "/", "application/json", good, fault.NotFound},
		{"not JSON by type", "POST", enrol.Path, "text/plain", good, fault.UnsupportedMediaType},
		{"not JSON", "POST", enrol.Path, "application/json", "x", fault.InvalidRequest},
		{"no secret", "POST", enrol.Path, "application/json", `{"csr":"AAAA"}`, fault.InvalidRequest},
		{"too large", "POST", enrol.Path, "application/json", `{"machine_id":"` + strings.Repeat("x", enrol.MaxBody), fault.PayloadTooLarge},
		{"a fault of the relay's own", "POST", enrol.Path, "application/json", good, fault.Internal},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, tt.path, strings.NewReader(tt.body))
			r.Header.Set("Content-Type", tt.media)
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if bytes.Contains(w.Body.Bytes(), []byte("secret cause")) {
				t.Error("the cause left the process")
			}
			if problem, err := fault.Decode(w.Body); err != nil || problem.Code != tt.code {
				t.Errorf("answered %v, %v", problem, err)
			}
		})
	}
}

// FuzzRequest feeds the relay's side, FuzzResponse the agent's.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(`{"secret":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","csr":"AAAA","facts":{},"machine_id":"m"}`))
	handler := enrol.Handler(func(_ context.Context, r enrol.Request, _ string) (enrol.Response, error) {
		if len(r.Secret) < enrol.MinSecret || len(r.CSR) == 0 {
			return enrol.Response{}, errors.New("let a hollow request through")
		}
		return enrol.Response{AgentID: "a"}, nil
	})
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := httptest.NewRequest("POST", enrol.Path, bytes.NewReader(raw))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code == http.StatusOK {
			return
		}
		if problem, err := fault.Decode(w.Body); err != nil || problem.Code == fault.Internal {
			t.Errorf("answered %v, %v", problem, err)
		}
	})
}

func FuzzResponse(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
	f.Add([]byte("HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"))
	tok := token()
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, err := enrol.Call(t.Context(), answering(raw), tok, enrol.Request{}); err == nil {
			t.Error("took an answer that nobody can have signed")
		}
	})
}
