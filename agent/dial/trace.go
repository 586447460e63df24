package dial

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Trace sees what the last dial under its context met, step by step. The zero Trace is ready. It is how a diagnosis
// learns which hop broke without a dialer of its own.
type Trace struct {
	mu      sync.Mutex
	seen    Seen
	changed chan struct{} // closed by the next change; nil: nobody waits for it
}

// Seen is what a trace saw. A step that was not reached is the zero Step.
type Seen struct {
	Target    string // host:port, as it was asked for; empty: nothing was dialled
	Policy    Step
	Admitted  bool // the policy lets the addresses through: TCP is next, or over
	DNS       Step // not reached where the host is an address
	Addresses []netip.Addr
	TCP       Step
	Address   netip.AddrPort // that was reached
	TLS       Step           // reached when the client's hello went out; who has it done, the driver knows
}

// Step is one step of a dial.
type Step struct {
	Reached bool
	Took    time.Duration
	Err     error
}

type traceKey struct{}

// WithTrace has the trace see the dials under a context.
func WithTrace(ctx context.Context, t *Trace) context.Context {
	return context.WithValue(ctx, traceKey{}, t)
}

// Seen gives what was seen so far.
func (t *Trace) Seen() Seen {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seen
}

// Changed gives what was seen so far, and a channel that is closed when there is more.
func (t *Trace) Changed() (Seen, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.changed == nil {
		t.changed = make(chan struct{})
	}
	return t.seen, t.changed
}

// traceOf gives the context's trace; a nil one sees nothing.
func traceOf(ctx context.Context) *Trace {
	t, _ := ctx.Value(traceKey{}).(*Trace)
	return t
}

// note changes what was seen.
func (t *Trace) note(change func(*Seen)) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.seen)
	if t.changed != nil {
		close(t.changed)
		t.changed = nil
	}
}

func (t *Trace) begin(target string) { t.note(func(s *Seen) { *s = Seen{Target: target} }) }

// judged adds what a question to the policy cost, of which there are two.
func (t *Trace) judged(start time.Time, err error) {
	t.note(func(s *Seen) { s.Policy = Step{true, s.Policy.Took + time.Since(start), err} })
}

// admitted notes the policy's word on the addresses.
func (t *Trace) admitted(start time.Time, err error) {
	t.judged(start, err)
	t.note(func(s *Seen) { s.Admitted = err == nil })
}

func (t *Trace) resolved(start time.Time, found []netip.Addr, err error) {
	t.note(func(s *Seen) { s.DNS, s.Addresses = Step{true, time.Since(start), err}, slices.Clone(found) })
}

// connected notes how TCP went, and watches the connection for the beginning of TLS.
func (t *Trace) connected(start time.Time, conn net.Conn, err error) net.Conn {
	if t == nil {
		return conn
	}
	t.note(func(s *Seen) { s.TCP = Step{true, time.Since(start), err} })
	if err != nil {
		return nil
	}
	if remote, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		t.note(func(s *Seen) { s.Address = remote.AddrPort() })
	}
	return &traced{Conn: conn, trace: t}
}

// traced tells its trace when the client begins TLS, and when it goes on after the server's part of the handshake.
type traced struct {
	net.Conn
	trace *Trace
	begun time.Time
	done  bool
}

// Write implements net.Conn.
func (c *traced) Write(b []byte) (int, error) {
	switch {
	case c.done:
	case !c.begun.IsZero():
		c.done = true
		c.trace.note(func(s *Seen) { s.TLS.Took = time.Since(c.begun) })
	case isClientHello(b):
		c.begun = time.Now()
		c.trace.note(func(s *Seen) { s.TLS = Step{Reached: true} })
	}
	return c.Conn.Write(b)
}

// isClientHello knows the first record of TLS (RFC 8446, 5.1), also within the prelogin packet in which SQL Server's
// clients send it ([MS-TDS] 2.2.6.5).
func isClientHello(b []byte) bool {
	const prelogin, header = 0x12, 8
	if len(b) > header && b[0] == prelogin {
		b = b[header:]
	}
	return len(b) > 5 && b[0] == 0x16 && b[1] == 3 && b[5] == 1
}
