package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"gantry/connectors/wire"
	"gantry/relay/hub"
	"gantry/tunnel/fault"
)

// An answer up to wholeAnswer bytes is held until it is whole, so that a break becomes a problem document; what is
// longer flows through, up to maxAnswer, and a break then breaks the caller's connection, which it cannot mistake for
// an end. Both bound what one call can hold.
const (
	wholeAnswer = 256 << 10
	maxAnswer   = 32 << 20
)

// errTimeout ends a call at the relay's own limit. The agent's is shorter: this one means that the way there is stuck.
var errTimeout = fault.New(fault.SystemTimeout, "No answer came from the agent within the call's time.").At(fault.HopTunnel)

// unary carries one call whose answer is one document.
func (a *API) unary(w http.ResponseWriter, r *http.Request, c *call) error {
	leave, err := a.calls.enter(c.connection.ID)
	if err != nil {
		return a.complete(fault.From(err, fault.HopRelay).Ended(notSent(c)), c)
	}
	defer leave()
	ctx, cancel := context.WithTimeoutCause(r.Context(), a.limits.CallTimeout, errTimeout)
	defer cancel()
	response, err := a.send(ctx, hub.Calls, c, a.limits.CallTimeout-budgetMargin)
	if err != nil {
		return err
	}
	defer closeBody(response)
	if err := passable(response, c); err != nil {
		return a.complete(err, c)
	}
	return a.pass(ctx, w, response, c)
}

func notSent(c *call) fault.Outcome {
	if c.write() {
		return fault.NotSent
	}
	return ""
}

// passable checks the head of an agent's answer before a byte of it is passed on.
func passable(response *http.Response, c *call) *fault.Error {
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	switch status := response.StatusCode; {
	case status == http.StatusNoContent:
		return nil
	case status != http.StatusOK && status != http.StatusCreated:
		return strange(c, "status %d", status)
	case kind != "application/json":
		return strange(c, "content type %q", clip(kind))
	case response.ContentLength > maxAnswer:
		return excessive(c)
	}
	return nil
}

// strange is an answer that the protocol does not know. A write behind it most likely happened; nobody can tell.
func strange(c *call, format string, args ...any) *fault.Error {
	e := fault.New(fault.Internal, "The agent's answer breaks the protocol.").At(fault.HopAgent).Because(fmt.Errorf(format, args...))
	if c.write() {
		e.Ended(fault.Unknown)
	}
	return e
}

func excessive(c *call) *fault.Error {
	e := fault.New(fault.PayloadTooLarge, "The answer is larger than %d bytes.", int64(maxAnswer)).At(fault.HopAgent).
		Advise("Ask for fewer records (`limit`) or fields (`fields`), or stream with Accept: %s.", wire.NDJSON)
	if c.write() {
		e.Ended(fault.Done)
	}
	return e
}

// wholes keeps the buffers of answers between calls.
var wholes = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// pass gives the agent's answer to the caller.
func (a *API) pass(ctx context.Context, w http.ResponseWriter, response *http.Response, c *call) error {
	whole := wholes.Get().(*bytes.Buffer)
	defer wholes.Put(whole)
	whole.Reset()
	n, err := io.CopyN(whole, response.Body, wholeAnswer)
	if err != nil && !errors.Is(err, io.EOF) {
		return a.complete(a.broken(ctx, a.lost(err), c), c)
	}
	answerHeader(w.Header(), response, c)
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Now().Add(a.limits.ClientStall))
	if n < wholeAnswer {
		if response.StatusCode != http.StatusNoContent {
			w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
		}
		w.WriteHeader(response.StatusCode)
		_, _ = w.Write(whole.Bytes()) // the caller may be gone
		return nil
	}
	w.WriteHeader(response.StatusCode)
	source := io.LimitReader(io.MultiReader(whole, response.Body), maxAnswer+1)
	sent, err := a.pump(control, w, source)
	switch {
	case err != nil:
		return torn{a.complete(a.broken(ctx, a.lost(err), c), c)}
	case sent > maxAnswer:
		return torn{a.complete(excessive(c), c)}
	}
	return nil
}

// torn is a failure after the status went out: a broken connection is the one honest end.
type torn struct{ failure *fault.Error }

// Error implements error: for logs.
func (t torn) Error() string { return t.failure.Error() }

// Unwrap gives the failure itself.
func (t torn) Unwrap() error { return t.failure }

// lost classifies the end of reading an answer; a fault stays what it is.
func (a *API) lost(err error) error {
	if e, ok := errors.AsType[*fault.Error](err); ok {
		return e
	}
	return a.hub.Classify(err)
}

// pump copies with a deadline for each piece, so that a caller that reads slowly, but reads, is served to the end.
func (a *API) pump(control *http.ResponseController, w io.Writer, source io.Reader) (int64, error) {
	buffer := blocks.Get().(*[blockSize]byte)
	defer blocks.Put(buffer)
	var sent int64
	for {
		n, err := source.Read(buffer[:])
		if n > 0 {
			_ = control.SetWriteDeadline(time.Now().Add(a.limits.ClientStall))
			if _, err := w.Write(buffer[:n]); err != nil {
				return sent, fault.New(fault.Cancelled, "The caller stopped reading the answer.").Because(err)
			}
			sent += int64(n)
		}
		if errors.Is(err, io.EOF) {
			return sent, nil
		}
		if err != nil {
			return sent, err
		}
	}
}

// answerHeader passes on the headers that package wire names, each checked, and no others.
func answerHeader(h http.Header, response *http.Response, c *call) {
	if response.StatusCode != http.StatusNoContent {
		h.Set("Content-Type", "application/json")
	}
	h.Set("Cache-Control", "no-store")
	if tag := response.Header.Get(wire.HeaderETag); tag != "" && sane(tag, maxETag) {
		h.Set("ETag", tag)
	}
	switch mode := response.Header.Get(wire.HeaderDeleteMode); mode {
	case "hard", "soft", "status":
		h.Set(wire.HeaderDeleteMode, mode)
	}
	if response.Header.Get(wire.HeaderReplayed) == "true" {
		h.Set(wire.HeaderReplayed, "true")
	}
	if id := response.Header.Get(wire.HeaderRecordID); response.StatusCode == http.StatusCreated && id != "" && len(id) <= maxRecordID {
		h.Set("Location", c.location+"/"+url.PathEscape(id))
	}
}
