package tunnel

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gantry/tunnel/pki"
)

// bubble runs a test on a fake clock. yamux keeps its timers in a global pool, and a timer of one bubble must not be met
// in another: two collections empty the pool.
func bubble(t *testing.T, test func(*testing.T)) {
	t.Helper()
	runtime.GC()
	runtime.GC()
	synctest.Test(t, test)
	runtime.GC()
	runtime.GC()
}

// wire is one direction's end of an in-memory connection whose cable can be pulled: nothing arrives any more, and
// nobody is told.
type wire struct {
	net.Conn
	cut <-chan struct{}
}

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	select {
	case <-w.cut:
		if err == nil {
			return w.Read(p) // what arrives after the cut is not heard
		}
	default:
	}
	return n, err
}

// memory is a listener whose connections are made by dial.
type memory struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
	cut    chan struct{}
}

func newMemory() *memory {
	return &memory{conns: make(chan net.Conn), closed: make(chan struct{}), cut: make(chan struct{})}
}

func (m *memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.conns:
		return c, nil
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

func (m *memory) Close() error   { m.once.Do(func() { close(m.closed) }); return nil }
func (m *memory) Addr() net.Addr { return &net.TCPAddr{} }

func (m *memory) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case m.conns <- &wire{far, m.cut}:
		return &wire{near, m.cut}, nil
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

// inMemory makes a session over net.Pipe, and gives both ends and the cable.
func inMemory(t *testing.T) (agent, relay *Session, m *memory) {
	t.Helper()
	authority, err := pki.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	relays := make(chan *Session, 1)
	acceptor := &Acceptor{
		Authority: authority, OnSession: func(s *Session) { relays <- s },
		Handler: func(*Session) http.Handler { return http.NotFoundHandler() },
	}
	m = newMemory()
	server := &http.Server{Handler: acceptor, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)}
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(m) }()
	t.Cleanup(func() {
		_ = acceptor.Shutdown(t.Context())
		_ = server.Close()
		<-served
	})
	d := &Dialer{URL: "ws://relay", Pin: authority.Pin(), Connect: m.dial, Handler: http.NotFoundHandler(),
		Identity: func() (tls.Certificate, error) { return testIdentity(authority) }}
	agent, err = d.Dial(t.Context(), Hello{InstanceID: "ins_1", Lane: LaneCalls})
	if err != nil {
		t.Fatal(err)
	}
	return agent, <-relays, m
}

func testIdentity(a *pki.Authority) (tls.Certificate, error) {
	key, err := pki.NewKey()
	if err != nil {
		return tls.Certificate{}, err
	}
	csr, err := pki.NewCSR(key)
	if err != nil {
		return tls.Certificate{}, err
	}
	der, _, err := a.Sign(csr, "agt_1", 24*time.Hour)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// TestDeadPeer: when the cable is pulled, both ends know it within 15 s.
func TestDeadPeer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		agent, relay, m := inMemory(t)
		time.Sleep(time.Hour + 6*time.Second) // at no special moment
		if agent.Err() != nil || relay.Err() != nil {
			t.Fatalf("an idle session ended: %v, %v", agent.Err(), relay.Err())
		}
		pulled := time.Now()
		close(m.cut)
		<-agent.Done()
		<-relay.Done()
		if took := time.Since(pulled); took > 15*time.Second || took < 5*time.Second {
			t.Errorf("noticed after %s", took)
		}
		// A pipe tells its other end when it is closed, as a pulled cable would not: one end notices, the other may be told.
		if !errors.Is(agent.Err(), ErrSilent) && !errors.Is(relay.Err(), ErrSilent) {
			t.Errorf("ended with %v and %v", agent.Err(), relay.Err())
		}
	})
}

// TestSlowClientHoldsNoPlace: newcomers that stop in the middle of a handshake do not keep others from theirs.
func TestSlowClientHoldsNoPlace(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, _, m := inMemory(t)
		for range 3 * MaxHandshakes {
			halfway(t, m)
		}
		synctest.Wait()
		begun := time.Now()
		authorityFree(t, m)
		if took := time.Since(begun); took > time.Second {
			t.Errorf("waited %s behind slow newcomers", took)
		}
		time.Sleep(2 * stage) // by now they are thrown out
	})
}

// halfway goes through the upgrade and half of the inner handshake, and then says nothing more.
func halfway(t *testing.T, m *memory) {
	t.Helper()
	conn, err := m.dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	sock, _, err := dialSocket(t.Context(), conn, "http://relay"+Path)
	if err != nil {
		t.Fatal(err)
	}
	flight := &oneFlight{Conn: sock}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = tls.Client(flight, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{protocol}, CurvePreferences: innerCurves}).Handshake()
		_, _ = io.Copy(io.Discard, sock)
	}()
	t.Cleanup(func() { conn.Close(); <-done })
}

// oneFlight lets one write through.
type oneFlight struct {
	net.Conn
	sent bool
}

func (f *oneFlight) Write(p []byte) (int, error) {
	if f.sent {
		return len(p), nil
	}
	f.sent = true
	return f.Conn.Write(p)
}

// authorityFree goes through an inner handshake as a newcomer that is as quick as it can be; that it is then refused
// does not matter.
func authorityFree(t *testing.T, m *memory) {
	t.Helper()
	conn, err := m.dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	sock, _, err := dialSocket(t.Context(), conn, "http://relay"+Path)
	if err != nil {
		t.Fatal(err)
	}
	err = tls.Client(sock, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{protocolEnrol}, CurvePreferences: innerCurves}).Handshake()
	if err != nil {
		t.Errorf("handshake: %v", err)
	}
}
