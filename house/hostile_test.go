package house

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"gantry/tunnel/fault"
)

const hostileDefinition = `apiVersion: connector/v1
metadata: {id: hostile, version: 1.0.0, product: Hostile, extends: [base/rest]}
protocol:
  errors: {when: error, code: error.code, message: error.message}
  pages: {by: link, next: next}
check: {get: /status, result: {version: version}}
entities:
  work-orders:
    key: [{column: id, type: integer}]
    operations:
      list: {get: /workorders, rows: data, columns: {id: id, title: title}, order: [id]}
    fields:
      title: {from: title}
`

// TestHostileSystem connects a system that answers so as to take the agent's memory or time: each answer is cut where its
// bound is, the caller learns that the system is at fault, the next call is answered, and the agent has not grown.
func TestHostileSystem(t *testing.T) {
	const growth = 64 << 20
	var answer atomic.Pointer[func(http.ResponseWriter)]
	sound := func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"data":[{"id":1,"title":"one"}]}`) }
	answer.Store(&sound)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/status" {
			_, _ = io.WriteString(w, `{"version":"1"}`)
			return
		}
		(*answer.Load())(w)
	}))
	t.Cleanup(server.Close)

	definitions := t.TempDir()
	if err := os.WriteFile(definitions+"/hostile.yaml", []byte(hostileDefinition), 0o600); err != nil {
		t.Fatal(err)
	}
	p := open(t, withAgent("definitions: "+definitions+"\n"))
	p.allow("target", strings.TrimPrefix(server.URL, "http://"))
	client, id := p.connect(login{System: "hostile", Name: "hostile", Settings: map[string]any{"address": server.URL, "login": "none"},
		Credentials: map[string]string{}})
	read := func(want int) { p.expect(client, http.MethodGet, "/work-orders", nil, want, nil) }
	read(200)

	for name, hostile := range map[string]func(http.ResponseWriter){
		"a gzip bomb of 40 GiB":         gzipBomb(),
		"a body without an end":         endless(`{"data":[`, `{"id":1,"title":"one"},`),
		"one text without an end":       endless(`{"data":[{"id":1,"title":"`, "xxxxxxxxxxxxxxxx"),
		"ten million levels":            levels(10_000_000),
		"a record of a million columns": columns(1_000_000),
		"a page that leads to itself": func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, `{"next":"/workorders?after=1","data":[{"id":1,"title":"one"}]}`)
		},
		"a page that leads elsewhere": func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, `{"next":"http://192.0.2.1/workorders","data":[{"id":1,"title":"one"}]}`)
		},
		"a header without an end": func(w http.ResponseWriter) { w.Header().Set("X-Long", strings.Repeat("x", 8<<20)) },
	} {
		t.Run(name, func(t *testing.T) {
			before := p.agent.resident()
			peak, stop := p.watchMemory()
			answer.Store(&hostile)
			_, err := client.Stream(t.Context(), "/work-orders", func([]byte) error { return nil })
			stop()
			answer.Store(&sound)
			t.Logf("agent %+.1f MiB: %v", mib(peak[1].Load()-before), err)
			f, ok := errors.AsType[*fault.Error](err)
			if !ok || f.Code != fault.SystemError && f.Code != fault.SystemUnreachable || f.Source == nil {
				t.Fatalf("%v", err)
			}
			t.Logf("the source: %s", f.Source.Message)
			if grown := peak[1].Load() - before; grown > growth && !raceDetector {
				t.Errorf("the agent grew by %.1f MiB", mib(grown))
			}
			p.must(http.MethodPost, "/connections/"+id+"/circuits/reset", nil, 204, nil)
			read(200)
		})
	}
}

// gzipBomb is what unpacks to 40 GiB: a member of 64 MiB of spaces, over and over.
func gzipBomb() func(http.ResponseWriter) {
	var member bytes.Buffer
	zip := gzip.NewWriter(&member)
	spaces := bytes.Repeat([]byte(" "), 1<<20)
	for range 64 {
		_, _ = zip.Write(spaces)
	}
	_ = zip.Close()
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Encoding", "gzip")
		for range 640 {
			if _, err := w.Write(member.Bytes()); err != nil {
				return
			}
		}
	}
}

func endless(begin, again string) func(http.ResponseWriter) {
	again = strings.Repeat(again, 1000)
	return func(w http.ResponseWriter) {
		for _, err := io.WriteString(w, begin); err == nil; {
			_, err = io.WriteString(w, again)
		}
	}
}

func levels(n int) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"data":`+strings.Repeat("[", n)) }
}

func columns(n int) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		out := bufio.NewWriter(w)
		_, _ = out.WriteString(`{"data":[{"id":1`)
		for i := range n {
			_, _ = fmt.Fprintf(out, `,"c%d":%d`, i, i)
		}
		_, _ = out.WriteString(`}]}`)
		_ = out.Flush()
	}
}
