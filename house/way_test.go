package house

import (
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"gantry/tunnel/fault"
)

// way is the network's way to a system: a port that leads there, which can be shut, and counts who comes.
type way struct {
	address, target string
	arrived         atomic.Int64 // connections that were opened
	work            sync.WaitGroup

	mu       sync.Mutex
	listener net.Listener
	open     map[net.Conn]bool
}

// newWay makes the way to an address. It is shut when the test ends.
func newWay(t testing.TB, target string) *way {
	t.Helper()
	w := &way{address: freeAddress(t), target: target, open: map[net.Conn]bool{}}
	w.start(t)
	t.Cleanup(func() {
		w.shut()
		w.work.Wait()
	})
	return w
}

func (w *way) start(t testing.TB) {
	t.Helper()
	listener, err := net.Listen("tcp", w.address)
	if err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	w.listener = listener
	w.mu.Unlock()
	w.work.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			w.arrived.Add(1)
			w.work.Go(func() { w.carry(near) })
		}
	})
}

func (w *way) carry(near net.Conn) {
	defer w.drop(near)
	w.keep(near)
	far, err := net.Dial("tcp", w.target)
	if err != nil {
		return
	}
	w.keep(far)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(far, near)
		w.drop(far)
	}()
	_, _ = io.Copy(near, far)
	w.drop(near)
	<-done
}

func (w *way) keep(c net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open[c] = true
}

func (w *way) drop(c net.Conn) {
	_ = c.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.open, c)
}

// shut refuses who comes, and breaks what is open.
func (w *way) shut() {
	w.mu.Lock()
	_ = w.listener.Close()
	var all []net.Conn
	for c := range w.open {
		all = append(all, c)
	}
	w.mu.Unlock()
	for _, c := range all {
		_ = c.Close()
	}
}

// failsFor shuts the way until the connection's circuit opens, and opens it again: the system answers, and calls are held
// back still.
func (w *way) failsFor(t *testing.T, b *bench) {
	w.shut()
	for range 10 {
		answer, err := b.client.Do(t.Context(), http.MethodGet, "/entities/items", nil)
		if err != nil {
			t.Fatal(err)
		}
		if f := answer.Problem(); f != nil && f.Code == fault.CircuitOpen {
			w.start(t)
			return
		}
	}
	t.Fatal("ten calls failed, and the circuit is closed still")
}
