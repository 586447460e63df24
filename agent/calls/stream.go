package calls

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"gantry/connectors/wire"
)

const (
	// streamFull is what waits for a slow reader before the source is held, in bytes: all the memory a stream takes.
	streamFull = 64 << 10
	// streamChunk is written at once: large enough to fill tunnel frames and TLS records.
	streamChunk = 32 << 10
	// streamPause is how long a smaller chunk waits for more lines, so that a source that pauses is seen at once and
	// a fast one is not cut into small writes.
	streamPause = 5 * time.Millisecond
)

var errReaderGone = errors.New("the reader of the stream is gone")

// lines carries NDJSON from a source to a response: the source appends while the writer writes what came before. No lock
// is held while writing.
type lines struct {
	some   chan struct{} // pending is no longer empty
	enough chan struct{} // pending reached a chunk
	room   chan struct{} // pending was taken

	mu      sync.Mutex
	pending []byte
}

func newLines() *lines {
	return &lines{
		some: make(chan struct{}, 1), enough: make(chan struct{}, 1), room: make(chan struct{}, 1),
		pending: make([]byte, 0, streamFull),
	}
}

// add takes one line without its end; it waits while the reader is behind, until ctx ends.
func (l *lines) add(ctx context.Context, line []byte) error {
	for !l.fits(line) {
		select {
		case <-l.room:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// fits appends the line if there is room. One line larger than the room passes alone.
func (l *lines) fits(line []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pending) > 0 && len(l.pending)+len(line) >= streamFull {
		signal(l.enough)
		return false
	}
	l.pending = append(append(l.pending, line...), '\n')
	signal(l.some)
	if len(l.pending) >= streamChunk {
		signal(l.enough)
	}
	return true
}

// take exchanges the pending lines for an empty buffer.
func (l *lines) take(empty []byte) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	full := l.pending
	l.pending = empty[:0]
	signal(l.room)
	return full
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// source produces lines until it is done.
type source func(ctx context.Context, line func([]byte) error) error

// pump runs a source in a goroutine of its own and writes its lines to w. begun says whether anything was written; err is
// the source's. A reader that goes away cancels the source; pump always waits for it.
func pump(ctx context.Context, w http.ResponseWriter, src source) (begun bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	l := newLines()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err = guard(func() error { return src(ctx, func(line []byte) error { return l.add(ctx, line) }) })
	}()
	out := chunkWriter{w: w, rc: http.NewResponseController(w), buffer: make([]byte, 0, streamFull)}
	for {
		select {
		case <-ended:
			out.write(l)
			return out.begun, err
		case <-l.some:
		}
		select {
		case <-l.enough:
		case <-ended:
		case <-time.After(streamPause):
		}
		if !out.write(l) {
			cancel(errReaderGone)
			<-ended
			return out.begun, errors.Join(errReaderGone, err)
		}
	}
}

// chunkWriter is the response's side of a stream.
type chunkWriter struct {
	w      http.ResponseWriter
	rc     *http.ResponseController
	buffer []byte
	begun  bool
}

// write sends what is pending; false: the reader is gone.
func (c *chunkWriter) write(l *lines) bool {
	chunk := l.take(c.buffer)
	if cap(chunk) <= 2*streamFull { // a buffer that one huge line made is not kept
		c.buffer = chunk
	} else {
		c.buffer = make([]byte, 0, streamFull)
	}
	if len(chunk) == 0 {
		return true
	}
	if !c.begun {
		c.begun = true
		c.w.Header().Set("Content-Type", wire.NDJSON)
		c.w.WriteHeader(http.StatusOK)
	}
	if _, err := c.w.Write(chunk); err != nil {
		return false
	}
	return c.rc.Flush() == nil
}
