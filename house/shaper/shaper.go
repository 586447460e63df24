// Package shaper is a slow network link in one process: delay, rate and a bounded queue, between TCP peers on loopback.
//
// The kernel of a small test machine often has no network emulation, and an ordinary forwarding proxy hides what a
// real link shows, because its buffers take what the link would still be sending. Here everything between accepting a
// byte and handing it on is counted: one queue per direction is shared by all connections, as in a router, and when it
// is full the senders stop, as their kernels do when a window is full. Nothing is dropped.
//
// It serves tests and benchmarks; it is no part of the product.
package shaper

import (
	"context"
	"io"
	"net"
	"sync"
	"time"
)

// Link describes one direction of a link; both directions are alike.
type Link struct {
	Delay time.Duration // one way: half a round trip
	Rate  int64         // bytes a second; 0: unlimited
	Queue int           // bytes that wait for their turn on a limited link; 0: 128 KiB
}

// socketBuffer keeps the kernel's own buffers beside the link small where the rate is limited, so that the queue in
// front of the bottleneck is the link's and the sender's, not the shaper's.
const socketBuffer = 64 << 10

const (
	limitedChunk = 4 << 10  // a few packets: fine enough to interleave connections
	fastChunk    = 64 << 10 // where only delay matters
	fastInFlight = 64 << 20 // bytes under way on an unlimited link
)

// Shaper forwards connections over a link to one target. Close ends it and all its connections.
type Shaper struct {
	link     Link
	target   string
	listener net.Listener
	ctx      context.Context
	cancel   context.CancelFunc
	running  sync.WaitGroup
	up, down *lane
}

// Listen starts a shaper on a free loopback port.
func Listen(target string, link Link) (*Shaper, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Shaper{link: link, target: target, listener: listener, ctx: ctx, cancel: cancel, up: newLane(link), down: newLane(link)}
	s.running.Go(func() { s.up.run(ctx) })
	s.running.Go(func() { s.down.run(ctx) })
	s.running.Go(s.accept)
	return s, nil
}

// Addr is the address that clients dial instead of the target's.
func (s *Shaper) Addr() string { return s.listener.Addr().String() }

// Close stops the link and waits for its goroutines.
func (s *Shaper) Close() error {
	s.cancel()
	err := s.listener.Close()
	s.running.Wait()
	return err
}

func (s *Shaper) accept() {
	for {
		client, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.running.Go(func() { s.forward(client) })
	}
}

// forward joins a client with the target until both directions have ended.
func (s *Shaper) forward(client net.Conn) {
	server, err := net.Dial("tcp", s.target)
	if err != nil {
		_ = client.Close()
		return
	}
	s.tune(client)
	s.tune(server)
	stop := context.AfterFunc(s.ctx, func() { _ = client.Close(); _ = server.Close() })
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { s.pump(s.up, client, server) })
	both.Go(func() { s.pump(s.down, server, client) })
	both.Wait()
	_ = client.Close()
	_ = server.Close()
}

func (s *Shaper) tune(c net.Conn) {
	if s.link.Rate == 0 {
		return
	}
	tcp := c.(*net.TCPConn)
	_ = tcp.SetReadBuffer(socketBuffer)
	_ = tcp.SetWriteBuffer(socketBuffer)
}

// pump carries one direction of one connection: read, wait for a place on the lane, hand on after the delay.
func (s *Shaper) pump(l *lane, from, to net.Conn) {
	arrivals := make(chan chunk, l.inFlight) // never closed: the lane may be about to send
	var deliver sync.WaitGroup
	deliver.Go(func() { s.deliver(l, arrivals, to) })
	defer deliver.Wait()
	for {
		buffer := l.buffers.Get().([]byte)
		n, err := from.Read(buffer)
		if n > 0 && !l.send(s.ctx, chunk{data: buffer[:n], arrivals: arrivals}) {
			return
		}
		if err != nil {
			l.send(s.ctx, chunk{arrivals: arrivals, last: true})
			return
		}
	}
}

// deliver writes what has travelled long enough, until the last chunk. Where the peer is gone it only takes.
func (s *Shaper) deliver(l *lane, arrivals <-chan chunk, to net.Conn) {
	gone := false
	for {
		select {
		case <-s.ctx.Done():
			return
		case c := <-arrivals:
			if c.last {
				_ = to.(*net.TCPConn).CloseWrite()
				return
			}
			if !gone {
				time.Sleep(time.Until(c.due))
				_, err := to.Write(c.data)
				gone = err != nil
			}
			//lint:ignore SA6002 the slice header is small beside its 64 KiB
			l.buffers.Put(c.data[:cap(c.data)])
		}
	}
}

// chunk is a piece of one connection on its way.
type chunk struct {
	data     []byte
	due      time.Time
	arrivals chan<- chunk
	last     bool // nothing follows
}

// lane is one direction of the link, shared by all connections.
type lane struct {
	link     Link
	queue    chan chunk
	inFlight int // chunks
	buffers  sync.Pool
}

func newLane(link Link) *lane {
	size := limitedChunk
	queue := link.Queue
	if queue == 0 {
		queue = 128 << 10
	}
	inFlight := int(float64(link.Rate)*link.Delay.Seconds())/size + 64
	if link.Rate == 0 {
		size, queue = fastChunk, fastChunk
		inFlight = fastInFlight / fastChunk
	}
	l := &lane{link: link, queue: make(chan chunk, max(queue/size, 1)), inFlight: inFlight}
	l.buffers.New = func() any { return make([]byte, size) }
	return l
}

// send queues a chunk, waiting for room as a sender does whose window is full.
func (l *lane) send(ctx context.Context, c chunk) bool {
	select {
	case l.queue <- c:
		return true
	case <-ctx.Done():
		return false
	}
}

// run serialises the chunks of all connections at the link's rate. Sleeping is coarse, so it keeps the time at which
// the line is free again, and only sleeps once it is a millisecond ahead.
func (l *lane) run(ctx context.Context) {
	free := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-l.queue:
			free = l.occupy(free, len(c.data))
			c.due = free.Add(l.link.Delay)
			select {
			case c.arrivals <- c:
			case <-ctx.Done():
				return
			}
		}
	}
}

// occupy gives the time at which size bytes have left the sender's end of the line.
func (l *lane) occupy(free time.Time, size int) time.Time {
	now := time.Now()
	if free.Before(now) {
		free = now
	}
	if l.link.Rate > 0 {
		free = free.Add(time.Duration(float64(size) / float64(l.link.Rate) * float64(time.Second)))
		if ahead := time.Until(free); ahead > time.Millisecond {
			time.Sleep(ahead)
		}
	}
	return free
}

var _ io.Closer = (*Shaper)(nil)
