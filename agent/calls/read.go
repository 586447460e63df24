package calls

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"gantry/agent/health"
	"gantry/connectors/engine"
	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// list reads one page.
func (h *Handler) list(ctx context.Context, c *entityCall) (answer, error) {
	var page engine.Page
	err := h.withEngine(ctx, c, func(ctx context.Context, l *lease) (err error) {
		page, err = l.List(ctx, c.entity, c.query())
		return err
	})
	if err != nil {
		return answer{}, err
	}
	frame := c.hidden.Frame()
	for i := range page.Data {
		if page.Data[i].JSON, err = frame.Redact(page.Data[i].JSON); err != nil {
			return answer{}, err
		}
	}
	return answer{status: http.StatusOK, body: page.AppendJSON(nil)}, nil
}

// get reads one record.
func (h *Handler) get(ctx context.Context, c *entityCall) (answer, error) {
	var record engine.Record
	err := h.withEngine(ctx, c, func(ctx context.Context, l *lease) (err error) {
		record, err = l.Get(ctx, c.entity, c.id, c.query())
		return err
	})
	if err != nil {
		return answer{}, err
	}
	return c.recordAnswer(http.StatusOK, record)
}

func (c *entityCall) recordAnswer(status int, record engine.Record) (answer, error) {
	body, err := c.hidden.Frame().Redact(record.JSON)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: status, body: body, header: map[string]string{}}
	if record.ETag != "" {
		a.header[wire.HeaderETag] = quoteETag(record.ETag)
	}
	return a, nil
}

// withEngine runs do with the connection's engine, as its health and the limits allow.
func (h *Handler) withEngine(ctx context.Context, c *entityCall, do func(context.Context, *lease) error) error {
	permit, err := c.admit(ctx)
	if err != nil {
		return err
	}
	err = guard(func() error { return h.admitted(ctx, c, &permit, do) })
	permit.Ended(err)
	return err
}

func (h *Handler) admitted(ctx context.Context, c *entityCall, permit *health.Permit, do func(context.Context, *lease) error) error {
	ctx, l, err := h.pool.use(ctx, c.connection)
	if err != nil {
		return err
	}
	defer l.release()
	leave, err := c.enter(ctx, l)
	if err != nil {
		return err
	}
	defer leave()
	l.permit = permit
	return c.connection.cut(do(ctx, l))
}

// stream sends the whole result as NDJSON. The last line is {"end":{"count":N}} or {"error":…}, so that a cut stream can
// be told from a whole one; what fails before the first line is a problem document.
func (h *Handler) stream(w http.ResponseWriter, r *http.Request) {
	leave, err := place(h.streams, "streams")
	if err != nil {
		h.fail(w, r, err)
		return
	}
	defer leave()
	begun, err := h.streamEntity(w, r)
	switch {
	case err == nil || errors.Is(err, errReaderGone):
	case !begun:
		h.fail(w, r, err)
	default:
		f := h.complete(r, err)
		h.log(r, f, err)
		writeLine(w, map[string]any{"error": f})
	}
}

func (h *Handler) streamEntity(w http.ResponseWriter, r *http.Request) (begun bool, err error) {
	c, err := h.entityCall(r.Context(), r, "list")
	if err != nil {
		return false, err
	}
	err = h.withEngine(r.Context(), c, func(ctx context.Context, l *lease) (err error) {
		begun, err = pump(ctx, w, func(ctx context.Context, line func([]byte) error) error {
			return c.source(ctx, l, line)
		})
		return err
	})
	return begun, c.located(err)
}

// source reads all records and ends with the count.
func (c *entityCall) source(ctx context.Context, l *lease, line func([]byte) error) error {
	frame := c.hidden.Frame()
	count, err := l.Stream(ctx, c.entity, c.query(), func(record []byte) error {
		l.permit.Answered()
		record, err := frame.Redact(record)
		if err != nil {
			return err
		}
		return line(record)
	})
	if err != nil {
		return err
	}
	end, err := json.Marshal(map[string]any{"end": map[string]int{"count": count}})
	if err != nil {
		return fault.From(err, fault.HopAgent)
	}
	return line(end)
}

// writeLine ends a stream that failed. The reader may be gone: there is nobody left to tell.
func writeLine(w http.ResponseWriter, v any) {
	if line, err := json.Marshal(v); err == nil {
		_, _ = w.Write(append(line, '\n'))
	}
}
