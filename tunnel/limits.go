package tunnel

import "time"

// Liveness. Each end sends at least a ping every keepAlive, so an end that has heard nothing for silence is talking to
// nobody: seven seconds, five for a slow link to deliver, one because the deadline is renewed at most once a second
// (see link). The peer is thus given up within 13 s. Hearing counts and not being answered: on a link that is full of
// our own bulk data an answer may be late while the peer is well.
const (
	keepAlive = 7 * time.Second
	silence   = 13 * time.Second
	// stall is how long one flush (at most 64 KiB) may take: less than 52 kbit/s is a dead link.
	stall = 10 * time.Second
	// queueing is how long a frame may wait for its turn within yamux. Long, because silence and stall already find the
	// dead: it must only be longer than a full queue takes on a slow link.
	queueing = 60 * time.Second
	// lingering is how long a stream that one end closed waits for the other. Both close at once in HTTP/1.1, so this
	// catches only a peer that misbehaves.
	lingering = 10 * time.Second
	// parting is how long a session that is closed on purpose tries to tell the peer why.
	parting = time.Second
)

// The queue on our side is kept short, so that a small call does not wait behind megabytes of a bulk read that the
// kernel has already taken (measured: 384 ms against 83 ms on 100 Mbit/s with 40 ms).
const (
	// queueSize bounds what waits for the writer, and so one websocket message before encryption.
	queueSize = 64 << 10
	// notSent is how much the kernel may hold unsent (TCP_NOTSENT_LOWAT).
	notSent = 64 << 10
	// chunk is the largest frame of one stream, so that streams take turns often.
	chunk = 32 << 10
	// maxMessage is the largest websocket message taken: a full queue and the overhead of its TLS records, with room.
	maxMessage = 128 << 10
)

// What one stream may have under way, unread. It is what bounds the speed of one stream on a long link (window / round
// trip) and what a reader that stalls costs in memory; so it is large on the bulk lane, which carries few streams, and
// small on the other. With 12 MiB a link of 40 ms carries 200 MB/s, and a slow reader makes the relay grow by 53 MiB; with
// 8 MiB it is 146 MB/s and 45 MiB, with 16 MiB 71 MiB: much more than a window,
// since the multiplexer's buffer doubles as it grows and the collector finds the old ones later.
const (
	windowCalls = 1 << 20
	windowBulk  = 12 << 20
)

// Streams per session and direction, on either lane, all below the 256 unacknowledged streams at which yamux would
// block an opener without a context.
const (
	streamsCalls = 200
	streamsBulk  = 16
	backlog      = 256
)

// HTTP inside the tunnel.
const (
	maxHeader     = 64 << 10
	headerTimeout = 2 * time.Minute  // longer than idleStream: a stream that was opened ahead of its call is not closed under it
	idleStream    = 60 * time.Second // the caller's end closes an idle stream first,
	idleServed    = 5 * time.Minute  // so that a call never meets a stream that is just being closed
	bufferCalls   = 8 << 10
	bufferBulk    = 64 << 10
)

// The handshake. A stage is the time for one step that waits for the peer; line is how long a newcomer at the relay
// may wait for its turn.
const (
	stage          = 5 * time.Second
	line           = 15 * time.Second
	maxClientHello = 16 << 10
	maxHello       = 16 << 10

	// MaxHandshakes is how many handshakes the relay's processor works on at a time unless Acceptor says otherwise. A
	// storm of 9,500 agents then costs other calls 18 ms at p99 instead of 89.
	MaxHandshakes = 4

	maxPending        = 4096 // connections that are not sessions yet, in all
	maxPendingAddress = 256  // and from one address: a plant's agents share one
)

// windowOf, streamsOf and bufferOf give a lane's figures.
func windowOf(l Lane) uint32 {
	if l == LaneBulk {
		return windowBulk
	}
	return windowCalls
}

func streamsOf(l Lane) int {
	if l == LaneBulk {
		return streamsBulk
	}
	return streamsCalls
}

func bufferOf(l Lane) int {
	if l == LaneBulk {
		return bufferBulk
	}
	return bufferCalls
}
