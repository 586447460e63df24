package tunnel_test

import (
	"bytes"
	"io"
	"net/http"
	"runtime"
	"testing"
	"time"

	"gantry/tunnel"
)

// BenchmarkUnary is one small call after another over one session.
func BenchmarkUnary(b *testing.B) {
	_, relay := benchSession(b, echo("agent"), tunnel.LaneCalls)
	b.ReportAllocs()
	for b.Loop() {
		call(b, relay, "GET", "/v1/x", "")
	}
}

// BenchmarkUnaryParallel is 64 callers at once.
func BenchmarkUnaryParallel(b *testing.B) {
	_, relay := benchSession(b, echo("agent"), tunnel.LaneCalls)
	b.SetParallelism(64 / runtime.GOMAXPROCS(0))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			call(b, relay, "GET", "/v1/x", "")
		}
	})
}

// BenchmarkBulk is one stream of rows, agent to relay, as a driver sends it: in pieces of 64 KiB.
func BenchmarkBulk(b *testing.B) {
	const pieces = 1024
	rows := bytes.Repeat([]byte(`{"id":"4711","status":"approved"}`+"\n"), (64<<10)/35)
	agent := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range pieces {
			if _, err := w.Write(rows); err != nil {
				return
			}
		}
	})
	_, relay := benchSession(b, agent, tunnel.LaneBulk)
	buf := make([]byte, 64<<10)
	b.SetBytes(int64(pieces * len(rows)))
	for b.Loop() {
		r, _ := http.NewRequestWithContext(b.Context(), "GET", "http://peer/", nil)
		resp, err := relay.RoundTripper().RoundTrip(r)
		if err != nil {
			b.Fatal(err)
		}
		n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{resp.Body}, buf)
		if err != nil || n != int64(pieces*len(rows)) {
			b.Fatalf("%d bytes, %v", n, err)
		}
		resp.Body.Close()
	}
}

// BenchmarkHandshake is a whole session, made and closed: websocket, inner TLS with both certificates, hello.
func BenchmarkHandshake(b *testing.B) {
	h := newHouse(b, echo("relay"), nil)
	d := h.dialer(b, echo("agent"))
	b.ReportAllocs()
	for b.Loop() {
		s, err := d.Dial(b.Context(), hello(tunnel.LaneCalls))
		if err != nil {
			b.Fatal(err)
		}
		<-h.sessions
		s.Close("the benchmark goes on")
	}
}

// BenchmarkIdle reports what 200 idle sessions cost in memory: both ends, heap and stacks.
func BenchmarkIdle(b *testing.B) {
	h := newHouse(b, echo("relay"), func(a *tunnel.Acceptor) { a.OnSession = nil })
	d := h.dialer(b, echo("agent"))
	for b.Loop() {
		const n = 200
		before := memory()
		live := make([]*tunnel.Session, n)
		for i := range live {
			s, err := d.Dial(b.Context(), hello(tunnel.LaneCalls))
			if err != nil {
				b.Fatal(err)
			}
			live[i] = s
		}
		b.ReportMetric(float64(memory()-before)/n/1024, "KiB/pair")
		for _, s := range live {
			s.Close("the benchmark is over")
		}
	}
}

func memory() uint64 {
	time.Sleep(50 * time.Millisecond)
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

func benchSession(b *testing.B, agent http.Handler, lane tunnel.Lane) (a, r *tunnel.Session) {
	b.Helper()
	h := newHouse(b, echo("relay"), nil)
	return h.connect(b, h.dialer(b, agent), lane)
}
