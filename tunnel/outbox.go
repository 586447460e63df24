package tunnel

import (
	"crypto/tls"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// outbox is what the multiplexer writes to and reads from. yamux writes a frame's 12-byte header and its body apart,
// and each would be a TLS record and a websocket message of its own, which halves the speed. The outbox queues up to
// queueSize, and its writer takes whatever is there at once: under load messages grow large by themselves, and a lone
// small one leaves immediately.
type outbox struct {
	tls     *tls.Conn
	socket  *socket
	readers readers // of the streams, woken before the multiplexer learns of the end

	in, out atomic.Int64 // bytes that passed, multiplexer's framing included

	mu     sync.Mutex
	queued *sync.Cond    // the writer waits for bytes
	room   *sync.Cond    // Write waits for space
	queue  []byte        // borrowed; nil when empty
	err    error         // set once, when writing is over
	done   chan struct{} // the writer has ended

	parting bool // what is written is dropped
}

var _ io.ReadWriteCloser = (*outbox)(nil)

// newOutbox starts the writer, which Close ends and waits for.
func newOutbox(conn *tls.Conn, s *socket) *outbox {
	o := &outbox{tls: conn, socket: s, done: make(chan struct{})}
	o.queued, o.room = sync.NewCond(&o.mu), sync.NewCond(&o.mu)
	go o.writer()
	return o
}

// Read implements io.Reader: straight from TLS, nothing is buffered twice.
func (o *outbox) Read(p []byte) (int, error) {
	n, err := o.tls.Read(p)
	o.in.Add(int64(n))
	if err != nil {
		o.readers.wake()
	}
	return n, err
}

// Write implements io.Writer. It returns when p is queued; an error of sending it is given to a later Write.
func (o *outbox) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for written := 0; ; {
		for o.err == nil && !o.parting && len(o.queue) >= queueSize {
			o.room.Wait()
		}
		if o.err != nil {
			return written, o.err
		}
		if o.parting {
			return len(p), nil
		}
		if o.queue == nil {
			o.queue = borrow()
		}
		n := min(len(p)-written, queueSize-len(o.queue))
		o.queue = append(o.queue, p[written:written+n]...)
		written += n
		o.queued.Signal()
		if written == len(p) {
			return written, nil
		}
	}
}

// writer sends until the outbox parts or closes, and then what is left.
func (o *outbox) writer() {
	defer close(o.done)
	for {
		batch := o.take()
		if batch == nil {
			return
		}
		err := o.send(batch)
		giveBack(batch)
		if err != nil {
			o.stop(err)
			_ = o.socket.Close() // the reading side learns it, and with it the whole session
			return
		}
	}
}

// take waits for bytes; nil means that it is over.
func (o *outbox) take() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.queue == nil && o.err == nil && !o.parting {
		o.queued.Wait()
	}
	batch := o.queue
	o.queue = nil
	o.room.Signal()
	return batch
}

// send encrypts a batch into as few messages as possible: one.
func (o *outbox) send(batch []byte) error {
	o.socket.hold()
	n, err := o.tls.Write(batch)
	o.out.Add(int64(n))
	if released := o.socket.release(); err == nil {
		err = released
	}
	return err
}

func (o *outbox) stop(err error) {
	o.readers.wake()
	o.mu.Lock()
	if o.err == nil {
		o.err = err
	}
	o.queued.Signal()
	o.room.Signal()
	o.mu.Unlock()
}

// part sends what is queued, tells the peer why it ends, and drops what is written from now on. It takes no longer than
// parting allows, twice. It comes before the multiplexer is closed: while that waits for Close, yamux 0.1.2 lets every
// reader of a stream spin.
func (o *outbox) part(reason string) {
	o.mu.Lock()
	first := !o.parting && o.err == nil
	o.parting = true
	o.queued.Signal()
	o.room.Signal()
	o.mu.Unlock()
	if !first {
		return
	}
	o.readers.wake()
	o.socket.link.watched.Store(false)
	_ = o.socket.SetWriteDeadline(time.Now().Add(parting))
	<-o.done
	o.socket.partNormally(reason)
}

// Close implements io.Closer, at once; the multiplexer calls it when it ends.
func (o *outbox) Close() error {
	o.stop(io.ErrClosedPipe)
	_ = o.socket.Close()
	<-o.done
	return nil
}
