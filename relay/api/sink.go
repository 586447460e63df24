package api

import (
	"context"
	"net/http"
	"time"
)

// sink writes to the caller, under a deadline a piece.
type sink struct {
	w       http.ResponseWriter
	control *http.ResponseController
	ctx     context.Context
	stall   time.Duration
	release func() bool
	whole   bool // what was written ends with a line's end
}

// grace is how long a caller may take to read the last line of a stream that was cut.
const grace = 500 * time.Millisecond

// newSink answers with the head of a stream. When ctx ends, a write that waits for the caller ends soon.
func newSink(ctx context.Context, w http.ResponseWriter, kind string, stall time.Duration) *sink {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // a proxy in front must not collect what we stream
	w.WriteHeader(http.StatusOK)
	s := &sink{w: w, control: http.NewResponseController(w), ctx: ctx, stall: stall, whole: true}
	s.release = context.AfterFunc(ctx, func() { _ = s.control.SetWriteDeadline(time.Now().Add(grace)) })
	return s
}

// arm sets the deadline of the next write. The check comes after: a context that ends in between shortens it again.
func (s *sink) arm() {
	_ = s.control.SetWriteDeadline(time.Now().Add(s.stall))
	if s.ctx.Err() != nil {
		_ = s.control.SetWriteDeadline(time.Now().Add(grace))
	}
}

// disarm takes the deadline away while nothing is written: HTTP/2 would end a stream that only waits for its source.
func (s *sink) disarm() { _ = s.control.SetWriteDeadline(time.Time{}) }

func (s *sink) write(data []byte) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	s.arm()
	defer s.disarm()
	_, err := s.w.Write(data)
	s.whole = data[len(data)-1] == '\n'
	return err
}

// flush pushes out what was written. A failure shows at the next write.
func (s *sink) flush() {
	s.arm()
	defer s.disarm()
	_ = s.control.Flush()
}

// end writes the last line, on a line of its own. The deadline stays, for what net/http still holds back.
func (s *sink) end(line []byte) error {
	s.arm()
	if !s.whole {
		line = append([]byte{'\n'}, line...)
	}
	if _, err := s.w.Write(line); err != nil {
		return err
	}
	return s.control.Flush()
}
