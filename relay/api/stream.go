package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"gantry/connectors/wire"
	"gantry/relay/hub"
	"gantry/tunnel/fault"
)

// The ends of a stream that the relay decides, as the faults that they are.
var (
	errFirstRow = fault.New(fault.SystemTimeout, "The first row did not come in time.").
			Advise("Narrow the query: the system takes long before it answers.")
	errIdle = fault.New(fault.SystemTimeout, "The source of the stream said nothing for too long.")
)

// stream carries a list as NDJSON, in constant memory, however long it is.
func (a *API) stream(w http.ResponseWriter, r *http.Request, c *call) error {
	leave, err := a.streams.enter(c.connection.ID)
	if err != nil {
		return a.complete(fault.From(err, fault.HopRelay), c)
	}
	defer leave()
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	first := time.AfterFunc(a.limits.FirstRow, func() { cancel(errFirstRow) })
	defer first.Stop()
	c.accept = wire.NDJSON
	response, err := a.send(ctx, hub.Bulk, c, 0)
	if err != nil {
		return err
	}
	defer closeBody(response)
	if kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); response.StatusCode != http.StatusOK || kind != wire.NDJSON {
		return a.complete(strange(c, "status %d, content type %q", response.StatusCode, clip(kind)), c)
	}
	watch := &watchdog{first: first, idle: a.limits.StreamIdle, expire: func() { cancel(errIdle) }}
	source := newLines(response.Body, watch)
	defer source.close(func() { cancel(nil); closeBody(response) })
	return a.flow(ctx, w, source, c)
}

// flow moves the lines. Two goroutines and four blocks: one reads the agent, this one writes the caller, so that what is
// written can be flushed exactly when the source pauses, and reading goes on while a write waits.
func (a *API) flow(ctx context.Context, w http.ResponseWriter, source *lines, c *call) error {
	sink := newSink(ctx, w, wire.NDJSON, a.limits.ClientStall)
	defer sink.release()
	for block, ok := source.next(sink.flush); ok; block, ok = source.next(sink.flush) {
		err := sink.write(block.bytes())
		source.recycle(block)
		if endOf(ctx) != nil {
			break // the last line tells why
		}
		if err != nil {
			return a.complete(left(err), c)
		}
	}
	last, failure := a.lastLine(ctx, source, c)
	if err := sink.end(last); err != nil && failure == nil {
		return a.complete(left(err), c)
	}
	if failure != nil {
		return told{failure}
	}
	return nil
}

// left is a caller that is gone, or does not read.
func left(err error) *fault.Error {
	return fault.New(fault.Cancelled, "The caller stopped reading the stream.").Because(err)
}

// told is a failure that the caller has been told in the stream: it is logged and not answered again.
type told struct{ failure *fault.Error }

// Error implements error: for logs.
func (t told) Error() string { return t.failure.Error() }

// Unwrap gives the failure itself.
func (t told) Unwrap() error { return t.failure }

// lastLine gives the line that ends the stream: the agent's own if it is one, else the error why there is none.
func (a *API) lastLine(ctx context.Context, source *lines, c *call) ([]byte, *fault.Error) {
	failure := endOf(ctx)
	if failure == nil {
		var end []byte
		if end, failure = a.ending(source, c); failure == nil {
			return end, nil
		}
	}
	failure.Outcome = ""
	a.complete(failure, c).RequestID = requestIDOf(ctx)
	line, err := json.Marshal(map[string]*fault.Error{"error": failure})
	if err != nil { // every member is a plain value: this cannot happen
		line = []byte(`{"error":{"code":"INTERNAL"}}`)
	}
	return append(line, '\n'), failure
}

// ending reads how the agent ended the stream: with an end line, or with a failure.
func (a *API) ending(source *lines, c *call) ([]byte, *fault.Error) {
	last, err := source.last()
	switch {
	case !errors.Is(err, io.EOF):
		return nil, fault.From(a.hub.Classify(err), fault.HopTunnel)
	case bytes.HasPrefix(last, endMark) && json.Valid(last):
		return append(bytes.TrimRight(last, "\n"), '\n'), nil
	case bytes.HasPrefix(last, errorMark):
		return nil, hub.Claim(bytes.NewReader(problemOf(last)), false)
	}
	return nil, strange(c, "the stream ends without an end line")
}

// problemOf takes the document out of an error line.
func problemOf(line []byte) []byte {
	var last struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(line, &last) != nil {
		return nil // which decodes as no problem at all
	}
	return last.Error
}
