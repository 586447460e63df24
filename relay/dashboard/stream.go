package dashboard

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"time"
)

// Media types that come piece by piece.
const (
	eventStream = "text/event-stream"
	ndjson      = "application/x-ndjson"
)

// maxPiece bounds one piece of a stream, in bytes.
const maxPiece = 1 << 20

// flow takes an answer of the API that comes piece by piece, and shows each piece as it comes. It writes to the browser by
// itself only what each says; deadlines and flushes of the API's are those of the browser's connection.
type flow struct {
	answer
	to    http.ResponseWriter
	split bufio.SplitFunc
	each  func(piece []byte) error
	rest  []byte
	begun bool // the browser has the head of the answer
}

// Write implements http.ResponseWriter.
func (f *flow) Write(p []byte) (int, error) {
	f.WriteHeader(http.StatusOK)
	if f.status >= http.StatusBadRequest {
		return f.answer.Write(p)
	}
	f.rest = append(f.rest, p...)
	for {
		advance, piece, err := f.split(f.rest, false)
		if err != nil || advance == 0 {
			if len(f.rest) > maxPiece {
				err = errors.New("a piece of a stream is too long")
			}
			return len(p), err
		}
		f.begun = true
		if err := f.each(piece); err != nil {
			return 0, err
		}
		f.rest = f.rest[advance:]
	}
}

// Flush implements http.Flusher: before the first piece nothing is to be flushed.
func (f *flow) Flush() {
	if f.begun {
		_ = http.NewResponseController(f.to).Flush()
	}
}

// Unwrap lets http.ResponseController set deadlines.
func (f *flow) Unwrap() http.ResponseWriter { return f.to }

// stream calls the API for an answer in pieces. An error is one from before the first piece; what is told within the
// stream is each's to see.
func (v *visit) stream(method, path, media string, body any, split bufio.SplitFunc, each func(piece []byte) error) error {
	r, err := v.ask(method, path, body)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", media)
	if seen := v.r.Header.Get("Last-Event-ID"); seen != "" {
		r.Header.Set("Last-Event-ID", seen)
	}
	f := &flow{to: v.w, split: split, each: each}
	v.api.ServeHTTP(f, r)
	if f.begun {
		return nil
	}
	return f.read(nil)
}

// begin writes the head of an answer that comes piece by piece.
func (v *visit) begin(media string) {
	h := v.w.Header()
	h.Set("Content-Type", media)
	h.Set("X-Accel-Buffering", "no") // a proxy in front must not collect what is told
	v.w.WriteHeader(http.StatusOK)
}

// splitEvents parts server-sent events at their empty lines.
func splitEvents(data []byte, _ bool) (int, []byte, error) {
	if i := bytes.Index(data, []byte("\n\n")); i >= 0 {
		return i + 2, data[:i], nil
	}
	return 0, nil, nil
}

// line is what a page is told of something that takes its time: a part of it, which takes the place of the one with the
// same id, or how it ended.
type line struct {
	ID    string `json:"id,omitempty"`
	HTML  string `json:"html,omitempty"`
	End   string `json:"end,omitempty"`   // HTML of the result
	Whole bool   `json:"whole,omitempty"` // the result takes the place of the page's content
	Title string `json:"title,omitempty"` // of the page then
	Path  string `json:"path,omitempty"`
}

func (v *visit) tell(l line) error {
	body, err := json.Marshal(l)
	if err != nil {
		return err
	}
	_ = http.NewResponseController(v.w).SetWriteDeadline(time.Now().Add(writeTime))
	if _, err := v.w.Write(append(body, '\n')); err != nil {
		return err
	}
	return http.NewResponseController(v.w).Flush()
}

// writeTime is how long a browser may take for a piece.
const writeTime = 30 * time.Second

// told reports whether the browser wants to be told how something goes.
func (v *visit) told() bool { return v.r.Header.Get("Accept") == ndjson }
