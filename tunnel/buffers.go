package tunnel

import "sync"

// bufferSize holds a full queue with all that encryption and framing add to it.
const bufferSize = queueSize + 4<<10

// buffers lends the large buffers that are needed only while something is being sent, so that an idle session holds
// none. A pool may be shared by all: it carries no meaning, only memory.
var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

func borrow() []byte { return buffers.Get().(*[bufferSize]byte)[:0] }

// giveBack returns a borrowed buffer; one that has outgrown the size is left to the garbage collector.
func giveBack(buf []byte) {
	if cap(buf) == bufferSize {
		buffers.Put((*[bufferSize]byte)(buf[:bufferSize]))
	}
}
