package api

import (
	"bytes"
	"io"
	"sync"
	"time"
)

// blockSize is the piece in which streams move: what the agent's side of the tunnel writes at once.
const blockSize = 64 << 10

// blocksPerStream bounds the memory of one stream, together with blockSize.
const blocksPerStream = 4

// blocks keeps buffers between streams.
var blocks = sync.Pool{New: func() any { return new([blockSize]byte) }}

// The lines that end a stream begin so.
var (
	endMark   = []byte(`{"end":`)
	errorMark = []byte(`{"error":`)
)

// block is a piece of the stream: whole lines, unless one line is longer than a block.
type block struct {
	data *[blockSize]byte
	n    int
}

func (b block) bytes() []byte { return b.data[:b.n] }

// lines reads a stream in blocks that end with a line's end, in a goroutine of its own. The line that may be the last is
// held back until it is known.
type lines struct {
	full, free chan block
	stop       chan struct{}
	done       sync.WaitGroup
	tail       []byte // what was held back; read after full is closed
	err        error  // how the source ended; read after full is closed
}

// newLines starts reading. Whoever calls it calls close.
func newLines(source io.Reader, watch *watchdog) *lines {
	l := &lines{full: make(chan block, blocksPerStream), free: make(chan block, blocksPerStream), stop: make(chan struct{})}
	for range blocksPerStream {
		l.free <- block{data: blocks.Get().(*[blockSize]byte)}
	}
	l.done.Go(func() { l.read(source, watch) })
	return l
}

// next gives the next block; paused is called when there is none yet. False: the stream has ended.
func (l *lines) next(paused func()) (block, bool) {
	select {
	case b, ok := <-l.full:
		return b, ok
	default:
		paused()
	}
	b, ok := <-l.full
	return b, ok
}

func (l *lines) recycle(b block) { l.free <- b } // never blocks: there is room for all

// last gives the line that was held back, and how the source ended.
func (l *lines) last() ([]byte, error) { return l.tail, l.err }

// close ends the reader, whom unblock frees from a read, waits for it and gives the buffers back.
func (l *lines) close(unblock func()) {
	close(l.stop)
	unblock()
	l.done.Wait()
	for b := range l.full {
		blocks.Put(b.data)
	}
	close(l.free)
	for b := range l.free {
		blocks.Put(b.data)
	}
}

// read fills blocks until the source ends or the stream is closed.
func (l *lines) read(source io.Reader, watch *watchdog) {
	defer close(l.full)
	var carry []byte // the beginning of a line, or a line that may be the last
	for {
		var b block
		select {
		case b = <-l.free:
		case <-l.stop:
			return
		}
		b.n = copy(b.data[:], carry)
		cut, err := fill(source, watch, &b)
		carry = append(carry[:0], b.data[cut:b.n]...)
		b.n = cut
		if cut > 0 {
			l.full <- b // never blocks: there is room for all
		} else {
			l.free <- b
		}
		if err != nil {
			l.tail, l.err = carry, err
			return
		}
	}
}

// fill reads until the block has something to give: the end of a line that is not the stream's last, or no more room.
// cut is how much of the block may go.
func fill(source io.Reader, watch *watchdog, b *block) (cut int, err error) {
	for err == nil {
		var n int
		n, err = watch.read(source, b.data[b.n:])
		b.n += n
		if bytes.IndexByte(b.data[b.n-n:b.n], '\n') >= 0 { // else nothing has changed
			cut = ready(b.bytes())
		}
		if cut > 0 || b.n == blockSize {
			break
		}
	}
	if cut == 0 && b.n == blockSize {
		cut = b.n // one long line: it goes in pieces
	}
	return cut, err
}

// ready gives the length of the whole lines of data, less the last one where that may end the stream.
func ready(data []byte) int {
	end := bytes.LastIndexByte(data, '\n') + 1
	if end == 0 {
		return 0
	}
	start := bytes.LastIndexByte(data[:end-1], '\n') + 1
	if last := data[start:end]; bytes.HasPrefix(last, endMark) || bytes.HasPrefix(last, errorMark) {
		return start
	}
	return end
}

// watchdog watches the source while it is being read, and only then: a caller that reads slowly is not the source's
// fault.
type watchdog struct {
	first  *time.Timer // runs until the first read is over
	idle   time.Duration
	expire func() // ends the stream after idle
	timer  *time.Timer
}

func (d *watchdog) read(source io.Reader, into []byte) (int, error) {
	if d.timer != nil {
		d.timer.Reset(d.idle)
	}
	n, err := source.Read(into)
	if d.timer == nil {
		d.first.Stop()
		d.timer = time.AfterFunc(d.idle, d.expire)
	}
	d.timer.Stop()
	return n, err
}
