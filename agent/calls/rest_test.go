package calls

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gantry/connectors/engine"
	"gantry/connectors/wire"
)

// TestPause: what is paused has no login any more and is told to rest; its streams end with the reason, its write goes on.
func TestPause(t *testing.T) {
	b := newBench(t)
	if !b.handler.Rests("con_1") {
		t.Error("before the relay said anything, a connection does not rest")
	}
	tell := func(document string) {
		t.Helper()
		if w := b.call("POST", wire.PathReconcile, document, nil); w.Code != http.StatusNoContent {
			t.Fatalf("reconcile: %d %s", w.Code, w.Body)
		}
	}
	tell(`{"connections":["con_1"]}`)
	if b.handler.Rests("con_1") {
		t.Error("a connection that is not paused rests")
	}
	begun, release := make(chan string, 2), make(chan struct{})
	b.engine.stream = func(ctx context.Context, line func([]byte) error) (int, error) {
		if err := line([]byte(`{"id":"1"}`)); err != nil {
			return 0, err
		}
		begun <- "stream"
		<-ctx.Done()
		return 1, ctx.Err()
	}
	b.engine.write = func(effect context.Context, _ engine.Write) (engine.Result, error) {
		begun <- "write"
		<-release
		return engine.Result{Status: 200, Record: engine.Record{ID: "1", JSON: []byte(`{"id":"1"}`)}}, effect.Err()
	}
	stream, write := make(chan *httptest.ResponseRecorder, 1), make(chan *httptest.ResponseRecorder, 1)
	go func() {
		stream <- b.call("GET", con+"/records/items", "", map[string]string{"Accept": wire.NDJSON})
	}()
	go func() { write <- b.call("PATCH", con+"/records/items/1", `{"number":"2"}`, key("k")) }()
	<-begun
	<-begun

	tell(`{"connections":["con_1"],"paused":["con_1"]}`)
	if !b.handler.Rests("con_1") {
		t.Error("a paused connection does not rest")
	}
	if cut := (<-stream).Body.String(); !strings.Contains(cut, `"CONFLICT"`) || !strings.Contains(cut, "was paused during the call") {
		t.Errorf("the stream ends with %s", cut)
	}
	close(release)
	if w := <-write; w.Code != http.StatusOK {
		t.Errorf("the write that was begun: %d %s", w.Code, w.Body)
	}
	if !eventually(func() bool { b.engine.mu.Lock(); defer b.engine.mu.Unlock(); return b.engine.closed }) {
		t.Error("the login is still open")
	}
	if use := b.handler.Use("con_1"); use.State != "paused" {
		t.Errorf("its use is %+v", use)
	}

	b.open(http.StatusOK) // a new login, while it is paused
	if use := b.handler.Use("con_1"); use.State != "paused" {
		t.Errorf("a new login of a paused connection stays open: %+v", use)
	}
	tell(`{"connections":["con_1"]}`)
	if b.handler.Rests("con_1") {
		t.Error("it rests after its resumption")
	}
	if w := b.call("GET", con+"/records/items/1", "", nil); w.Code != http.StatusOK {
		t.Errorf("after its resumption: %d %s", w.Code, w.Body)
	}
}

// TestNewLoginEndsStreams: a stream under the former login says why it ends.
func TestNewLoginEndsStreams(t *testing.T) {
	b := newBench(t)
	begun := make(chan struct{})
	b.engine.stream = func(ctx context.Context, line func([]byte) error) (int, error) {
		close(begun)
		<-ctx.Done()
		return 0, ctx.Err()
	}
	stream := make(chan *httptest.ResponseRecorder, 1)
	go func() {
		stream <- b.call("GET", con+"/records/items", "", map[string]string{"Accept": wire.NDJSON})
	}()
	<-begun
	b.open(http.StatusOK)
	if f := problem(t, <-stream); f.Code != "CONFLICT" || !f.Retryable || !strings.Contains(f.Detail, "new login") {
		t.Errorf("it ends with %v", f)
	}
}

func eventually(holds func() bool) bool {
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}
