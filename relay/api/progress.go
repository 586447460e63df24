package api

import (
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"slices"
	"strings"

	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// progress is a line of an answer that is told as it comes about: each step, and last the whole, or why there is none.
type progress[S, E any] struct {
	Step  *S             `json:"step,omitempty"`
	End   *E             `json:"end,omitempty"`   // what comes without a stream
	Error *fault.Problem `json:"error,omitempty"` // what would have been the answer without a stream
}

// teller answers whoever accepts NDJSON step by step (progress), and everybody else at the end. The audit's entry, which
// tells how it ended, is written before the last line.
type teller[S, E any] struct {
	api   *API
	ctx   context.Context
	visit *visit
	wants bool
	sink  *sink // nil: nothing was told yet
}

func newTeller[S, E any](ctx context.Context, a *API, w http.ResponseWriter, r *http.Request) *teller[S, E] {
	return &teller[S, E]{api: a, ctx: ctx, visit: w.(*visit), wants: accepts(r, wire.NDJSON)}
}

// accepts reports whether the caller names the media type among those that it accepts.
func accepts(r *http.Request, media string) bool {
	return slices.ContainsFunc(strings.Split(r.Header.Get("Accept"), ","), func(part string) bool {
		kind, _, err := mime.ParseMediaType(part)
		return err == nil && kind == media
	})
}

// step tells a step. A caller that is gone is told nothing more; what was begun for it ends with its context.
func (t *teller[S, E]) step(s S) {
	if t.wants {
		_ = t.line(progress[S, E]{Step: &s})
	}
}

func (t *teller[S, E]) line(document any) error {
	body, err := json.Marshal(document)
	if err != nil {
		return err
	}
	if t.sink == nil {
		t.visit.before = nil // the entry comes with the end
		t.sink = newSink(t.ctx, t.visit, wire.NDJSON, t.api.limits.ClientStall)
	}
	if err := t.sink.write(append(body, '\n')); err != nil {
		return left(err)
	}
	t.sink.flush()
	return nil
}

// end answers with the whole, or with err where there is none.
func (t *teller[S, E]) end(status int, whole E, err error) error {
	switch {
	case t.sink == nil && (err != nil || !t.wants):
		if err != nil {
			return err
		}
		return reply(t.visit, status, whole)
	case t.sink != nil:
		defer t.sink.release()
	}
	if err == nil {
		t.visit.note(succeeded)
		return t.line(progress[S, E]{End: &whole})
	}
	problem := classify(err).Clone()
	problem.RequestID = requestIDOf(t.ctx)
	t.visit.note(string(problem.Code))
	_ = t.line(map[string]*fault.Error{"error": problem}) // it is logged, whether somebody reads it or not
	return told{problem}
}
