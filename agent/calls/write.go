package calls

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"time"

	"gantry/agent/health"
	"gantry/agent/journal"
	"gantry/connectors"
	"gantry/connectors/engine"
	"gantry/connectors/wire"
	"gantry/tunnel/fault"
)

// journalTime bounds the journal's own writes, which no caller's leaving may cut short.
const journalTime = 10 * time.Second

// write runs an operation that has an effect, at most once for one key.
func (h *Handler) write(ctx context.Context, c *entityCall) (answer, error) {
	w, raw, err := c.newWrite()
	if err != nil {
		return answer{}, err
	}
	if w.DryRun {
		return h.dryRun(ctx, c, w)
	}
	call, err := c.journalCall(c.path(), raw)
	if err != nil {
		return answer{}, err
	}
	return h.once(ctx, c, call, effect{
		run: func(ctx context.Context, l *lease) (answer, error) {
			result, err := l.Write(ctx, w)
			return c.written(result, err)
		},
		settle: func(ctx context.Context, l *lease, age time.Duration) (answer, bool, error) {
			w := w
			w.Age = age
			result, settled, err := l.Settle(ctx, w)
			if err != nil || !settled {
				return answer{}, false, err
			}
			result.Replayed = true
			a, err := c.written(result, nil)
			return a, true, err
		},
	})
}

// effect is what changes something at the system.
type effect struct {
	run func(ctx context.Context, l *lease) (answer, error)
	// settle finds out what an earlier try did, so long ago: engine.Settle.
	settle func(ctx context.Context, l *lease, age time.Duration) (a answer, settled bool, err error)
}

// once has an effect at most once for the call's key, and answers with the first answer from then on.
func (h *Handler) once(ctx context.Context, c *entityCall, call journal.Call, e effect) (answer, error) {
	ticket, err := h.Journal.Enter(ctx, call)
	if err != nil {
		return answer{}, err
	}
	defer ticket.Leave()
	if entry, known := ticket.Replay(); known {
		return c.replay(entry)
	}
	return h.run(ctx, c, ticket, e)
}

// newWrite reads the request; raw is its body as it came.
func (c *entityCall) newWrite() (w engine.Write, raw []byte, err error) {
	if raw, err = readBody(c.request, maxBody); err != nil {
		return w, nil, err
	}
	if err := c.checkBody(raw); err != nil {
		return w, nil, notSent(err)
	}
	header := c.request.Header
	condition, err := ifMatch(header)
	if err == nil && condition != "" && c.id == "" {
		err = refuseETag("there is no record yet that it could match: leave it out")
	}
	if err != nil {
		return w, nil, notSent(err)
	}
	w = engine.Write{
		Entity: c.entity, Operation: c.operation, ID: c.id, IfMatch: condition,
		IdempotencyKey: header.Get(wire.HeaderIdempotencyKey), DryRun: c.request.URL.Query().Get("dry_run") == "true",
		Now: time.Now(), Hidden: c.hidden.Paths(), Permits: c.permits,
	}
	if len(bytes.TrimSpace(raw)) > 0 {
		if w.Body, err = connectors.DecodeBody(raw); err != nil {
			return w, nil, fault.New(fault.InvalidRequest, "The body is not one JSON object, or a member of it stands there twice.").
				Because(err).Ended(fault.NotSent)
		}
	}
	return w, raw, nil
}

// journalCall names the write to the journal. One without a key of its own gets a key that nobody can send again: it is
// journaled for the people who look at unknown outcomes.
func (c *entityCall) journalCall(path string, raw []byte) (journal.Call, error) {
	header := c.request.Header
	call := journal.Call{
		Connection: c.connection.row.ID, Key: header.Get(wire.HeaderIdempotencyKey), RequestID: header.Get(wire.HeaderRequestID),
		Method: c.request.Method, Path: path,
	}
	if call.Key == "" {
		call.Key = journal.AutoKey + rand.Text()
	}
	var err error
	if call.Fingerprint, err = journal.Fingerprint(call.Method, call.Path, raw); err != nil {
		return call, fault.New(fault.InvalidRequest, "The body is no JSON.").Because(err).Ended(fault.NotSent)
	}
	return call, nil
}

// dryRun makes every check that can be made without writing.
func (h *Handler) dryRun(ctx context.Context, c *entityCall, w engine.Write) (answer, error) {
	var result engine.Result
	err := h.withEngine(ctx, c, func(ctx context.Context, l *lease) (err error) {
		result, err = l.Write(ctx, w)
		return err
	})
	if err != nil {
		return answer{}, notSent(err)
	}
	return answer{status: http.StatusOK, body: result.Record.JSON}, nil
}

// replay answers with the first result, less what the plant keeps to itself by now.
func (c *entityCall) replay(entry journal.Entry) (answer, error) {
	if entry.Lost {
		return answer{}, fault.New(fault.Conflict, "The write was done; its answer was not kept.").At(fault.HopAgent).
			Ended(fault.Done).Advise("Read the record.")
	}
	header := map[string]string{wire.HeaderReplayed: "true"}
	maps.Copy(header, entry.Result.Header)
	a := answer{status: entry.Result.Status, header: header, body: entry.Result.Body}
	if entry.State == journal.Done && a.status < http.StatusBadRequest { // a record, not a problem
		var err error
		if a.body, err = c.hidden.Redact(a.body); err != nil {
			return answer{}, fault.From(err, fault.HopAgent).Clone().Ended(fault.Done)
		}
	}
	return a, nil
}

// run takes an engine and a place, settles an earlier try if there was one, and has the effect.
func (h *Handler) run(ctx context.Context, c *entityCall, ticket *journal.Ticket, e effect) (a answer, err error) {
	permit, err := c.admit(ctx)
	if err != nil {
		return answer{}, unsent(ticket, err)
	}
	err = guard(func() (err error) {
		a, err = h.runAdmitted(ctx, c, &permit, ticket, e)
		return err
	})
	permit.Ended(err)
	return a, err
}

func (h *Handler) runAdmitted(ctx context.Context, c *entityCall, permit *health.Permit, ticket *journal.Ticket, e effect) (answer, error) {
	held, l, err := h.pool.use(ctx, c.connection)
	if err != nil {
		return answer{}, unsent(ticket, err)
	}
	defer l.release()
	leave, err := c.enter(held, l)
	if err != nil {
		return answer{}, unsent(ticket, err)
	}
	defer leave()
	l.permit = permit
	if ticket.Unsettled() {
		a, settled, err := e.settle(ctx, l, ticket.Age())
		switch {
		case settled && err != nil:
			return answer{}, err
		case settled:
			return finish(ticket, a)
		case err != nil:
			return answer{}, unsettled(err)
		}
	}
	return h.take(ctx, c, ticket, l, e)
}

// take is the part that must not be cut: once the write is on disk as started it has its time to end, whether or not
// the caller still waits.
func (h *Handler) take(ctx context.Context, c *entityCall, ticket *journal.Ticket, l *lease, e effect) (answer, error) {
	if err := ctx.Err(); err != nil { // the last moment at which going away costs nothing
		return answer{}, unsent(ticket, err)
	}
	if err := start(ticket); err != nil {
		return answer{}, err
	}
	left := effectFloor
	if deadline, ok := ctx.Deadline(); ok {
		left = max(left, time.Until(deadline))
	}
	whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), left)
	defer cancel()
	var a answer
	err := guard(func() (err error) {
		a, err = e.run(whole, l)
		return err
	})
	if err != nil {
		return answer{}, h.failed(c, ticket, err)
	}
	return finish(ticket, a)
}

func start(ticket *journal.Ticket) error {
	ctx, cancel := journalContext()
	defer cancel()
	return ticket.Start(ctx)
}

// finish puts the answer on disk and gives it.
func finish(ticket *journal.Ticket, a answer) (answer, error) {
	ctx, cancel := journalContext()
	defer cancel()
	return a, ticket.Finish(ctx, journal.Done, journal.Result{Status: a.status, Header: a.header, Body: a.body})
}

// written is the answer of a write that was done, unless err says that it was not.
func (c *entityCall) written(result engine.Result, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	a, err := c.resultAnswer(result)
	if err != nil {
		return answer{}, fault.From(err, fault.HopAgent).Clone().Ended(fault.Done)
	}
	if result.Replayed {
		a.header[wire.HeaderReplayed] = "true"
	}
	return a, nil
}

// resultAnswer makes the answer of a write.
func (c *entityCall) resultAnswer(result engine.Result) (answer, error) {
	if len(result.Record.JSON) == 0 {
		result.Record.JSON = []byte("{}")
	}
	a, err := c.recordAnswer(result.Status, result.Record)
	if err != nil {
		return answer{}, err
	}
	if result.Status == http.StatusNoContent {
		a.body = nil
	}
	if result.Record.ID != "" {
		a.header[wire.HeaderRecordID] = result.Record.ID
	}
	if result.DeleteMode != "" {
		a.header[wire.HeaderDeleteMode] = result.DeleteMode
	}
	return a, nil
}

// failed puts the outcome of a write that failed on disk, and gives the fault that tells it.
func (h *Handler) failed(c *entityCall, ticket *journal.Ticket, err error) error {
	f := h.complete(c.request, c.located(err)).Ended(outcome(fault.From(err, fault.HopAgent)))
	ctx, cancel := journalContext()
	defer cancel()
	if f.Outcome == fault.NotSent {
		return firstOf(ticket.Drop(ctx), f)
	}
	body, errBody := json.Marshal(f)
	if errBody != nil {
		return f
	}
	state := map[fault.Outcome]journal.State{fault.Rejected: journal.Rejected, fault.Done: journal.Done}[f.Outcome]
	if state == "" {
		state = journal.Unknown
	}
	header := map[string]string{"Content-Type": fault.ContentType}
	return firstOf(ticket.Finish(ctx, state, journal.Result{Status: f.Code.Spec().Status, Header: header, Body: body}), f)
}

// outcome is what the fault says, and where it says nothing the one that does no harm to believe.
func outcome(f *fault.Error) fault.Outcome {
	switch {
	case f.Outcome != "":
		return f.Outcome
	case f.Hop == fault.HopClient || f.Hop == fault.HopPolicy:
		return fault.NotSent
	}
	return fault.Unknown
}

// unsent is the fault of a write that did not begin. What an earlier try under its key did may still be unknown.
func unsent(ticket *journal.Ticket, err error) error {
	if ticket.Unsettled() {
		return unsettled(err)
	}
	return notSent(err)
}

func notSent(err error) error {
	return fault.From(err, fault.HopAgent).Clone().Ended(fault.NotSent)
}

// unsettled is the fault of a write whose earlier try could not be settled now. Where the engine says that nothing ever
// will tell, its word stays; else sending it again, with its key, is safe.
func unsettled(err error) error {
	f := fault.From(err, fault.HopAgent)
	if f.Outcome == fault.Unknown {
		return f
	}
	return f.Clone().Ended(fault.Unknown).
		Advise("Send the same request again with the same Idempotency-Key: Gantry will then find out what the first one did. %s", f.Advice)
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func journalContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), journalTime)
}
