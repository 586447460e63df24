package support

import (
	"context"
	"encoding/json"
	"io"
	"net/http"

	"gantry/connectors/wire"
	"gantry/tunnel/check"
	"gantry/tunnel/fault"
)

// answer is where a run's result goes.
type answer struct {
	http.ResponseWriter
	begun bool
}

func (a *answer) begin(contentType string) {
	a.Header().Set("Content-Type", contentType)
	a.begun = true
	a.WriteHeader(http.StatusOK)
}

// json answers with a document.
func (a *answer) json(document any) error {
	body, err := json.Marshal(document)
	if err != nil {
		return err
	}
	a.begin("application/json")
	_, _ = a.Write(body) // the relay may be gone: there is nobody left to tell
	return nil
}

// line sends a line of a report. The relay may be gone: there is nobody left to tell.
func (a *answer) line(l check.Line) {
	body, err := json.Marshal(l)
	if err != nil {
		panic(err) // every member is a plain value: this cannot happen
	}
	if !a.begun {
		a.begin(wire.NDJSON)
	}
	_, _ = a.Write(append(body, '\n'))
	_ = http.NewResponseController(a.ResponseWriter).Flush()
}

// stream gives a writer that begins the answer with its first byte, takes at most limit bytes, and ends with ctx.
func (a *answer) stream(ctx context.Context, contentType string, limit int64) io.Writer {
	return &stream{ctx, a, contentType, limit}
}

type stream struct {
	ctx         context.Context
	answer      *answer
	contentType string
	left        int64
}

// Write implements io.Writer. What is written is sent at once: somebody may be following.
func (s *stream) Write(b []byte) (int, error) {
	if s.ctx.Err() != nil {
		return 0, context.Cause(s.ctx)
	}
	if s.left -= int64(len(b)); s.left < 0 {
		return 0, fault.New(fault.PayloadTooLarge, "The agent has more than it may send at once.").At(fault.HopAgent)
	}
	if !s.answer.begun {
		s.answer.begin(s.contentType)
	}
	n, err := s.answer.Write(b)
	if err != nil {
		return n, fault.New(fault.Cancelled, "The reader went away.").Because(err)
	}
	_ = http.NewResponseController(s.answer.ResponseWriter).Flush() // a writer that cannot flush has sent already
	return n, nil
}
